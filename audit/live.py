"""The log as it lies in the database, for the stand-alone verifier, and what only the database can show.

Reads in one transaction of a role that sees every entry. The columns beside the hashed bytes, the hashes and the nodes
are held against what they repeat while the entries stream by; nothing is believed because a trigger should have seen to
it.
"""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from django.db import connection

from audit import export, notes, tree
from audit.models import Checkpoint, Node
from audit.tiles import BITS
from audit.verify import TAMPERED, Finding, Record

CHUNK = 2_000
# How far the clock beside a checkpoint may be from the second that was signed.
CLOCKS = timedelta(seconds=60)
APPEND_ONLY = ("audit_entry", "audit_leaf", "audit_node", "audit_checkpoint", "audit_anchor", "audit_verification",
               "audit_payload", "audit_subjectkey", "audit_hold", "audit_retention")  # fmt: skip
FOLLOWING = ("audit_leaf", "audit_checkpoint")
COPIES = ("workspace", "subject", "version", "event", "state", "actor", "case", "trace_id", "at")

_FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\(.*?\$\$(.*?)\$\$", re.DOTALL)
_LINES = """
    SELECT l.index, l.entry_id, l.hash, e.canonical, e.workspace_id, e.subject, e.version, e.event, e.state, e.actor,
        e."case", e.trace_id, e.at
    FROM audit_leaf l LEFT JOIN audit_entry e ON e.id = l.entry_id ORDER BY l.index
"""
_TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname::text, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
    AND tgrelid::regclass::text ~ '^(audit|portal|approvals|agents)_' ORDER BY 1, 2
"""
_BELOW = """
    SELECT e.id, e.subject FROM audit_entry e WHERE e.id <= %s
    AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id) ORDER BY e.id LIMIT 1
"""
_UNSEALED = """
    SELECT e.id FROM audit_entry e WHERE e.id > %s AND e.at < clock_timestamp() - make_interval(secs => %s)
    AND NOT EXISTS (SELECT FROM audit_leaf l WHERE l.entry_id = e.id) ORDER BY e.id LIMIT 1
"""
# A row that was reported says what its entry says, and every entry has its row.
_STAGED = """
    SELECT coalesce(u.id::text, split_part(e.subject, ':', 2)) FROM audit_unattributed u FULL JOIN (
        SELECT subject, actor, workspace_id, at, canonical::json -> 'body' AS body FROM audit_entry
        WHERE event = 'change.unattributed') e ON e.subject = 'unattributed:' || u.id
    WHERE u.reported_at IS DISTINCT FROM e.at OR u.id IS NULL OR e.workspace_id <> u.workspace_id
        OR e.actor <> 'role:' || u.signed_in_as OR e.body ->> 'table' <> u."table" OR e.body ->> 'row' <> u."row"
        OR e.body ->> 'operation' <> u.operation OR (e.body ->> 'at')::timestamptz <> u.at ORDER BY 1 LIMIT 1
"""
# The same of holds and periods.
_HOLDS = """
    SELECT coalesce(h.id::text, e.subject) FROM audit_hold h FULL JOIN (
        SELECT workspace_id, subject, actor, at, event = 'hold.placed' AS placed FROM audit_entry
        WHERE event IN ('hold.placed', 'hold.lifted')) e
        ON e.workspace_id = h.workspace_id AND e.subject = 'hold:' || coalesce(nullif(h.about, ''), 'all')
        AND e.at = h.created_at
    WHERE h.id IS NULL OR e.subject IS NULL OR e.actor <> h.made_by OR e.placed <> h.placed ORDER BY 1 LIMIT 1
"""
_PERIODS = """
    SELECT coalesce(r.id::text, e.subject) FROM audit_retention r FULL JOIN (
        SELECT workspace_id, subject, version, actor, at, (canonical::json -> 'body' ->> 'days')::int AS days
        FROM audit_entry WHERE event = 'retention.set') e
        ON e.workspace_id = r.workspace_id AND e.subject = 'period:' || r.kind AND e.version = r.version
    WHERE r.id IS NULL OR e.subject IS NULL OR e.actor <> r.made_by OR e.days <> r.days OR e.at <> r.created_at
    ORDER BY 1 LIMIT 1
"""
_VALUES = """
    SELECT p.id, p.name FROM audit_payload p LEFT JOIN audit_entry e ON e.id = p.entry_id
    WHERE e.id IS NULL OR e.workspace_id <> p.workspace_id
        OR e.canonical::json -> 'commitments' ->> p.name IS NULL ORDER BY p.id LIMIT 1
"""


class Live:
    """The tables as a `verify.Source`; raises what is wrong with them as they are read."""

    def __init__(self, trusted: Sequence[notes.Verifier]) -> None:
        self._trusted = trusted
        self._nodes: Iterator[tuple[int, int, bytes | memoryview]] = iter(())

    def newest(self) -> tuple[str, bytes] | None:
        """The name of the last checkpoint and its note."""
        row = Checkpoint.objects.order_by("pk").last()
        return (f"{row.size}.note", row.note.encode()) if row else None

    def checkpoints(self) -> Iterator[tuple[str, bytes]]:
        """Each, once its columns say what its note says, and it does not go back behind the one before."""
        size = low_water = 0
        for row in Checkpoint.objects.order_by("pk").iterator(CHUNK):
            named = f"checkpoint {row.pk} of {row.size}"
            yield f"{row.size}.note", row.note.encode()  # its signature first: then what it says counts
            if notes.head(row.note.rpartition("\n\n")[0] + "\n").root != bytes(row.root):
                raise Finding(TAMPERED, f"{named}: the column root says something else than its note")
            signed = notes.signed_at(row.note, self._trusted)
            if signed is not None and abs(row.at - signed) > CLOCKS:
                raise Finding(TAMPERED, f"{named}: the column at says something else than its note")
            if row.size < size or row.low_water < low_water:
                raise Finding(TAMPERED, f"{named}: goes back behind the one before, in size or low_water")
            size, low_water = row.size, row.low_water

    def lines(self) -> Iterator[bytes]:
        """The leaf bytes in the order of the tree."""
        grown = tree.Frontier()
        size = Checkpoint.objects.order_by("pk").values_list("size", flat=True).last() or 0
        self._nodes = Node.objects.order_by("pk").values_list("level", "index", "hash").iterator(CHUNK)
        with connection.chunked_cursor() as cursor:
            cursor.execute(_LINES)
            for index, entry, digest, canonical, *copies in chain.from_iterable(
                iter(lambda: cursor.fetchmany(CHUNK), [])
            ):
                if index != grown.size:
                    raise Finding(TAMPERED, f"entry {grown.size}: its leaf is gone, or its number was changed")
                if index >= size:
                    raise Finding(TAMPERED, f"entry {index}: a leaf that the newest checkpoint, of {size}, leaves out")
                if canonical is None:
                    raise Finding(TAMPERED, f"entry {index}: the entry with the id {entry} is gone")
                line = canonical.encode()
                if tree.leaf_hash(line) != bytes(digest):
                    raise Finding(TAMPERED, f"entry {index}: {copies[1]} version {copies[2]} is not what was sealed")
                self._columns(index, canonical, copies)
                self._node(grown.append(bytes(digest)))
                yield line
        if left := next(self._nodes, None):
            raise Finding(TAMPERED, f"node {left[0]}/{left[1]} is over leaves that are not there")

    def anchors(self) -> Iterator[Record]:
        """The checkpoints that the house says it anchored; what lies elsewhere is the proof."""
        return export.anchors()

    def payloads(self) -> Iterator[Record]:
        """None: who reads all entries opens no values."""
        return iter(())

    def _columns(self, index: int, canonical: str, copies: list[Any]) -> None:
        try:
            said = json.loads(canonical)
            said["at"] = datetime.fromisoformat(said["at"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return  # no entry: the verifier says so
        for name, copy in zip(COPIES, copies, strict=True):
            if said.get(name) != copy:
                raise Finding(TAMPERED, f"entry {index}: the column {name} says something else than what was signed")

    def _node(self, made: list[tuple[int, int, bytes]]) -> None:
        for level, index, digest in made:
            if level % BITS:
                continue
            kept = next(self._nodes, None)
            if kept is None or (kept[0], kept[1], bytes(kept[2])) != (level, index, digest):
                raise Finding(TAMPERED, f"node {level}/{index} is not there, or not the hash over its leaves")


def beside() -> None:
    """What must hold beside the tree: nothing below the mark, staged rows and values accounted for.

    Raises:
        Finding.
    """
    low_water = Checkpoint.objects.order_by("pk").values_list("low_water", flat=True).last() or 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM audit_entry")
        if low_water > cursor.fetchone()[0]:
            raise Finding(TAMPERED, f"the newest checkpoint: low_water {low_water} is above every entry")
        for statement, given, words in (
            (_BELOW, [low_water], "the entry with the id {} is no leaf and lies below the mark: nobody will seal it"),
            (_STAGED, [], "audit_unattributed {}: the row and its entry on the log differ, or one is gone"),
            (_HOLDS, [], "audit_hold {}: the row and its entry on the log differ, or one is gone"),
            (_PERIODS, [], "audit_retention {}: the row and its entry on the log differ, or one is gone"),
            (_VALUES, [], "audit_payload {}: a value that no entry commits to"),
        ):
            cursor.execute(statement, given)
            if row := cursor.fetchone():
                raise Finding(TAMPERED, words.format(row[0]))


def unsealed(older: timedelta) -> int | None:
    """The id of the first entry that nobody has sealed for so long."""
    with connection.cursor() as cursor:
        low_water = Checkpoint.objects.order_by("pk").values_list("low_water", flat=True).last() or 0
        cursor.execute(_UNSEALED, [low_water, older.total_seconds()])
        row = cursor.fetchone()
    return row[0] if row else None


def triggers() -> None:
    """Every trigger of ours is on for every kind of session.

    Raises:
        Finding: naming them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGERS)
        found = {(table, name): mode for table, name, mode in cursor.fetchall()}
    wanted = [(table, name) for table in APPEND_ONLY for name in ("append_only", "never_truncated")]
    wanted += [(table, "follows") for table in FOLLOWING]
    gone = [key for key in wanted if key not in found]
    off = [key for key, mode in found.items() if mode != "A"]
    if wrong := sorted(gone + off):
        said = ", ".join(f"{table}.{name}" for table, name in wrong)
        raise Finding(TAMPERED, f"triggers that hold the log are gone or not ALWAYS on: {said}")
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname::text, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
        bodies = dict(cursor.fetchall())
    if other := [name for name, body in _functions() if bodies.get(name) != body]:
        raise Finding(TAMPERED, f"functions that hold the log are gone or not ours: {', '.join(other)}")


def _functions() -> list[tuple[str, str]]:
    """Name and body of each function of this app's SQL, but for those that name a sign-in of the installation."""
    texts = (path.read_text() for path in sorted((Path(__file__).parent / "sql").glob("*.sql")))
    return [(name, body) for text in texts for name, body in _FUNCTION.findall(text) if "@" not in body]
