"""Sealing: every entry becomes one leaf, however its transaction ends, and nothing else ever does."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import log, notes, sealing, tree
from audit.events import Event
from audit.models import Checkpoint, Entry, Leaf, Node
from audit.tiles import Missing, Tiles
from portal import workspace
from tests.audit.seals import SIGNER, prove
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in

SECONDS = 4


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def write(ws: int, name: str, entries: int = 1) -> None:
    with workspace.within(ws) as now:
        put(ws, name, entries, now)


def put(ws: int, name: str, entries: int, now: Any) -> None:
    for number in range(entries):
        log.record(
            workspace=ws, subject=f"{name}:{number}", version=1, event=Event.BOOKS_IMPORTED, actor="system:test",
            now=now,
        )  # fmt: skip


def drain(sealer: sealing.Sealer, batch: int = 200) -> int:
    """Step until nothing is left."""
    total = 0
    while made := sealer.step(batch=batch):
        total += made
    return total


class Elsewhere:
    """A transaction of a connection of its own, as web; it ends when it is told to."""

    def __init__(self, ws: int, name: str) -> None:
        self._ready, self._ends = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ws, name))
        self._thread.start()
        assert self._ready.wait(20)

    def _run(self, ws: int, name: str) -> None:
        try:
            with workspace.within(ws) as now:
                put(ws, name, 1, now)
                self._ready.set()
                self._ends.wait(60)
        finally:
            connection.close()

    def commit(self) -> None:
        self._ends.set()
        self._thread.join()

    def __enter__(self) -> "Elsewhere":
        return self

    def __exit__(self, *_: object) -> None:
        self.commit()


def test_every_entry_is_sealed_once_in_batches_and_the_root_is_that_of_all(cast: Cast) -> None:
    write(cast.ws, "many", 700)
    with signed_in("sealer"):
        made = drain(sealing.Sealer(SIGNER), batch=300)
        assert made >= 700
        sealed = prove()
        assert sealed.missed == 0
        assert drain(sealing.Sealer(SIGNER)) == 0
        assert prove() == sealed


def test_an_entry_that_commits_late_below_others_is_not_missed(cast: Cast) -> None:
    with Elsewhere(cast.ws, "late") as late:
        write(cast.ws, "early", 5)
        with signed_in("sealer"):
            sealer = sealing.Sealer(SIGNER, heartbeat=timedelta(0))
            drain(sealer)
            for _ in range(3):  # as often as it takes for a mark to move where it may
                sealer.step()
            assert prove().missed == 0  # nobody sees the late one yet
            mark = Checkpoint.objects.latest("pk").low_water
            late.commit()
            assert drain(sealer) == 1
            entry = Entry.objects.get(workspace_id=cast.ws, subject="late:0")
            assert mark < entry.pk
            assert entry.leaf.index == Leaf.objects.count() - 1
            assert Leaf.objects.get(entry__workspace_id=cast.ws, entry__subject="early:4").entry_id > entry.pk
            for _ in range(3):
                sealer.step()
            newest = Entry.objects.filter(workspace_id=cast.ws).latest("pk")
            assert Checkpoint.objects.latest("pk").low_water == newest.pk  # and then it moves


def test_eight_writers_out_of_order_lose_nothing_and_wait_less_than_two_seconds(cast: Cast) -> None:
    ends, written, began = threading.Event(), [0] * 8, threading.Barrier(9)

    def writes(me: int) -> None:
        luck = random.Random(me)
        try:
            connection.ensure_connection()
            began.wait(20)
            while not ends.is_set():
                with workspace.within(cast.ws) as now:
                    put(cast.ws, f"out-{me}-{written[me]}", 1, now)
                    time.sleep(luck.uniform(0, 0.03))
                    if luck.random() < 0.1:
                        transaction.set_rollback(True)
                        continue
                written[me] += 1
        finally:
            connection.close()

    writers = [threading.Thread(target=writes, args=(me,)) for me in range(8)]
    for writer in writers:
        writer.start()
    began.wait(20)
    with signed_in("sealer"):
        sealer, until = sealing.Sealer(SIGNER), time.monotonic() + SECONDS
        while time.monotonic() < until:
            sealer.step()
            time.sleep(0.05)
        ends.set()
        for writer in writers:
            writer.join()
        drain(sealer)
        assert prove().missed == 0
        mine = Leaf.objects.filter(entry__workspace_id=cast.ws, entry__subject__startswith="out-")
        assert mine.count() == sum(written) > 100
        ids = list(mine.order_by("index").values_list("entry_id", flat=True))
        assert ids != sorted(ids)  # they did commit out of order, or this tried nothing
        assert longest_wait(cast.ws) < 2


def longest_wait(ws: int) -> float:
    """Seconds from the beginning of an entry's transaction to the first checkpoint over it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max((SELECT min(c.at) FROM audit_checkpoint c WHERE c.size > l.index) - e.at))"
            " FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id"
            " WHERE e.workspace_id = %s AND e.subject LIKE 'out-%%'", [ws]
        )  # fmt: skip
        return float(cursor.fetchone()[0])


def test_a_step_that_dies_leaves_nothing_half_done(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        before = prove()
    write(cast.ws, "again", 300)
    with signed_in("sealer"):
        sealer = sealing.Sealer(SIGNER)
        with monkeypatch.context() as broken:
            broken.setattr(notes, "sign", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                sealer.step()
        assert (Leaf.objects.count(), Checkpoint.objects.latest("pk").size) == (before.size, before.size)
        assert drain(sealer) >= 300
        assert prove().missed == 0


def test_a_connection_that_is_cut_is_made_anew_and_leads_again(cast: Cast) -> None:
    with signed_in("sealer"):
        sealer = sealing.Sealer(SIGNER)
        drain(sealer)
        with connection.cursor() as cursor, pytest.raises(DatabaseError):
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        connection.close()
        assert drain(sealer) == 0
        assert prove().missed == 0


def test_while_one_leads_another_steps_aside_and_then_takes_over(cast: Cast) -> None:
    taken, ends = threading.Event(), threading.Event()

    def leads() -> None:
        try:
            assert sealing.Sealer(SIGNER).step() is not None
            taken.set()
            ends.wait(30)
        finally:
            connection.close()

    write(cast.ws, "for-either")
    with signed_in("sealer"):
        first = threading.Thread(target=leads)
        first.start()
        assert taken.wait(20)
        second = sealing.Sealer(SIGNER)
        write_as_web(cast.ws)
        with signed_back("sealer"):
            assert second.step() is None
            ends.set()
            first.join()
            assert second.step() is not None
        assert prove().missed == 0


def write_as_web(ws: int) -> None:
    with signed_in("web"):
        write(ws, "while-two-are-there")


@contextmanager
def signed_back(role: str) -> Iterator[None]:
    sign_in(role)
    yield


def test_an_idle_log_is_signed_again_after_the_heartbeat_and_not_before(cast: Cast) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        count = Checkpoint.objects.count()
        sealing.Sealer(SIGNER).step()
        assert Checkpoint.objects.count() == count
        assert sealing.Sealer(SIGNER, heartbeat=timedelta(0)).step() == 0
        last, before = Checkpoint.objects.order_by("-pk")[:2]
        assert (last.size, bytes(last.root)) == (before.size, bytes(before.root))
        assert last.at > before.at
        signed_at = notes.signed_at(last.note, [SIGNER.verifier])
        assert signed_at is not None
        assert timedelta(0) <= last.at - signed_at < timedelta(seconds=5)


def test_another_key_does_not_sign_on(cast: Cast) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
    write(cast.ws, "next")
    with signed_in("sealer"):
        for other in (notes.Signer(SIGNER.name, bytes(32)), notes.Signer("another/log", SIGNER.seed)):
            with pytest.raises(sealing.TreeDiffers, match="this key"):
                sealing.Sealer(other).step()
        assert drain(sealing.Sealer(SIGNER)) == 1


def test_a_changed_tree_is_not_signed_on(cast: Cast) -> None:
    write(cast.ws, "soon-changed", 3)
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        last = Leaf.objects.latest("index")
    change_leaf(last.index, bytes(32))
    write(cast.ws, "after-that")
    with signed_in("sealer"), pytest.raises(sealing.TreeDiffers, match="no longer hold"):
        sealing.Sealer(SIGNER).step()
    change_leaf(last.index, bytes(last.hash))
    with signed_in("sealer"):
        assert drain(sealing.Sealer(SIGNER)) == 1
        assert prove().missed == 0


def change_leaf(index: int, found: bytes) -> None:
    """As the owner can, who may switch triggers off."""
    with signed_in("owner"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_leaf DISABLE TRIGGER append_only")
        cursor.execute("UPDATE audit_leaf SET hash = %s WHERE index = %s", [found, index])
        cursor.execute("ALTER TABLE audit_leaf ENABLE ALWAYS TRIGGER append_only")


def test_inclusion_and_consistency_are_proved_from_the_tables(cast: Cast) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        before = prove()
    write(cast.ws, "proved", 600)
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER), batch=250)
        after = prove()
        assert Node.objects.filter(level=8).count() == after.size // 256
        for leaf in Leaf.objects.filter(index__in=[0, 1, 255, 256, 511, after.size // 2, after.size - 1]):
            path = tree.inclusion(leaf.index, after.size, Tiles())
            assert tree.includes(bytes(leaf.hash), leaf.index, after.size, path, after.root)
        proof = tree.consistency(before.size, after.size, Tiles())
        assert tree.extends(before.size, after.size, before.root, after.root, proof)
        with pytest.raises(Missing):
            Tiles()(0, after.size)


# The walls in the database ------------------------------------------------------------------------------------


@contextmanager
def refused(state: str) -> Iterator[None]:
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        yield
    assert caught.value.__cause__.sqlstate == state  # type: ignore[union-attr]


def insert_leaf(index: int, entry: int, found: bytes) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO audit_leaf (index, entry_id, hash) VALUES (%s, %s, %s)", [index, entry, found])


def test_leaves_have_no_gap_no_double_and_no_other_hash(cast: Cast) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        size, sealed = Leaf.objects.count(), Leaf.objects.latest("index")
    write(cast.ws, "by-hand", 2)
    with signed_in("sealer"):
        entry, other = Entry.objects.filter(workspace_id=cast.ws, subject__startswith="by-hand").order_by("pk")
        true = tree.leaf_hash(entry.canonical.encode())
        with refused("CS013"):
            insert_leaf(size + 1, entry.pk, true)
        with refused("CS013"):
            insert_leaf(-1, entry.pk, true)
        with refused("CS013"):
            insert_leaf(size, other.pk, true)
        with refused("CS013"):
            insert_leaf(size, 10**15, true)
        with refused("23505"):
            insert_leaf(sealed.index, entry.pk, true)
        with refused("23505"):
            insert_leaf(size, sealed.entry_id, bytes(sealed.hash))
        with transaction.atomic():
            insert_leaf(size, entry.pk, true)
            transaction.set_rollback(True)
        assert drain(sealing.Sealer(SIGNER)) == 2


def test_two_that_write_the_same_leaf_at_once_write_it_once(cast: Cast) -> None:
    """Behind the lock stands the key of the table: a sealer that lost its lock unseen doubles nothing."""
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
    write(cast.ws, "twice", 1)
    outcomes: list[str] = []
    both = threading.Barrier(2)

    def seals() -> None:
        sealer = sealing.Sealer(SIGNER)
        sealer._leads = lambda: True  # type: ignore[method-assign]  # as one that believes it still does
        try:
            connection.ensure_connection()
            both.wait(20)
            outcomes.append(f"sealed {sealer.step()}")
        except IntegrityError:
            outcomes.append("refused")
        finally:
            connection.close()

    with signed_in("sealer"):
        threads = [threading.Thread(target=seals) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(outcomes) in (["refused", "sealed 1"], ["sealed 0", "sealed 1"])
        assert prove().missed == 0


def test_a_checkpoint_covers_every_leaf_and_says_so(cast: Cast) -> None:
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
        last = Checkpoint.objects.latest("pk")

        def put_in(size: int, root: bytes, note: str, low_water: int = last.low_water) -> None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO audit_checkpoint (size, root, note, low_water) VALUES (%s, %s, %s, %s)",
                    [size, root, note, low_water],
                )

        root = bytes(last.root)
        for size, other in ((last.size - 1, root), (last.size + 1, root), (last.size, bytes(32))):
            with refused("CS013"):
                put_in(size, other, notes.sign(notes.Head(SIGNER.name, size, other).text(), SIGNER))
        with refused("CS013"):
            put_in(last.size, root, notes.sign(notes.Head(SIGNER.name, last.size, bytes(32)).text(), SIGNER))
        if last.low_water:
            with refused("CS013"):
                put_in(last.size, root, last.note, last.low_water - 1)
        put_in(last.size, root, last.note)


@pytest.mark.parametrize("table", ["audit_leaf", "audit_node", "audit_checkpoint"])
@pytest.mark.parametrize("role", ["web", "apply", "agents", "sealer", "owner"])
def test_nobody_changes_what_was_sealed(cast: Cast, table: str, role: str) -> None:
    write(cast.ws, "sealed", 256)
    with signed_in("sealer"):
        drain(sealing.Sealer(SIGNER))
    column = "note" if table == "audit_checkpoint" else "hash"
    with signed_in(role), connection.cursor() as cursor:
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"TRUNCATE {table} CASCADE",
        ):
            with refused("CS001" if role == "owner" else "42501"):
                cursor.execute(statement)


def test_the_sealer_alone_writes_the_tree_and_writes_nothing_else(live: None) -> None:
    found = {}
    with connection.cursor() as cursor:
        for role in ("web", "apply", "agents", "sealer", "eval"):
            cursor.execute(
                "SELECT c.relname FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND"
                " (has_any_column_privilege(%s, c.oid, 'INSERT') OR has_any_column_privilege(%s, c.oid, 'UPDATE')"
                " OR has_table_privilege(%s, c.oid, 'DELETE'))", [f"countersign_{role}"] * 3
            )  # fmt: skip
            found[role] = {row[0] for row in cursor.fetchall()}
    tree_tables = {"audit_leaf", "audit_node", "audit_checkpoint", "audit_anchor"}
    # Of entries two kinds, by a policy (test_rotation.py), and what a verification came to, which web may tell as well.
    assert found["sealer"] == {*tree_tables, "audit_entry", "audit_verification"}
    assert not any(found[role] & tree_tables for role in ("web", "apply", "agents", "eval"))
    assert found["web"]
