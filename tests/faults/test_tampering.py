"""A superuser with every trigger off changes the log: what is found, by which name and exit code, and what is not.

Each change is made in a transaction of a throwaway database, verified there, and rolled back.
"""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg import sql

from agents.evals import throwaway
from audit import verifications
from tests.audit.test_verify import OTHER
from tests.conftest import sign_in
from tests.faults import tampered
from tests.faults.tampered import changed, verified

pytestmark = pytest.mark.short

ENTRY = "WHERE id = (SELECT entry_id FROM audit_leaf WHERE index = 300)"
LEAF, NODE = "WHERE index = 300", "WHERE id = (SELECT min(id) FROM audit_node)"
CHECKPOINT = "WHERE id = (SELECT id FROM audit_checkpoint ORDER BY id OFFSET 2 LIMIT 1)"
VALUE = "WHERE id = (SELECT min(id) FROM audit_payload)"
KEY = "WHERE id = (SELECT key_id FROM audit_payload ORDER BY id LIMIT 1)"
HOLD, PERIOD = "WHERE id = (SELECT min(id) FROM audit_hold)", "WHERE id = (SELECT min(id) FROM audit_retention)"
STAGED = "WHERE id = (SELECT min(id) FROM audit_unattributed)"
SAYS, GONE = "entry 300: the column {} says something else", "entry 300: the entry with the id"
UNACCOUNTED, DIFFER = "a value that no entry commits to", "the row and its entry on the log differ"
OPENED = "what is found where values are opened"

# Column by column: what it is set to, and what is said of it. `None`: it is not found, for the reason given.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "audit_entry.id": ("id + 1000000", ENTRY, GONE),
    **{f"audit_entry.{name}": (f'"{name}" || \'x\'', ENTRY, SAYS.format(name)) for name in
       ("subject", "event", "state", "actor", "case")},
    "audit_entry.trace_id": ("'f'", ENTRY, SAYS.format("trace_id")),
    "audit_entry.workspace_id": ("workspace_id + 1", ENTRY, SAYS.format("workspace")),
    "audit_entry.version": ("version + 900", ENTRY, SAYS.format("version")),
    "audit_entry.at": ("at + interval '1 microsecond'", ENTRY, SAYS.format("at")),
    "audit_entry.canonical": ("replace(canonical, 'system:test', 'system:else')", ENTRY, "entry 300: books:"),
    "audit_leaf.index": ("1000000", LEAF, "entry 300: its leaf is gone"),
    "audit_leaf.entry_id": ("1000000", LEAF, GONE),
    "audit_leaf.hash": ("sha256(hash)", LEAF, "entry 300: books:"),
    "audit_node.id": ("id + 1000000", NODE, "node 8/0"),
    "audit_node.level": ("16", NODE, "node 8/0"),
    "audit_node.index": ("7", NODE, "node 8/0"),
    "audit_node.hash": ("sha256(hash)", NODE, "node 8/0"),
    "audit_checkpoint.id": ("id + 1000000", CHECKPOINT, ""),
    "audit_checkpoint.size": ("size + 1", CHECKPOINT, "is the checkpoint of"),
    "audit_checkpoint.root": ("sha256(root)", CHECKPOINT, "the column root says something else"),
    "audit_checkpoint.note": ("replace(note, E'\\n\\n', E'\\nmore\\n\\n')", CHECKPOINT, "the signature of"),
    "audit_checkpoint.low_water": ("low_water + 100000", CHECKPOINT, "in size or low_water"),
    "audit_checkpoint.at": ("at + interval '2 minutes'", CHECKPOINT, "the column at says something else"),
    "audit_payload.workspace_id": ("workspace_id + 1", VALUE, UNACCOUNTED),
    "audit_payload.entry_id": ("entry_id + 300", VALUE, UNACCOUNTED),
    "audit_payload.name": ("name || 'x'", VALUE, UNACCOUNTED),
    "audit_payload.sealed": ("sealed || 'x'::bytea", VALUE, OPENED),
    "audit_payload.key_id": ("(SELECT max(id) FROM audit_subjectkey)", VALUE, OPENED),
    "audit_payload.salt": ("sha256('x'), value = '\"Berta\"', sealed = NULL, key_id = NULL", VALUE, OPENED),
    "audit_payload.value": ("'\"Berta\"', salt = sha256('x'), sealed = NULL, key_id = NULL", VALUE, OPENED),
    "audit_subjectkey.wrapped": ("wrapped || 'x'::bytea", KEY, OPENED),
    "audit_subjectkey.public": ("sha256(public)", KEY, OPENED),
    "audit_hold.workspace_id": ("workspace_id + 1", HOLD, DIFFER),
    "audit_hold.about": ("'customer:7'", HOLD, DIFFER),
    "audit_hold.placed": ("NOT placed", HOLD, DIFFER),
    "audit_hold.made_by": ("'person:0'", HOLD, DIFFER),
    "audit_hold.created_at": ("created_at + interval '1 second'", HOLD, DIFFER),
    "audit_retention.workspace_id": ("workspace_id + 1", PERIOD, DIFFER),
    "audit_retention.kind": ("'traces'", PERIOD, DIFFER),
    "audit_retention.version": ("version + 1", PERIOD, DIFFER),
    "audit_retention.days": ("days + 1", PERIOD, DIFFER),
    "audit_retention.made_by": ("'person:0'", PERIOD, DIFFER),
    "audit_retention.created_at": ("created_at + interval '1 second'", PERIOD, DIFFER),
    **{f"audit_unattributed.{name}": (f'"{name}" || \'x\'', STAGED, DIFFER) for name in
       ("table", "row", "signed_in_as")},
    "audit_unattributed.operation": ("'insert'", STAGED, DIFFER),
    "audit_unattributed.id": ("id + 1000000", STAGED, DIFFER),
    "audit_unattributed.workspace_id": ("workspace_id + 1", STAGED, DIFFER),
    "audit_unattributed.at": ("at + interval '1 second'", STAGED, DIFFER),
    "audit_unattributed.reported_at": ("NULL", STAGED, DIFFER),
}  # fmt: skip
HEARSAY = "what lies elsewhere is the proof, this row only says that it was put there"
AGAIN = "whoever doubts it verifies again"
NAMED = "it says for whom a key is made; what it sealed still opens, and its entries are what they were"
SETTING = "a number that nothing refers to, and words that the entry committed to"
NOT_FOUND = {
    "audit_entry.xact": "which transaction wrote it counts in that transaction alone",
    "audit_payload.id": "a number that nothing refers to",
    **{f"audit_anchor.{name}": HEARSAY for name in ("id", "checkpoint_id", "where", "outcome", "because", "at")},
    **{f"audit_verification.{name}": AGAIN for name in ("id", "at", "size", "code", "message", "who")},
    **{f"audit_subjectkey.{name}": NAMED for name in ("id", "workspace_id", "about", "created_at")},
    **{f"{table}.{name}": SETTING for table, name in
       (("audit_hold", "id"), ("audit_hold", "reason"), ("audit_retention", "id"))},
}  # fmt: skip


@pytest.fixture(scope="module")
def _log(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    with django_db_blocker.unblock():
        with tampered.filled() as ws:
            yield ws
        sign_in("web")


@pytest.fixture
def ws(_log: int, django_db_blocker: Any) -> Iterator[int]:
    with django_db_blocker.unblock():
        yield _log


def test_57_the_log_is_sound_before_anything_is_changed(ws: int) -> None:
    with transaction.atomic():
        code, said = verified(replay=True)
    assert (code, "sound: 6" in said) == (0, True), said
    assert opened(ws)[0] == 0


def opened(ws: int) -> tuple[int, str]:
    found = verifications.of_values([ws])
    return found.code, found.message


def test_57_every_column_of_every_table_is_known(ws: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name || '.' || column_name FROM information_schema.columns"
                       " WHERE table_schema = 'public' AND table_name LIKE 'audit\\_%'")  # fmt: skip
        there = {row[0] for row in cursor.fetchall()}
    assert there - set(COLUMNS) - set(NOT_FOUND) == set()


@pytest.mark.parametrize("column", COLUMNS)
def test_57_a_column_that_was_changed_is_found_and_named(ws: int, column: str) -> None:
    table, _, name = column.partition(".")
    value, where, named = COLUMNS[column]
    with changed(f'UPDATE {table} SET "{name}" = {value} {where}'):
        code, said = opened(ws) if named == OPENED else verified()
    assert (code, (named if named != OPENED else "audit_payload") in said) == (1, True), said


@pytest.mark.parametrize("column", NOT_FOUND)
def test_57_what_is_not_found_means_nothing_and_is_told(ws: int, column: str) -> None:
    table, _, name = column.partition(".")
    value = {"id": "id + 1000000", "xact": "'7'", "at": "at + interval '1 day'", "size": "size + 1", "code": "1"}
    value |= {"checkpoint_id": "checkpoint_id + 1", "outcome": "'failed'", "workspace_id": "workspace_id + 1"}
    value |= {"created_at": "created_at + interval '1 day'"}
    first = f"WHERE id = (SELECT min(id) FROM {table})"
    with changed(f'UPDATE {table} SET "{name}" = {value.get(name, "$$else$$")} {first}'):
        assert verified()[0] == 0
    docs = (Path(__file__).resolve().parents[2] / "docs/audit.md").read_text()
    limits = docs.partition("## What it cannot show")[2]
    assert f"`{column}`" in limits or f"`{table}`" in limits


AT = {"first": 0, "middle": 300, "last": -1}
DELETED = [
    ("audit_entry", "id IN (SELECT entry_id FROM audit_leaf WHERE index = {})", "{}: the entry with the id", 1),
    ("audit_leaf", "index = {}", "{}: its leaf is gone", 1),
]


@pytest.mark.parametrize("where", AT)
@pytest.mark.parametrize(("table", "which", "named", "code"), DELETED)
def test_57_a_row_that_was_deleted_is_found(ws: int, where: str, table: str, which: str, named: str, code: int) -> None:
    last = size() - 1
    index = AT[where] if AT[where] >= 0 else last
    if table == "audit_leaf" and index == last:
        code, named = 2, f"is over {last + 1} entries, there are {last}"
    with changed(f"DELETE FROM {table} WHERE {which.format(index)}"):
        found, said = verified()
    assert (found, named.format(f"entry {index}") in said) == (code, True), said


def size() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM audit_leaf")
        return int(cursor.fetchone()[0])


REWRITE = (
    "UPDATE audit_entry SET canonical = replace(canonical, 'system:test', 'system:else'), actor = 'system:else' "
    + ENTRY
)
NEWEST = "(SELECT max(size) FROM audit_checkpoint)"
MORE = {
    "the first node is gone": (["DELETE FROM audit_node " + NODE], 1, "node 8/0"),
    "the last node is gone": (["DELETE FROM audit_node WHERE id = (SELECT max(id) FROM audit_node)"], 1, "node 8/1"),
    "a node too many": (["INSERT INTO audit_node (level, index, hash) VALUES (8, 2, sha256(''))"], 1, "node 8/2"),
    "the newest checkpoints are gone": ([f"DELETE FROM audit_checkpoint WHERE size = {NEWEST}"], 1, "leaves out"),
    "every checkpoint is gone": (["DELETE FROM audit_checkpoint"], 2, "no checkpoint"),
    "all is gone but the checkpoints": (["DELETE FROM audit_leaf", "DELETE FROM audit_entry"], 1, "node 8/0"),
    "all is gone but the checkpoints and their mark": (
        ["DELETE FROM audit_leaf", "DELETE FROM audit_entry", "DELETE FROM audit_node"], 2, "there are 0",
    ),
    "a staged row is gone": (["DELETE FROM audit_unattributed " + STAGED], 1, DIFFER),
    "two leaves were swapped": (
        ["UPDATE audit_leaf SET index = -1 WHERE index = 300", "UPDATE audit_leaf SET index = 300 WHERE index = 301",
         "UPDATE audit_leaf SET index = 301 WHERE index = -1"], 1, "one of the entries 300 to",
    ),
    "two entries were swapped": (
        ["UPDATE audit_entry a SET canonical = b.canonical"
         " FROM audit_entry b, audit_leaf l, audit_leaf m WHERE a.id = l.entry_id AND b.id = m.entry_id"
         " AND (l.index, m.index) IN ((300, 301), (301, 300))"], 1, "entry 300: books:",
    ),
    "an entry and its leaf say the same other thing": (
        [REWRITE,
         "UPDATE audit_leaf l SET hash = sha256('\\x00'::bytea || convert_to(e.canonical, 'UTF8')) FROM audit_entry e"
         " WHERE e.id = l.entry_id AND l.index = 300"], 1, "one of the entries 300 to",
    ),
    "a forged entry below the mark": (
        ["INSERT INTO audit_entry (id, workspace_id, subject, version, event, state, actor, \"case\", trace_id, at,"
         " canonical) SELECT -5, workspace_id, 'forged:1', 1, event, state, actor, \"case\", trace_id, at, '{}'"
         " FROM audit_entry " + ENTRY], 1, "id -5 is no leaf and lies below the mark",
    ),
    "a forged entry behind the last": (
        ["INSERT INTO audit_entry (id, workspace_id, subject, version, event, state, actor, \"case\", trace_id, at,"
         " canonical) SELECT 1000000, workspace_id, 'forged:1', 1, event, state, actor, \"case\", trace_id, at, '{}'"
         " FROM audit_entry " + ENTRY,
         "INSERT INTO audit_leaf SELECT max(index) + 1, sha256('\\x00'::bytea || '{}'), 1000000 FROM audit_leaf"],
        1, "leaves out",
    ),
    "a mark above every entry": (
        ["UPDATE audit_checkpoint SET low_water = 1000000 WHERE id = (SELECT max(id) FROM audit_checkpoint)"],
        1, "low_water 1000000 is above every entry",
    ),
    "a checkpoint was replaced by an older one": (
        ["UPDATE audit_checkpoint c SET (size, root, note) = (SELECT size, root, note FROM audit_checkpoint"
         " WHERE size = 100 LIMIT 1) WHERE id = (SELECT max(id) FROM audit_checkpoint)"], 1, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
def test_57_what_was_deleted_swapped_or_forged_is_found(ws: int, name: str) -> None:
    statements, code, named = MORE[name]
    with changed(*statements):
        found, said = verified()
    assert (found, named in said) == (code, True), said


def test_57_what_was_signed_by_another_key_is_found(ws: int) -> None:
    with changed(also=lambda: tampered.sign_anew(OTHER)):
        assert verified()[0] == 4


def test_57_the_owner_of_the_key_rewrites_what_no_anchor_saw_and_nothing_else(ws: int, tmp_path: Path) -> None:
    """The one thing that the log cannot see: docs/audit.md says so."""
    before, after = tampered.anchor(tmp_path / "before", 300), tampered.anchor(tmp_path / "after", 400)
    with changed(REWRITE):
        assert verified()[0] == 1
        tampered.untriggered(also=tampered.sign_anew)
        assert verified()[0] == 0, "whoever holds the database and the key, after the last anchor"
        assert verified(folders=[before])[0] == 0
        code, said = verified(folders=[after])
        assert (code, "another root of the first 400" in said) == (3, True), said


CUT = [
    "DELETE FROM audit_unattributed", "DELETE FROM audit_anchor", "DELETE FROM audit_hold",
    "DELETE FROM audit_retention",
    "DELETE FROM audit_payload WHERE entry_id NOT IN (SELECT entry_id FROM audit_leaf WHERE index < 500)",
    "DELETE FROM audit_entry WHERE id NOT IN (SELECT entry_id FROM audit_leaf WHERE index < 500)",
    "DELETE FROM audit_leaf WHERE index >= 500", "DELETE FROM audit_node WHERE index = 1",
    "DELETE FROM audit_checkpoint WHERE size > 500",
]  # fmt: skip


def test_58_a_log_that_was_cut_off_is_found_by_its_age_and_by_anchors(ws: int, tmp_path: Path) -> None:
    elsewhere = tampered.anchor(tmp_path / "elsewhere", 600)
    with changed(*CUT):
        assert verified()[0] == 0, "in itself it is sound"
        code, said = verified(folders=[elsewhere])
        assert (code, "has seen 600 entries, the log ends at 500" in said) == (3, True), said
        code, said = verified(max_age=timedelta(microseconds=1))
        assert (code, "the newest checkpoint is of" in said) == (2, True), said


def test_58_an_old_dump_that_was_restored_is_found(ws: int, tmp_path: Path) -> None:
    """A copy of the whole database from before the last entries takes its place."""
    name = connection.settings_dict["NAME"]
    connection.close()
    throwaway._as_eval("postgres", sql.SQL(f'CREATE DATABASE {{}} TEMPLATE "{name}"'), f"{name}_old")
    try:
        throwaway.sign_in("web")
        tampered.write(ws, first=tampered.ROUNDS + 1, rounds=5)
        throwaway.sign_in("sealer")
        tampered.seal()
        newest = size()
        elsewhere = tampered.anchor(tmp_path / "elsewhere", newest)
        tampered.become_superuser()
        with transaction.atomic():
            assert verified(folders=[elsewhere])[0] == 0
        connection.close()
        connection.settings_dict["NAME"] = f"{name}_old"
        with transaction.atomic():
            code, said = verified(folders=[elsewhere])
        assert (code, f"has seen {newest} entries" in said) == (3, True), said
    finally:
        connection.close()
        connection.settings_dict["NAME"] = name
        throwaway._drop("postgres", f"{name}_old")


TRIGGERS = [
    ("audit_entry", "append_only"), ("audit_entry", "never_truncated"), ("audit_leaf", "append_only"),
    ("audit_leaf", "never_truncated"), ("audit_leaf", "follows"), ("audit_node", "append_only"),
    ("audit_node", "never_truncated"), ("audit_checkpoint", "append_only"), ("audit_checkpoint", "never_truncated"),
    ("audit_checkpoint", "follows"), ("audit_anchor", "append_only"), ("audit_verification", "append_only"),
    ("approvals_proposal", "checked"), ("approvals_decision", "checked"),
]  # fmt: skip


@pytest.mark.parametrize("how", ["DISABLE TRIGGER {}", "ENABLE REPLICA TRIGGER {}", "ENABLE TRIGGER {}"])
@pytest.mark.parametrize(("table", "name"), TRIGGERS)
def test_58_a_trigger_that_is_off_is_named(ws: int, table: str, name: str, how: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} " + how.format(name))
        code, said = verified()
        transaction.set_rollback(True)
    assert (code, f"{table}.{name}" in said) == (1, True), said


@pytest.mark.parametrize(("table", "name"), TRIGGERS[:10])
def test_58_a_trigger_that_is_gone_is_named(ws: int, table: str, name: str) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TRIGGER {name} ON {table}")
        code, said = verified()
        transaction.set_rollback(True)
    assert (code, f"{table}.{name}" in said) == (1, True), said


def test_58_a_trigger_whose_function_was_replaced_is_named(ws: int) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS"
                           " $$ BEGIN RETURN NEW; END $$")  # fmt: skip
        code, said = verified()
        transaction.set_rollback(True)
    assert (code, "audit_refuse" in said) == (1, True), said
