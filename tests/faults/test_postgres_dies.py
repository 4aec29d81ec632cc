"""Cases 10 to 12: PostgreSQL stopped hard again and again, out of connections, out of disk, and choosing a victim."""

import random
import secrets
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from django.db import connection

from approvals import proposals
from approvals.models import Proposal
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.faults import web, work
from tests.faults.conftest import Figures, working_in
from tests.faults.ground import WORKERS, Background, Ground, standing, until
from tests.faults.test_delivery import proposal

CRASH_SECONDS = (5, 20)
PROPOSALS = 300
APPROVALS_A_SECOND = 3
DISK_BYTES = 220_000_000
T = TypeVar("T")


def ids_waiting(ground: Ground, cast: Cast, count: int) -> list[int]:
    """So many refunds at the desk, gated by real workers."""
    submissions = [work.submit_refund(cast) for _ in range(count)]
    ground.up(*WORKERS, "beat")
    return work.gated(cast, submissions, 240)


def crashes(
    ground: Ground, cast: Cast, ids: list[int], figures: Figures, seconds: tuple[float, float], most: int
) -> None:
    """Approve in a thread of its own while the server is crashed again and again, until all is applied."""
    chance = random.Random(7)

    def decide() -> None:
        for one in ids:
            assert work.approve(cast, one) != "pending"
            time.sleep(1 / APPROVALS_A_SECOND)

    with Background(lambda ends: decide()):
        while work.states(cast, ids).get("applied", 0) < len(ids) and figures.tried < most:
            time.sleep(chance.uniform(*seconds))
            done = work.states(cast, ids).get("applied", 0)
            if done == len(ids):
                break
            ground.crash_postgres()
            figures.tried += 1
            figures.took(until(lambda done=done: work.states(cast, ids).get("applied", 0) > done, 90))
    work.applied(cast, ids, 90)
    assert sum("postgres" in said for said in ground.said) == figures.tried


@pytest.mark.timeout(900)
def test_10_postgresql_stopped_hard_while_300_are_approved_and_applied(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    ids = ids_waiting(ground, cast, PROPOSALS)
    crashes(ground, cast, ids, figures, CRASH_SECONDS, most=60)
    assert figures.tried >= 4


@pytest.mark.short
def test_10_postgresql_stopped_hard_while_a_few_are_approved_and_applied(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    crashes(ground, cast, ids_waiting(ground, cast, 24), figures, (1, 3), most=2)
    assert figures.tried == 2


def test_11_no_connection_left_is_503_and_nothing_half_done(ground: Ground, cast: Cast, figures: Figures) -> None:
    web.let_in(cast)
    (pk,) = ids_waiting(ground, cast, 1)
    row = proposal(cast, pk)
    ground.down()
    program = web.program(ground.base, cast, "rosa")
    ground.up("web")
    desk = web.Visitor(ground.base)
    assert desk.sign_in(cast, "mara").status == 200
    connection.close()
    with every_connection(ground) as taken:
        assert taken > 50
        asks = (lambda: program.approve(cast, row), lambda: desk.get("/"), lambda: desk.get("/healthz"))
        refused = [ask() for ask in asks]
    assert [answer.status for answer in refused] == [503, 503, 503], [answer.text[:300] for answer in refused]
    assert refused[0].headers["Content-Type"] == "application/problem+json"
    assert refused[0].headers["Retry-After"] == refused[2].headers["Retry-After"] == "5"
    assert "Traceback" not in "".join(answer.text for answer in refused)
    assert proposal(cast, pk).version == row.version
    figures.took(until(lambda: program.approve(cast, row).status in (200, 409), 30))
    figures.tried = len(refused)
    assert proposal(cast, pk).state == "approved"
    ground.start(*WORKERS)
    work.applied(cast, [pk], 60)


@contextmanager
def every_connection(ground: Ground) -> Iterator[int]:
    """Hold every connection that the server gives to anybody but its administrator."""
    address = f"{ground.addresses.database_url}&user=countersign_web"
    with ExitStack() as held:
        mine: list[int] = []

        def take() -> None:
            while True:
                try:
                    mine.append(held.enter_context(psycopg.connect(address, connect_timeout=5)).info.backend_pid)
                except psycopg.OperationalError:
                    return

        take()
        with psycopg.connect(f"{ground.addresses.database_url}&user=postgres", autocommit=True) as administrator:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'countersign%%'"
            administrator.execute(f"{others} AND pid <> ALL(%s)", [mine])
        time.sleep(0.5)
        take()
        yield len(mine)


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of its own, as root makes one."""
    with tempfile.TemporaryDirectory(prefix="countersign-disk-") as name:
        folder = Path(name)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=755", "tmpfs", name]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            pytest.skip("a disk can only be filled where this user may mount one")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "-l", name], check=False)


def test_11_a_full_disk_is_503_and_recovers_by_itself(
    small_disk: Path, record_property: Callable[[str, object], None], django_db_blocker: object
) -> None:
    with standing(small_disk) as ground, working_in(ground, django_db_blocker):
        seen = Figures(record_property)
        cast = gather()
        seen.casts.append((cast, None))
        submissions = [work.submit_refund(cast) for _ in range(40)]
        ground.up(*WORKERS, "beat")
        ids = work.gated(cast, submissions)
        program = web.program(ground.base, cast, "rosa")
        ground.up(*WORKERS, "beat", "web")
        fill(small_disk / "filler")
        answers = []
        for one in ids[:20]:
            answers.append(answer_to(cast, program, one))
            time.sleep(0.3)
        with pytest.raises(work.LOST_CONNECTION):
            grow(cast)
        connection.close()
        assert {answer.status for answer in answers} <= {200, 503}, [a.text[:200] for a in answers]
        (small_disk / "filler").unlink()
        seen.took(until(lambda: answer_to(cast, program, ids[-1]).status in (200, 409), 120))
        for one in ids:
            work.approve(cast, one)
        seen.took(work.applied(cast, ids, 120))
        seen.tried = len(answers)
        seen.conclude()


def answer_to(cast: Cast, program: web.Visitor, pk: int) -> web.Answer:
    try:
        row = proposal(cast, pk)
    except work.LOST_CONNECTION:
        connection.close()
        return web.Answer(503, "", 0.0)
    return program.approve(cast, row)


def fill(path: Path) -> None:
    """Write until nothing more goes in."""
    with path.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
                file.flush()
        except OSError:
            return


def grow(cast: Cast) -> None:
    """Take in more than the pages that are there can hold."""
    for _ in range(300):
        steps.ticket(cast, text=secrets.token_hex(50_000))


def test_12_a_deadlocks_victim_is_done_once_more(ground: Ground, cast: Cast, figures: Figures) -> None:
    ids = ids_waiting(ground, cast, 4)
    ground.down()
    ground.up("web")
    program = web.program(ground.base, cast, "rosa")
    for pk in ids[:2]:
        row = proposal(cast, pk)
        path = f"/w/{cast.workspace.slug}/api/proposals/{pk}/edit/"
        with workspace.within(cast.ws):
            args = {**row.revisions.get().args, "reason": "It leaks."}
        body = {"revision": row.revision, "digest": row.digest, "args": args}
        answer = against(cast, row, lambda body=body, path=path: program.send(path, body))
        assert (answer.status, proposal(cast, pk).revision) == (200, 2), answer.text
        assert entries(cast, pk) == ["proposal.proposed", "proposal.edited"]
        figures.tried += 1
    ground.down()
    for pk in ids[2:]:
        row = proposal(cast, pk)
        work.approve(cast, pk)
        against(cast, row, lambda: ground.start("worker-apply"))
        figures.took(work.applied(cast, [pk], 60))
        ground.down()
        figures.tried += 1


def against(cast: Cast, row: Proposal, act: Callable[[], T]) -> T:
    """Hold the target while `act` takes the proposal and waits; then ask for the proposal: one of the two must go.

    Who waited first is chosen, and that is `act`.
    """
    came: list[T] = []
    before = deadlocks()
    with Background(lambda ends: came.append(act())), workspace.within(cast.ws):
        proposals.lock_target(cast.ws, row.target)
        until(somebody_waits, 60, pause=0.02)
        proposals.locked(workspace=cast.ws, proposal=row.pk)
    until(lambda: deadlocks() == before + 1, 20)
    return came[0]


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return bool(cursor.fetchone()[0])


def deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def entries(cast: Cast, pk: int) -> list[str]:
    with workspace.within(cast.ws):
        rows = Entry.objects.filter(subject=f"proposal:{pk}").order_by("version")
        return list(rows.values_list("event", flat=True))
