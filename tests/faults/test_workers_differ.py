"""Cases 15 and 17: a worker whose clock is two hours off, and one that is older than the message it meets."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from approvals import outbox, proposals
from approvals.models import Outbox, Receipt
from portal import broker, workspace
from portal.celery import app
from tests.cast import Cast, gather
from tests.faults import work
from tests.faults.conftest import Figures
from tests.faults.ground import WORKERS, Ground, until

HOLD_SECONDS = 6
SKEWED = str(Path(__file__).parent / "skewed")


@pytest.mark.parametrize("hours", [2, -2])
def test_15_a_worker_whose_clock_is_two_hours_off_changes_nothing(ground: Ground, figures: Figures, hours: int) -> None:
    cast = gather(hold_seconds=HOLD_SECONDS)
    figures.casts.append((cast, None))
    submissions = [make(cast) for _ in range(3) for make in (work.submit_refund, work.submit_update)]
    with ground.environment_of(PYTHONPATH=SKEWED, CLOCK_OFF=str(hours * 3600)):
        assert abs(_clock(ground) - time.time() - hours * 3600) < 60  # the fault is really there
        ground.start("worker-apply")
    ground.start("beat")
    ids = work.gated(cast, submissions)
    for pk in ids:
        work.approve(cast, pk)
    figures.took(work.applied(cast, ids, 60))
    figures.tried = len(ids)
    with workspace.within(cast.ws) as now:
        for receipt in Receipt.objects.select_related("proposal"):
            held = receipt.proposal.hold_until
            assert held is None or held <= receipt.applied_at
            assert now - timedelta(minutes=2) < receipt.applied_at <= now


def _clock(ground: Ground) -> float:
    """What a process of the ground takes the time to be, by both of Python's clocks."""
    asks = "import datetime, time; print(time.time(), datetime.datetime.now(datetime.UTC).timestamp())"
    told = subprocess.run([sys.executable, "-c", asks], env=ground.environment, capture_output=True, check=True)
    one, other = map(float, told.stdout.split())
    assert abs(one - other) < 5
    return one


def test_17_an_old_worker_gives_back_a_message_of_a_newer_version(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.start(*WORKERS)
    ids = work.gated(cast, [work.submit_refund(cast) for _ in range(3)])
    ground.down()
    work.in_threads(lambda one: work.approve(cast, one), ids)
    with app.connection_for_write() as link:
        link.default_channel.client.delete("apply")
    for pk in ids:  # and nothing else tells a worker: no beat is there to say it again
        headers = {"again": False, "v": broker.VERSION + 1}
        app.send_task(proposals.APPLY, args=[cast.ws, pk], queue="apply", retry=False, headers=headers)
    ground.start("worker-apply")
    log = ground.var_dir / "log" / "worker-apply.log"
    until(lambda: "of version" in log.read_text(), 60)
    time.sleep(3)
    assert work.states(cast, ids) == {"approved": 3}
    with ground.module_of("tests.faults.newer"):
        ground.start("worker-apply-b")
    figures.took(work.applied(cast, ids, 60))
    figures.tried = len(ids)


def test_17_a_task_that_an_old_worker_has_never_heard_of_stays_due(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    (pk,) = _one_waiting(ground, cast)
    with workspace.within(cast.ws) as now:
        outbox.put(
            workspace=cast.ws, task="approvals.tasks.of_next_year", queue="apply", object_id=pk, not_before=now, now=now
        )
    ground.start(*WORKERS, "beat")
    until(lambda: _sends(cast, pk) >= 2, 60)
    work.approve(cast, pk)
    figures.took(work.applied(cast, [pk], 60))
    figures.tried = 1
    assert _sends(cast, pk) >= 2
    with workspace.within(cast.ws):
        outbox.done(workspace=cast.ws, task="approvals.tasks.of_next_year", object_id=pk)


def _one_waiting(ground: Ground, cast: Cast) -> list[int]:
    ground.start("worker-apply")
    ids = work.gated(cast, [work.submit_refund(cast)])
    ground.down()
    return ids


def _sends(cast: Cast, pk: int) -> int:
    with workspace.within(cast.ws):
        return Outbox.objects.get(task="approvals.tasks.of_next_year", object_id=pk).sends
