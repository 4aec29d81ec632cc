"""Which system serves a part of a workspace, and its credential: versions on the log, opened by apply alone.

Refuses settings that the system cannot work with. A credential counts for the system and host it was set for: whoever
turns a connection elsewhere has to bring the secret along.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

from django.db import connection as database
from django.db import transaction
from pydantic import SecretStr, ValidationError

from audit import log
from audit.events import Event
from portal import sealing
from portal import workspace as inside
from portal.egress import host_and_port
from portal.models import Connection, Credential, Part
from portal.retold import kept
from portal.systems import registry
from portal.systems.outside import NotSent, Outside
from portal.systems.pace import SharedPace
from portal.systems.reach import Reach
from portal.systems.registry import BOOKS, SYSTEMS

CredentialState = Literal["not needed", "missing", "set", "set for another address"]
LONGEST_SECRET = 2000
SECRET_FORM = kept("8 to %(most)s letters, digits and signs, without spaces")
NEEDS_NONE = kept("our own books serve it and need no credential; choose a system first")
NO_SETTINGS = kept("our own books have no settings")
NOT_SERVED = kept("%(system)s does not serve %(part)s; there are %(known)s")
AGAIN_SECONDS = 60.0

# How a call can end, kept in English beside it.
NO_CREDENTIAL = kept("%(part)s: no credential is set for %(system)s")
OUR_BOOKS = kept("%(part)s: our own books serve it")


class ConnectionsError(Exception):
    """Base of what can be wrong with the systems of a workspace."""


class BadConnection(ConnectionsError):
    """A system that is not there, or settings it cannot work with; `field` names the one that is off."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(f"{field}: {sentence}")
        self.field, self.sentence = field, sentence


class NotOpen(ConnectionsError, NotSent):
    """The system cannot be called from here now; nothing was sent."""


class WrongWorkspace(ConnectionsError):
    """Asked inside a transaction of another workspace, where row security would hide the answer."""


def choose(
    *, workspace: int, part: str, system: str, config: Mapping[str, Any], actor: str, now: datetime
) -> Connection:
    """Let a system serve a part from now on; `books` is our own. Calls under way are looked up as before.

    Raises:
        BadConnection.
    """
    settings = {} if settings_of(part, system, config) is None else dict(config)
    with transaction.atomic():
        subject = f"connection:{part}"
        version = log.next_version(workspace, subject)
        log.attribute(subject)
        row = Connection.objects.create(
            workspace_id=workspace, part=part, system=system, config=settings, version=version, made_by=actor,
            created_at=now,
        )  # fmt: skip
        log.record(
            workspace=workspace, subject=subject, version=version, event=Event.SYSTEM_CHOSEN, actor=actor, now=now,
            body={"part": part, "system": system, "config": _canonical(settings)},
        )  # fmt: skip
    return row


def set_credential(*, workspace: int, part: str, secret: str, actor: str, now: datetime) -> Credential:
    """Seal a secret for the part's system in force; neither the log nor anybody but apply learns it.

    Raises:
        BadConnection: there is nothing to set it for, or it is no credential.
        portal.sealing.SealingError: this installation has no key.
    """
    row, sealed, key_id = seal_for(workspace=workspace, part=part, secret=secret)
    with transaction.atomic():
        subject = f"credential:{part}"
        version = log.next_version(workspace, subject)
        log.attribute(subject)
        made = Credential.objects.create(
            workspace_id=workspace, part=part, version=version, sealed=sealed, key_id=key_id, made_by=actor,
            created_at=now,
        )  # fmt: skip
        log.record(
            workspace=workspace, subject=subject, version=version, event=Event.CREDENTIAL_SET, actor=actor, now=now,
            body={"part": part, "system": row.system, "connection": row.version, "key": key_id},
        )  # fmt: skip
    return made


def seal_for(*, workspace: int, part: str, secret: str) -> tuple[Connection, bytes, str]:
    """The connection in force, the secret sealed for it, and the id of the key; nothing is kept.

    Raises:
        BadConnection: there is nothing to set it for, or it is no credential.
        portal.sealing.SealingError: this installation has no key.
    """
    if not 8 <= len(secret) <= LONGEST_SECRET or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise BadConnection("secret", SECRET_FORM % {"most": LONGEST_SECRET})
    row = in_force(workspace, part)
    if row is None or row.system == BOOKS:
        raise BadConnection("part", NEEDS_NONE)
    sealed, key_id = sealing.seal(secret, place=_place(row, _settings(row)))
    return row, sealed, key_id


def chosen_in() -> list[int]:
    """Workspaces in which an outside system was ever chosen."""
    with database.cursor() as cursor:
        cursor.execute("SELECT workspace FROM portal_connected()")
        return [row[0] for row in cursor.fetchall()]


def in_force(workspace: int, part: str) -> Connection | None:
    """The newest version; None where none was ever chosen, which means our own books, as `books` does.

    Raises:
        WrongWorkspace.
    """
    with _seeing(workspace):
        return Connection.objects.filter(workspace_id=workspace, part=part).order_by("-version").first()


def promised(row: Connection) -> frozenset[str]:
    """The operations that the system of a connection has; none where its settings do not hold any more."""
    try:
        settings = settings_of(row.part, row.system, row.config)
    except BadConnection:
        return frozenset()
    return frozenset(SYSTEMS[row.system].promises(settings)) if settings else frozenset()


def title_of(row: Connection) -> str:
    """What people call the system of a connection."""
    return SYSTEMS[row.system].title if row.system in SYSTEMS else row.system


def credential_state(row: Connection) -> CredentialState:
    """Whether a credential was set for where the connection leads; said without opening it."""
    if row.system == BOOKS:
        return "not needed"
    newest = Credential.objects.filter(workspace_id=row.workspace_id, part=row.part).order_by("-version")
    at = newest.values_list("created_at", flat=True).first()
    if at is None:
        return "missing"
    then = Connection.objects.filter(workspace_id=row.workspace_id, part=row.part, created_at__lte=at)
    set_for = then.order_by("-version").first()
    try:
        same = set_for is not None and _place(set_for, _settings(set_for)) == _place(row, _settings(row))
    except NotOpen:
        return "missing"
    return "set" if same else "set for another address"


def open_outside(workspace: int, part: str) -> Outside | None:
    """The system that serves a part, ready to be called between transactions; None where our own books do.

    For the apply process: no other can open the credential.

    Raises:
        NotOpen: no key, no credential, or one that was set for something else; nothing was sent.
        WrongWorkspace.
    """
    row = in_force(workspace, part)
    if row is None or row.system == BOOKS:
        return None
    settings = _settings(row)
    system = SYSTEMS[row.system]
    promises = system.promises(settings)
    pace = SharedPace(workspace, part, registry.slowest(promises))
    return system(settings, _secret(row, settings).get_secret_value(), settings.egress(pace))


def _secret(row: Connection, settings: Reach) -> SecretStr:
    with _seeing(row.workspace_id):
        newest = Credential.objects.filter(workspace_id=row.workspace_id, part=row.part).order_by("-version")
        try:
            sealing.private_key()  # before the database is asked for a column that only apply may read
            found = newest.first()
            if found is None:
                raise NotOpen(NO_CREDENTIAL % {"part": row.part, "system": row.system}, retry_seconds=AGAIN_SECONDS)
            return sealing.unseal(bytes(found.sealed), place=_place(row, settings))
        except sealing.SealingError as error:
            raise NotOpen(f"{row.part}: {error}", retry_seconds=AGAIN_SECONDS) from error


def _settings(row: Connection) -> Reach:
    try:
        settings = settings_of(row.part, row.system, row.config)
    except BadConnection as error:
        raise NotOpen(f"{row.part}: {error}", retry_seconds=AGAIN_SECONDS) from error
    if settings is None:
        raise NotOpen(OUR_BOOKS % {"part": row.part}, retry_seconds=AGAIN_SECONDS)
    return settings


def _place(row: Connection, settings: Reach) -> str:
    """Where alone a credential may be used."""
    scheme = settings.address.partition(":")[0]
    return f"{row.workspace_id}/{row.part}/{row.system}/{scheme}://{host_and_port(settings.address)}"


def settings_of(part: str, system: str, config: Mapping[str, Any]) -> Reach | None:
    """The settings as the system understands them; None for our own books.

    Raises:
        BadConnection.
    """
    if part not in Part:
        raise BadConnection("part", f"one of {', '.join(Part)}")
    if system == BOOKS:
        if config:
            raise BadConnection(next(iter(config)), NO_SETTINGS)
        return None
    found = SYSTEMS.get(system)
    if found is None or part not in found.parts:
        serving = [BOOKS, *(name for name, each in SYSTEMS.items() if part in each.parts)]
        raise BadConnection("system", NOT_SERVED % {"system": repr(system), "part": part, "known": ", ".join(serving)})
    try:
        settings = found.settings.model_validate(dict(config))
        registry.refuse_bad_promises(found.promises(settings))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "settings"
        raise BadConnection(field, first["msg"].removeprefix("Value error, ")) from None
    if fault := settings.fault():
        field, _, sentence = fault.partition(": ")
        raise BadConnection(field, sentence)
    return settings


def _canonical(config: Mapping[str, Any]) -> dict[str, Any]:
    """As the log can hold it: it has no form for floats."""
    return {name: str(value) if isinstance(value, float) else value for name, value in config.items()}


@contextmanager
def _seeing(workspace: int) -> Iterator[None]:
    """Inside the workspace, whoever calls. Outside of it row security shows nothing, which would read as "books"."""
    if not database.in_atomic_block:
        with inside.within(workspace):
            yield
        return
    with database.cursor() as cursor:
        cursor.execute("SELECT current_setting('countersign.workspace', true)")
        if cursor.fetchone()[0] != str(workspace):
            raise WrongWorkspace(f"this transaction is not inside workspace {workspace}")
    yield
