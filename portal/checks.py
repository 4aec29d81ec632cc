"""System checks of the installation, each with an id and a hint; `docs/operations.md` tells what to do."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import redis
from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, Warning
from django.db import connection

from portal import env, log_key, sealing

UNSET_KEY = "unset-checks-refuse-to-serve-with-it"
LOCAL = frozenset({"", "localhost", "127.0.0.1", "::1"})


def secret_key(**_: Any) -> list[CheckMessage]:
    """Sessions signed with a key that everybody knows can be forged."""
    if settings.DEBUG or settings.SECRET_KEY not in ("", UNSET_KEY):
        return []
    return [Error("SECRET_KEY is not set.", hint="Set SECRET_KEY to 50 random characters.", id="portal.E001")]


def failpoints(**_: Any) -> list[CheckMessage]:
    """Failpoints kill processes; they belong to test runs."""
    if not settings.FAILPOINTS or is_for_tests():
        return []
    return [
        Error(
            "FAILPOINTS is set beside a real installation.",
            hint="Unset FAILPOINTS; tests set it by themselves.", id="portal.E002",
        )
    ]  # fmt: skip


def is_for_tests() -> bool:
    """Whether the secret key says that this is a test run."""
    return str(settings.SECRET_KEY).startswith("only-for-tests")


def signed_in_as(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """A superuser or the owner passes row security and every trigger."""
    if not databases or settings.PROCESS_ROLE == "owner":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, rolsuper OR rolbypassrls OR current_user = %s"
            " OR EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public' AND tableowner = current_user)"
            " FROM pg_roles WHERE rolname = current_user",
            [env.read().user_of("owner")],
        )
        name, passes = cursor.fetchone()
    if not passes:
        return []
    return [
        Error(
            f"This {settings.PROCESS_ROLE} process signs in to the database as {name}, whom no wall stops.",
            hint=f"Set DB_USER_{settings.PROCESS_ROLE.upper()} to a role that is no superuser and no owner.",
            id="portal.E003",
        )
    ]  # fmt: skip


def triggers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """A trigger that is not ALWAYS is passed by `session_replication_role`, one that is off by everybody."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text || '.' || tgname FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgrelid::regclass::text ~ '^(audit|portal|approvals|agents)_' AND tgenabled <> 'A'"
            " ORDER BY 1"
        )
        off = [row[0] for row in cursor.fetchall()]
    if not off:
        return []
    return [
        Error(
            f"Triggers that hold the log are not enabled ALWAYS: {', '.join(off)}.",
            hint="Find out who switched them off, then run `manage.py migrate` to set them again.",
            id="portal.E004",
        )
    ]  # fmt: skip


def vectors(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Without pgvector policy pages are searched by words alone, which is enough for who has no embedding model."""
    if not databases:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'vector')")
        (there,) = cursor.fetchone()
    hint = "Only for embedding models: CREATE EXTENSION vector as the server's administrator, then migrate."
    return [] if there else [Info("The database has no pgvector.", hint=hint, id="portal.I001")]


def redis_answers(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """An evicting Redis loses messages and counts of sign-ins. The database repeats messages: a warning."""
    if not databases:
        return []
    try:
        client = redis.Redis.from_url(env.read().redis_url, socket_timeout=2, socket_connect_timeout=2)
        policy = client.info("memory").get("maxmemory_policy", "noeviction")
    except (redis.RedisError, ValueError) as error:
        return [_redis(f"Redis does not answer: {error}", "See REDIS_URL; work goes on, more slowly.")]
    if policy == "noeviction":
        return []
    return [_redis(f"Redis may drop keys (maxmemory-policy {policy}).", "Set maxmemory-policy noeviction.")]


def _redis(message: str, hint: str) -> CheckMessage:
    return Warning(message, hint=hint, id="portal.W001")


def public_url(**_: Any) -> list[CheckMessage]:
    """Beyond this machine, sessions and tokens must not travel in the clear."""
    url = urlsplit(settings.PUBLIC_URL)
    if url.scheme == "https" or (url.hostname or "") in LOCAL:
        return []
    return [
        Warning(
            f"PUBLIC_URL is {settings.PUBLIC_URL}: cookies and tokens travel in the clear.",
            hint="Serve it by https behind a proxy and set PUBLIC_URL to that address.", id="portal.W002",
        )
    ]  # fmt: skip


def private_key(**_: Any) -> list[CheckMessage]:
    """Whoever holds it opens every credential of every workspace."""
    return [
        Error(
            f"This {settings.PROCESS_ROLE} process was given {keys.private}.",
            hint=f"Take it out of its environment: {keys.opens} processes alone may open what it opens.",
            id="portal.E006",
        )
        for keys in (sealing.CREDENTIALS, sealing.MODELS, sealing.DATA, sealing.VAULT)
        if keys.opens != settings.PROCESS_ROLE and sealing.given_private(keys) is not None
    ]  # fmt: skip


def signing_key(**_: Any) -> list[CheckMessage]:
    """Whoever holds it can sign another log; the sealer writes nothing but the tree."""
    if not log_key.was_given_wrongly():
        return []
    return [
        Error(
            f"This {settings.PROCESS_ROLE} process was given LOG_SIGNING_KEY or LOG_SIGNING_KEY_OLD.",
            hint="Take it out of its environment: the sealer alone may sign the log.", id="portal.E008",
        )
    ]  # fmt: skip


def key_pair(**_: Any) -> list[CheckMessage]:
    """A key that cannot be read would show only when the first credential is set or opened."""
    try:
        sealing.refuse_a_mismatch()
    except sealing.BadKey as error:
        return [Error(f"{error}.", hint="`python -m portal.sealing` prints a pair that fits.", id="portal.E007")]
    return []


def data_key(**_: Any) -> list[CheckMessage]:
    """Without it nothing that holds a personal value can be recorded: no ticket comes in."""
    if settings.DATA_PUBLIC_KEY or settings.PROCESS_ROLE not in ("web", "agents", "apply"):
        return []
    return [
        Error(
            "DATA_PUBLIC_KEY is not set: no personal value of the log can be kept.",
            hint="`python -m portal.sealing DATA` prints a pair; web alone gets the private one.", id="portal.E009",
        )
    ]  # fmt: skip


ALL = (
    (secret_key, Tags.security),
    (private_key, Tags.security),
    (key_pair, Tags.security),
    (data_key, Tags.security),
    (signing_key, Tags.security),
    (failpoints, Tags.security),
    (public_url, Tags.security),
    (signed_in_as, Tags.database),
    (triggers, Tags.database),
    (redis_answers, Tags.database),
    (vectors, Tags.database),
)
