"""Seals the log: entries become leaves, the tree is signed. The one place that uses the log's private key.

A step is one transaction, so a sealer that is killed leaves nothing half done. Refuses to sign on top of a tree that
is not the one it signed last.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from audit import log, notes, tree
from audit.events import Event
from audit.tiles import BITS, Tiles

KEY = "log:key"
BATCH = 10_000
HEARTBEAT = timedelta(minutes=10)
SESSION = {
    # A sealer that stands still for so long loses its session, and with it the lock, to the next one.
    "idle_session_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    # Few rows above the mark, found by their keys: without statistics the planner would read the whole log.
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
}


class SealingError(Exception):
    """Base of what keeps a sealer from signing."""


class AnotherName(SealingError):
    """The name of the log is in every checkpoint: a new key keeps it."""


class TreeDiffers(SealingError):
    """What lies in the tables is not what was signed last, or not by this key. Nobody but a person can tell why."""


@dataclass(frozen=True)
class Last:
    """The newest checkpoint, and the database's clock."""

    size: int
    root: bytes
    low_water: int
    note: str
    at: datetime | None
    now: datetime


@dataclass(frozen=True)
class Tide:
    """No id up to `up_to` can appear any more once none of `writers` (virtual transactions) writes."""

    up_to: int
    writers: frozenset[str]


class Sealer:
    """One sealer, on this thread's connection. It leads as long as that session holds the advisory lock.

    `look` is asked each time it begins to lead, with how much is sealed, and may raise: nothing is signed then. With
    `old`, the key that signed so far, it hands the log over to `signer` under a checkpoint that both sign.

    Raises:
        AnotherName.
    """

    def __init__(
        self, signer: notes.Signer, *, old: notes.Signer | None = None, look: Callable[[int], None] | None = None,
        heartbeat: timedelta = HEARTBEAT,
    ) -> None:  # fmt: skip
        if old is not None and old.name != signer.name:
            raise AnotherName(f"the old key is of {old.name}, the new one of {signer.name}: a new key keeps the name")
        self._signer, self._old, self._look, self._heartbeat = signer, old, look, heartbeat
        self._session: object = None
        self._looked = False
        self._low_water = 0
        self._tide: Tide | None = None

    def step(self, *, batch: int = BATCH) -> int | None:
        """Seal at most `batch` entries under one checkpoint; how many, or None while another sealer leads.

        Entries get ids before they are committed. What counts is therefore every committed entry that is no leaf
        yet, above a mark under which none can appear any more. Not `xact < pg_snapshot_xmin(...)`: any long
        transaction on the server would hold the log up, and after a restore old numbers mean nothing.

        Raises:
            TreeDiffers: the tree is not the one that was signed last.
        """
        if not self._leads():
            return None
        tide = self._tide
        is_over = tide is not None and not tide.writers & _writers()
        with transaction.atomic():
            last = _last()
            signers = self._in_force(last)
            self._look_once(last.size, signers[0])
            low_water = max(last.low_water, self._low_water)
            fresh = _number(last.size, low_water, batch)
            if signers[0] != self._signer and len(fresh) < batch:
                signers = (*signers, self._signer)
                self._record_rotation(last.now)
                fresh += _number(last.size + len(fresh), low_water, batch)
            if tide is not None and is_over and len(fresh) < batch:
                low_water = max(low_water, tide.up_to)
            if fresh or last.at is None or last.now - last.at >= self._heartbeat:
                self._sign(last, fresh, low_water, signers)
        self._low_water = low_water
        if tide is None or (is_over and len(fresh) < batch):
            self._tide = _tide(low_water)
        return len(fresh)

    def _leads(self) -> bool:
        """Whether this very session holds the lock; one that was lost and made anew asks again."""
        connection.ensure_connection()
        if self._session is not connection.connection:
            self._session, self._tide, self._low_water, self._looked = None, None, 0, False
            with connection.cursor() as cursor:
                for name, value in SESSION.items():
                    cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
                cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('countersign.sealer', 0))")
                if cursor.fetchone()[0]:
                    self._session = connection.connection
        return self._session is not None

    def _look_once(self, size: int, signer: notes.Signer) -> None:
        """What need not be asked each time, by whoever begins to lead."""
        if self._looked:
            return
        if (newest := _newest_key()) not in ("", str(signer.verifier)):
            raise TreeDiffers(f"the log went on under another key than this one: {newest}")
        if self._look is not None:
            self._look(size)
        self._looked = True

    def _in_force(self, last: Last) -> tuple[notes.Signer, ...]:
        """Whoever signed last, while that is the old key; else the new one."""
        if self._old is None or last.at is None:
            return (self._signer,)
        try:
            notes.read(last.note, [self._signer.verifier])
        except notes.UnknownKey:
            return (self._old,)
        return (self._signer,)

    def _record_rotation(self, now: datetime) -> None:
        """An entry of no workspace: the log's own."""
        assert self._old is not None  # whom `_in_force` found
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('countersign.workspace', '0', true)")
        log.record(
            workspace=0, subject=KEY, event=Event.KEY_ROTATED, actor="system:sealer", now=now,
            body={"old": str(self._old.verifier), "new": str(self._signer.verifier)},
        )  # fmt: skip

    def _sign(self, last: Last, fresh: list[bytes], low_water: int, signers: tuple[notes.Signer, ...]) -> None:
        """Grow the tree by the fresh leaves, keep its new nodes, write the checkpoint."""
        grown = tree.frontier(last.size, Tiles())
        self._refuse_another(last, grown.root(), signers[0])
        made = [node for leaf in fresh for node in grown.append(leaf) if node[0] % BITS == 0]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO audit_node (level, index, hash) VALUES (%s, %s, %s)", made)
            head = notes.Head(self._signer.name, grown.size, grown.root())
            note = notes.sign(head.text(), *signers, at=last.now)
            cursor.execute(
                "INSERT INTO audit_checkpoint (size, root, note, low_water) VALUES (%s, %s, %s, %s)",
                [head.size, head.root, notes.carried(note, last.note) if last.note else note, low_water],
            )

    def _refuse_another(self, last: Last, root: bytes, signer: notes.Signer) -> None:
        if root != last.root:
            raise TreeDiffers(f"the tables no longer hold the tree of {last.size} leaves that was signed")
        if last.at is None:
            return
        try:
            signed = notes.head(notes.read(last.note, [signer.verifier]))
        except notes.NoteError as error:
            raise TreeDiffers(f"the last checkpoint was not signed by this key: {error}") from error
        if signed != notes.Head(self._signer.name, last.size, last.root):
            raise TreeDiffers("the last checkpoint does not say what was signed")


def _last() -> Last:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.size, c.root, c.low_water, c.note, c.at, clock_timestamp() FROM (VALUES (1)) AS one"
            " LEFT JOIN (SELECT * FROM audit_checkpoint ORDER BY id DESC LIMIT 1) AS c ON true"
        )
        size, root, low_water, note, at, now = cursor.fetchone()
    return Last(size or 0, bytes(root or tree.EMPTY), low_water or 0, note or "", at, now)


def _newest_key() -> str:
    """The key that the last rotation named; "" where there was none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT canonical FROM audit_entry WHERE workspace_id = 0 AND subject = %s ORDER BY version DESC LIMIT 1",
            [KEY],
        )
        found = cursor.fetchone()
    return str(json.loads(found[0])["body"]["new"]) if found else ""


def _number(size: int, low_water: int, batch: int) -> list[bytes]:
    """Make leaves of committed entries that are none yet, by id; their hashes in the order of the tree."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH next AS (SELECT e.id, e.canonical FROM audit_entry e WHERE e.id > %s AND NOT EXISTS"
            " (SELECT FROM audit_leaf l WHERE l.entry_id = e.id AND l.entry_id > %s) ORDER BY e.id LIMIT %s),"
            " made AS (INSERT INTO audit_leaf (index, entry_id, hash)"
            " SELECT %s::bigint + row_number() OVER (ORDER BY id) - 1, id,"
            " sha256('\\x00'::bytea || convert_to(canonical, 'UTF8')) FROM next RETURNING index, hash)"
            " SELECT hash FROM made ORDER BY index", [low_water, low_water, batch, size]
        )  # fmt: skip
        return [bytes(row[0]) for row in cursor.fetchall()]


def _tide(low_water: int) -> Tide | None:
    """Where the mark may go once those who write now are done; None where nothing is above it.

    An id counts from here on once its entry is committed: the sequence itself may fall back in a crash. Whoever took
    a lower id did so before, and holds the table's lock until the end of its transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT max(id) FROM audit_entry")
        highest = cursor.fetchone()[0] or 0
    return Tide(highest, _writers()) if highest > low_water else None


def _writers() -> frozenset[str]:
    """Every transaction that may have taken an id: it holds the lock of a writer on the entries."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock'"
            " AND relation = 'audit_entry'::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return frozenset(row[0] for row in cursor.fetchall())
