"""Cases 1 to 6 on our own books: workers and web die at any point, messages come five times, never, or for nothing."""

import time

import pytest

from approvals import outbox, proposals
from approvals.models import Outbox, Proposal
from audit.models import Entry
from portal import workspace
from tests.cast import Cast
from tests.faults import web, work
from tests.faults.conftest import Figures
from tests.faults.ground import WORKERS, Ground, until

BOOKS = ("apply.before_write", "apply.after_write", "apply.before_commit", "apply.after_commit", "gate.before_commit")
GROUPS = 3


def proposal(cast: Cast, pk: int) -> Proposal:
    with workspace.within(cast.ws):
        return Proposal.objects.get(pk=pk)


@pytest.mark.short
def test_01_a_worker_killed_at_each_point_of_a_write_to_our_own_books(
    ground: Ground, cast: Cast, figures: Figures
) -> None:
    markers = {point: ground.marker() for point in BOOKS}
    # Each once, in whichever worker comes there first, also one that was started again.
    plan = ",".join(f"{point}=kill@{marker}" for point, marker in markers.items())
    with ground.environment_of(FAILPOINTS=plan):
        ground.up(*WORKERS, "beat")
        submissions = [make(cast) for _ in range(4) for make in (work.submit_refund, work.submit_update)]
        ids = work.gated(cast, submissions)
        work.in_threads(lambda one: work.approve(cast, one), ids)
        until(lambda: all(marker.exists() for marker in markers.values()), 60)
        figures.took(work.applied(cast, ids, 90))
    figures.tried += len(markers)
    assert sum("worker-apply" in said for said in ground.said) >= len(markers)


def test_02_the_whole_group_of_workers_killed_at_once(ground: Ground, cast: Cast, figures: Figures) -> None:
    with ground.environment_of(FAILPOINTS="apply.after_write=sleep:0.4"):  # so that some are always in the middle
        ground.up(*WORKERS, "beat")
        ids = work.gated(cast, [work.submit_refund(cast) for _ in range(24)])
        work.in_threads(lambda one: work.approve(cast, one), ids)
        for _ in range(GROUPS):
            until(lambda: work.states(cast, ids).get("applied", 0) % 24 != 0, 30)
            ground.kill(*WORKERS, "beat")
            figures.tried += 1
            before = work.states(cast, ids).get("applied", 0)
            figures.took(until(lambda before=before: work.states(cast, ids).get("applied", 0) > before, 90))
        work.applied(cast, ids, 90)


@pytest.mark.short
def test_03_web_dies_between_its_commit_and_the_message(ground: Ground, cast: Cast, figures: Figures) -> None:
    marker = ground.marker()
    with ground.environment_of(FAILPOINTS=f"outbox.before_publish=kill@{marker}"):
        ground.start("web")
        ground.until_web_answers()
    ground.start(*WORKERS, "beat")
    ground.supervise()
    (pk,) = work.gated(cast, [work.submit_refund(cast)])
    answer = web.program(ground.base, cast, "rosa").approve(cast, proposal(cast, pk))
    assert (answer.status, marker.exists()) == (0, True)  # nobody was answered, and nobody was told
    took = work.applied(cast, [pk], 20)
    figures.tried, _ = 1, figures.took(took)
    assert took <= 5
    again = web.program(ground.base, cast, "rosa")
    until(lambda: again.get("/healthz").status == 200, 20)


def test_04_the_same_message_five_times_at_once(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.start("worker-apply")
    ids = work.gated(cast, [work.submit_refund(cast) for _ in range(20)])
    ground.down()
    work.in_threads(lambda one: work.approve(cast, one), ids)
    for _ in range(4):
        for pk in ids:
            outbox.send(proposals.APPLY, "apply", cast.ws, pk)
    ground.start(*WORKERS, "worker-apply-c")
    work.applied(cast, ids, 30)
    until(lambda: work.queued() == 0, 30)
    figures.tried = 5 * len(ids)


def test_05_a_message_for_a_row_that_was_rolled_back(ground: Ground, cast: Cast, figures: Figures) -> None:
    for task in (proposals.GATE, proposals.APPLY, proposals.SETTLE, "approvals.tasks.reconcile"):
        outbox.send(task, "apply", cast.ws, 10**12)
        outbox.send(task, "apply", 10**9, 10**12)
        figures.tried += 2
    ground.start("worker-apply", "beat")
    (pk,) = work.gated(cast, [work.submit_refund(cast)])
    work.approve(cast, pk)
    figures.took(work.applied(cast, [pk], 30))
    with workspace.within(cast.ws):
        assert not Outbox.objects.filter(object_id=10**12).exists()


def test_06_work_that_kills_its_worker_dies_alone(ground: Ground, cast: Cast, figures: Figures) -> None:
    ground.start("worker-apply")
    ids = work.gated(cast, [work.submit_refund(cast) for _ in range(6)])
    ground.down()
    poison, others = ids[0], ids[1:]
    with ground.environment_of(FAILPOINTS=f"apply.before_write[{poison}]=kill"):
        ground.up(*WORKERS, "beat")
        started = time.monotonic()
        work.in_threads(lambda one: work.approve(cast, one), ids)
        work.applied(cast, others, 60)
        until(lambda: work.states(cast, [poison]) == {"failed": 1}, 90)
        figures.took(time.monotonic() - started)
    died = [said for said in ground.said if "worker-apply" in said]
    figures.tried = len(died)
    assert len(died) == 3, ground.said
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="work.died", subject__endswith=f":{poison}").count() == 1
