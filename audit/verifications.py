"""Verifies the log in the database from end to end, and keeps what came of it.

The keys and the anchors come from outside the database; whoever could change the log could change them there too.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from audit import live, notes, values, verify
from audit.models import Checkpoint

# The sealer signs every ten minutes even when nothing happens.
MAX_AGE = timedelta(minutes=15)
KEYS = Path(settings.VAR_DIR) / "keys"


class NoKeys(Exception):
    """Nothing to verify signatures with."""


@dataclass(frozen=True, slots=True)
class Result:
    """`code` as the stand-alone verifier exits; `size` is how many entries the newest checkpoint covers."""

    code: int
    size: int
    message: str


def trusted(given: Iterable[str] = ()) -> list[notes.Verifier]:
    """The keys given, as text or as files of one a line; without any, those of this installation.

    Raises:
        NoKeys, notes.BadKey.
    """
    texts = list(given) or [str(path) for path in sorted(KEYS.glob("log*.vkey"))]
    if not given:  # the one before it while it is still at hand, then the key in force: their order counts
        held = (settings.LOG_SIGNING_KEY_OLD, settings.LOG_SIGNING_KEY)
        texts += [str(notes.Signer.parse(key.get_secret_value()).verifier) for key in held if key is not None]
    files = [Path(text).read_text().split() if Path(text).is_file() else [text] for text in texts]
    if not files:
        raise NoKeys(f"name a verification key with --key: there is none in {KEYS}")
    return [notes.Verifier.parse(line) for line in dict.fromkeys(line for lines in files for line in lines)]


def own_anchors() -> list[Path]:
    """The folder in which this installation's sealer keeps anchors, where something lies in it."""
    folder = Path(settings.ANCHOR_DIR)
    return [folder] if folder.is_dir() and any(folder.glob("*.note")) else []


def of_database(
    keys: list[notes.Verifier], *, files: Iterable[Path] = (), folders: Iterable[Path] = (),
    max_age: timedelta | None = MAX_AGE, replay: bool = False,
) -> Result:  # fmt: skip
    """Verify all of it as it stands at one moment; signed in as a role that sees every entry.

    What is not sealed yet gets ten seconds: an entry has the time of its transaction's begin, not of its commit.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
        result = here(keys, files=files, folders=folders, max_age=max_age, replay=replay)
    if result.code == verify.SOUND and (entry := live.unsealed(verify.TAIL)) is not None:
        time.sleep(verify.TAIL.total_seconds())
        if live.unsealed(verify.TAIL) == entry:
            said = f"the entry with the id {entry} is under no checkpoint: nobody seals the log"
            return Result(verify.INCOMPLETE, result.size, said)
    return result


def here(
    keys: list[notes.Verifier], *, files: Iterable[Path] = (), folders: Iterable[Path] = (),
    max_age: timedelta | None = MAX_AGE, replay: bool = False,
) -> Result:  # fmt: skip
    """The same in the transaction that is open, without a look at what is not sealed yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = cursor.fetchone()[0]
    size = Checkpoint.objects.order_by("pk").values_list("size", flat=True).last() or 0
    try:
        texts = verify.keys_of(str(key) for key in keys)
        live.triggers()
        message = verify.verify(
            live.Live(keys), texts, verify.kept(list(files), list(folders), texts), now=now,
            max_age=max_age.total_seconds() if max_age else None, replay=replay,
        )  # fmt: skip
        live.beside()
    except verify.Finding as finding:
        return Result(finding.code, size, str(finding))
    return Result(verify.SOUND, size, message)


def of_values(workspaces: Iterable[int]) -> Result:
    """Open every personal value there is and hold it against what its entry committed to; where they can be opened."""
    count = 0
    try:
        for workspace in workspaces:
            with transaction.atomic():
                values.enter(workspace)
                count += sum(1 for _ in values.opened(workspace))
    except verify.Finding as finding:
        return Result(finding.code, 0, str(finding))
    return Result(verify.SOUND, 0, f"sound: {count} personal values are what was committed to")


def keep(result: Result, *, who: str) -> None:
    """A row for the footer of the pages; nobody changes it."""
    with connection.cursor() as cursor:  # by its own columns: when it was is the database's to say
        cursor.execute(
            "INSERT INTO audit_verification (size, code, message, who) VALUES (%s, %s, %s, %s)",
            [result.size, result.code, result.message[:500], who],
        )
