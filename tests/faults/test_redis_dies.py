"""Cases 7 to 9: Redis killed without its file, frozen for a minute, restarted five times under load."""

import signal
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from approvals.models import Proposal, Pulse
from portal import workspace
from tests.cast import Cast
from tests.faults import web, work
from tests.faults.conftest import Figures
from tests.faults.ground import WORKERS, Background, Ground, until

QUEUED = 200
FROZEN_SECONDS = 60
SLOWEST_SECONDS = 2.0
RESTARTS = 5
EVERY_SECONDS = 4


def wait_for_approvals(ground: Ground, cast: Cast, count: int) -> list[int]:
    """So many refunds that wait for a person, and nobody at work any more."""
    ground.start(*WORKERS)
    ids = work.gated(cast, [work.submit_refund(cast) for _ in range(count)], 120)
    ground.down()
    return ids


def test_07_redis_killed_without_its_file_with_200_queued(ground: Ground, cast: Cast, figures: Figures) -> None:
    ids = wait_for_approvals(ground, cast, QUEUED)
    before = work.queued()
    work.in_threads(lambda one: work.approve(cast, one), ids)
    assert work.queued() - before >= QUEUED  # a message each, and no worker
    ground.crash_redis(keep=False)
    ground.up(*WORKERS, "beat")
    figures.took(work.applied(cast, ids, 120))
    figures.tried = QUEUED


@pytest.fixture
def thawed(ground: Ground) -> Iterator[None]:
    """Whatever happens, Redis is not left frozen."""
    yield
    ground.signal_redis(signal.SIGCONT)


@pytest.mark.timeout(400)
def test_08_redis_frozen_for_a_minute(ground: Ground, cast: Cast, figures: Figures, thawed: None) -> None:
    web.let_in(cast)
    ids = wait_for_approvals(ground, cast, 30)
    ground.up(*WORKERS, "beat", "web")
    program, desk = web.program(ground.base, cast, "rosa"), web.Visitor(ground.base)
    assert desk.sign_in(cast, "mara").url.endswith(f"/w/{cast.workspace.slug}/")
    desk.slowest = 0.0
    ground.signal_redis(signal.SIGSTOP)
    frozen, decided, rounds, answers = time.monotonic(), 0, 0, []
    while time.monotonic() < frozen + FROZEN_SECONDS:
        if decided < len(ids):
            with workspace.within(cast.ws):
                row = Proposal.objects.get(pk=ids[decided])
            answers.append(program.approve(cast, row))
            decided += 1
        answers.append(desk.get(f"/w/{cast.workspace.slug}/"))
        rounds += 1
        if rounds % 5 == 0:  # more in a minute than the limit on sign-ins would be another test
            answers.append(web.Visitor(ground.base).sign_in(cast, "ravi"))
        time.sleep(0.2)
    guessed = [web.Visitor(ground.base).sign_in(cast, "ada", "wrong-password-on-purpose") for _ in range(7)]
    ground.signal_redis(signal.SIGCONT)
    figures.tried = len(answers)
    slowest = max(answers, key=lambda answer: answer.seconds)
    print(f"{len(answers)} requests while Redis was frozen, the slowest took {slowest.seconds:.2f} s: {slowest.url}")
    assert {answer.status for answer in answers} == {200}
    assert slowest.seconds < SLOWEST_SECONDS
    assert "Too many failed" in guessed[-1].text or guessed[-1].status == 429
    figures.took(work.applied(cast, ids, 120))


def test_09_redis_restarted_five_times_under_load(ground: Ground, cast: Cast, figures: Figures) -> None:
    ids = wait_for_approvals(ground, cast, 60)
    ground.up(*WORKERS, "beat")

    def decide() -> None:
        for one in ids:
            work.approve(cast, one)
            time.sleep(0.3)

    with Background(lambda ends: decide()):
        for number in range(RESTARTS):
            time.sleep(EVERY_SECONDS)
            ground.crash_redis(keep=number % 2 == 0)
            ground.revive()
    last = _now()
    figures.took(work.applied(cast, ids, 120))
    figures.tried = RESTARTS
    until(lambda: _answered() > last, 60)  # the canary says that the queue is worked again, not only that it was


def _now() -> datetime:
    with workspace.within(None) as now:
        return now


def _answered() -> datetime:
    return Pulse.objects.get(queue="apply").answered_at or datetime.min.replace(tzinfo=_now().tzinfo)
