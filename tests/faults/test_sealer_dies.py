"""Cases 19 and 60: the sealer killed anywhere, frozen, doubled, its database gone; writers that commit out of order.

No leaf is missing, none is there twice.
"""

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, connection, transaction

from audit import log
from audit.events import Event
from audit.models import Checkpoint
from portal import env, workspace
from tests.audit.seals import Sealed, prove
from tests.cast import Cast
from tests.conftest import sign_in
from tests.faults.conftest import Figures
from tests.faults.ground import Background, Ground, until
from tests.faults.work import patiently

WRITERS, KILLS, CRASHES = 4, 6, 2
HALF_A_MINUTE, SEALED_WITHIN_SECONDS = 30, 2


def write(cast: Cast, subject: str, luck: random.Random) -> bool:
    """One entry in a transaction of 0 to 30 ms, one in ten of them rolled back; whether it is there."""
    with workspace.within(cast.ws) as now:
        log.record(
            workspace=cast.ws, subject=subject, version=1, event=Event.BOOKS_IMPORTED, actor="system:test", now=now
        )  # fmt: skip
        time.sleep(luck.uniform(0, 0.03))
        if luck.random() < 0.1:
            transaction.set_rollback(True)
            return False
    return True


class Writing:
    """Writers at work; `written` names what was certainly committed."""

    def __init__(self, cast: Cast, writers: int) -> None:
        self._cast, self._writers, self.written = cast, writers, set[str]()

    def act(self, ends: threading.Event) -> None:
        writers = [threading.Thread(target=self._one, args=(me, ends)) for me in range(self._writers)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()

    def _one(self, me: int, ends: threading.Event) -> None:
        luck, number = random.Random(me), 0
        while not ends.is_set():
            number += 1
            try:
                if write(self._cast, f"fault:{me}-{number}", luck):
                    self.written.add(f"fault:{me}-{number}")
            except (DatabaseError, InterfaceError):  # the server is gone for a moment
                connection.close()
                time.sleep(0.2)
        connection.close()


@contextmanager
def writing(cast: Cast, writers: int = WRITERS) -> Iterator[Writing]:
    at_work = Writing(cast, writers)
    with Background(at_work.act):
        yield at_work


def size() -> int:
    """How much is sealed, by the newest checkpoint; asked as web."""
    return patiently(lambda: Checkpoint.objects.order_by("-pk").values_list("size", flat=True).first() or 0)


def grows(seconds: float = 60) -> float:
    """Until something more is sealed; how long it took, in seconds."""
    before = size()
    return until(lambda: size() > before, seconds)


def both_run(ground: Ground) -> None:
    """What was killed was started again, whether or not it is ready."""
    until(lambda: all(process.poll() is None for process in ground.processes.running.values()), 30)


def proved(cast: Cast, written: set[str]) -> Sealed:
    """Every entry is one leaf, also every one that a writer was told is there; the root made anew is the last one."""
    sign_in("sealer")
    try:
        until(lambda: prove().missed == 0, 60, pause=0.5)
        sealed = prove()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT e.subject FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id"
                " WHERE e.workspace_id = %s AND e.subject LIKE 'fault:%%'", [cast.ws]
            )  # fmt: skip
            found = [row[0] for row in cursor.fetchall()]
        assert len(set(found)) == len(found)
        assert written <= set(found)
        assert len(written) > 50
    finally:
        sign_in("web")
    return sealed


@contextmanager
def held_before_its_checkpoint(ground: Ground) -> Iterator[None]:
    """A sealer that has written its leaves waits before it can write their checkpoint."""
    url, owner = ground.addresses.database_url, env.read().user_of("owner")
    with psycopg.connect(url, user=owner) as locks, psycopg.connect(url, user=owner, autocommit=True) as looks:
        locks.execute("LOCK TABLE audit_checkpoint IN SHARE MODE")
        waits = "SELECT FROM pg_locks WHERE relation = 'audit_checkpoint'::regclass AND NOT granted"
        until(lambda: looks.execute(waits).fetchone() is not None, 30)
        yield
        locks.rollback()


@pytest.mark.short
def test_19_the_sealer_killed_in_the_middle_of_a_seal(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.up("sealer")
    with writing(cast) as at_work:
        grows()
        for _ in range(2):
            with held_before_its_checkpoint(ground):
                before = size()
                ground.unwatched()
                ground.kill("sealer")
                figures.tried += 1
            assert size() == before  # what it had written of the next one is gone with it
            ground.supervise()
            figures.took(grows())
    proved(cast, at_work.written)


def test_19_the_sealer_killed_again_and_again_and_two_at_once(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.up("sealer")
    luck = random.Random(19)
    with writing(cast) as at_work:
        grows()
        ground.processes.spawn("sealer-b")
        for turn in range(KILLS):
            time.sleep(luck.uniform(0, 3))  # also before one that was started again has come to lead
            name = ("sealer", "sealer-b")[turn % 2]
            both_run(ground)
            ground.kill(name)
            figures.tried += 1
            figures.took(grows())
        both_run(ground)
        ground.kill("sealer", "sealer-b")
        figures.tried += 2
        figures.took(grows())
    proved(cast, at_work.written)


def test_19_a_sealer_that_stands_still_loses_its_place_and_comes_back(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    ground.start("sealer")
    with writing(cast) as at_work:
        grows()
        ground.start("sealer-b")
        time.sleep(4)  # so that it is there, and waits
        ground.processes.running["sealer"].send_signal(signal.SIGSTOP)
        figures.took(grows(40))
        ground.processes.running["sealer"].send_signal(signal.SIGCONT)
        grows()
        time.sleep(2)
        ground.processes.check()  # neither of them ended over it
        ground.kill("sealer-b")
        figures.took(grows())
        figures.tried += 2
    proved(cast, at_work.written)


def test_19_the_database_crashes_under_the_sealer(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.up("sealer", "sealer-b")
    with writing(cast) as at_work:
        for _ in range(CRASHES):
            grows()
            ground.crash_postgres()
            figures.tried += 1
            figures.took(grows(90))
    proved(cast, at_work.written)


def test_60_eight_writers_out_of_order_for_half_a_minute(ground: Ground, cast: Cast, figures: Figures) -> None:
    before = size()
    ground.up("sealer")
    until(lambda: write(cast, f"before:{time.monotonic_ns()}", random.Random()) and size() > before, 60)
    with writing(cast, writers=8) as at_work:  # it leads now, and is ready
        time.sleep(HALF_A_MINUTE)
    sealed = proved(cast, at_work.written)
    sign_in("sealer")
    late, longest = _out_of_order(cast), _longest_wait(cast)
    sign_in("web")
    figures.tried = len(at_work.written)
    figures.took(longest)
    print(f"{figures.tried} entries, {late} behind a higher id, {sealed.missed} missed, {longest:.2f} s at the longest")
    assert late > 20, "they did not commit out of order: this tried nothing"
    assert sealed.missed == 0
    assert longest < SEALED_WITHIN_SECONDS


def _out_of_order(cast: Cast) -> int:
    """How many entries became leaves behind one of a higher id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT entry_id, max(entry_id) OVER (ORDER BY index) AS highest FROM audit_leaf) l"
            " JOIN audit_entry e ON e.id = l.entry_id WHERE e.workspace_id = %s AND l.entry_id < l.highest", [cast.ws]
        )  # fmt: skip
        return int(cursor.fetchone()[0])


def _longest_wait(cast: Cast) -> float:
    """Seconds from the beginning of an entry's transaction to the first checkpoint over it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM max((SELECT min(c.at) FROM audit_checkpoint c WHERE c.size > l.index) - e.at))"
            " FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id"
            " WHERE e.workspace_id = %s AND e.subject LIKE 'fault:%%'", [cast.ws]
        )  # fmt: skip
        return float(cursor.fetchone()[0])
