"""Work through real workers under their own roles: nothing lost when a message is, nothing twice when one dies."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from agents import intake
from agents.demo.processes import Processes
from agents.models import Run
from approvals import outbox
from approvals.models import Outbox, Proposal, Receipt
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.journeys.stories import until

pytestmark = pytest.mark.journey
TEXT = "Please return the kettle from {order}. I want the money back on card-cu-1 because it leaks."
GONE = 10**12  # no row has this number


@pytest.fixture
def cast(live: None, processes: Processes) -> Cast:
    return gather()


def take_in(cast: Cast, text: str = "My parcel never came, where is it?") -> int:
    with workspace.within(cast.ws) as now:
        taken = intake.take_in(
            workspace=cast.ws, agent="triage", line={"id": f"x-{time.monotonic_ns()}", "text": text},
            actor="system:test", now=now,
        )  # fmt: skip
    return int(taken.run or 0)


def states(cast: Cast, run: int) -> list[str]:
    with workspace.within(cast.ws):
        return list(Proposal.objects.filter(submission__run=f"run:{run}").values_list("state", flat=True))


def test_a_ticket_becomes_a_proposal_by_itself(cast: Cast) -> None:
    run = take_in(cast)
    until(lambda: states(cast, run) == ["pending"], 40)


def test_lost_messages_are_made_up_for_within_five_seconds(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told of the approval; the relay finds the row."""
    run = take_in(cast)
    until(lambda: states(cast, run) == ["pending"], 40)
    with workspace.within(cast.ws):
        proposal = Proposal.objects.get(submission__run=f"run:{run}")
    monkeypatch.setattr(outbox, "send", lambda *args: None)
    steps.approve(cast, proposal, "rosa")
    took = until(lambda: states(cast, run) == ["applied"], 8)
    print(f"lost message: done after {took:.1f} s")
    assert took <= 5


def test_a_message_for_a_row_that_was_rolled_back_does_nothing(cast: Cast, processes: Processes) -> None:
    said = processes.logs / "worker-apply.log"
    begun = said.stat().st_size
    with workspace.within(cast.ws):
        before = set(Entry.objects.values_list("pk", flat=True))
    for task in ("approvals.tasks.apply", "approvals.tasks.gate"):
        outbox.send(task, "apply", cast.ws, GONE)
    run = take_in(cast)
    until(lambda: states(cast, run) == ["pending"], 40)  # behind them in the same queue
    with workspace.within(cast.ws):
        entries = Entry.objects.exclude(pk__in=before).values_list("event", "subject")
        about = [event for event, subject in entries if str(GONE) in subject]
        assert (about, Proposal.objects.count(), Receipt.objects.count()) == ([], 1, 0)
        assert not Outbox.objects.filter(object_id=GONE).exists()
    assert b"Traceback" not in said.read_bytes()[begun:]


APPLY_FAILPOINTS = ["apply.before_write", "apply.after_write", "apply.before_commit", "apply.after_commit"]
RUN_FAILPOINTS = ["run.after_lease", "run.before_submit", "run.after_submit"]


@pytest.mark.parametrize("failpoint", [*APPLY_FAILPOINTS, "gate.before_commit"])
def test_a_worker_killed_while_applying_leaves_one_effect(
    cast: Cast, processes: Processes, tmp_path: Path, failpoint: str
) -> None:
    marker = tmp_path / "killed"
    gates = failpoint.startswith("gate")
    try:
        if gates:
            _with_failpoint(processes, "worker-apply", f"{failpoint}=kill@{marker}")
        order = steps.order(cast)
        target = steps.ticket(cast, customer="cu-1")
        submission = steps.submit_as_agent(
            cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds"
        )
        if gates:
            until(marker.exists, 40)
            _with_failpoint(processes, "worker-apply", "")
        until(lambda: _exists(cast, submission.pk), 40)
        with workspace.within(cast.ws):
            proposal = Proposal.objects.get(submission=submission)
        if not gates:  # of this proposal alone: what other stories left held falls due meanwhile
            _with_failpoint(processes, "worker-apply", f"{failpoint}[{proposal.pk}]=kill@{marker}")
        steps.approve(cast, proposal, "rosa")
        if not gates:
            until(marker.exists, 40)
            _with_failpoint(processes, "worker-apply", "")
        until(lambda: steps.fresh(cast, proposal).state == "applied", 40)
    finally:
        _with_failpoint(processes, "worker-apply", "")
    with workspace.within(cast.ws):
        assert models.Payment.objects.filter(type="refund").count() == 1
        assert Receipt.objects.count() == 1
        assert not Outbox.objects.filter(task="approvals.tasks.apply").exists()
        assert _fold(cast, proposal) == steps.fresh(cast, proposal).state


@pytest.mark.parametrize("failpoint", RUN_FAILPOINTS)
def test_a_run_killed_at_any_point_resumes_and_proposes_once(
    cast: Cast, processes: Processes, tmp_path: Path, failpoint: str
) -> None:
    marker = tmp_path / "killed"
    _with_failpoint(processes, "worker-agents", f"{failpoint}=kill@{marker}")
    try:
        run = take_in(cast)
        until(marker.exists, 40)
    finally:
        _with_failpoint(processes, "worker-agents", "")
    _expire_lease(cast, run)
    until(lambda: states(cast, run) == ["pending"], 40)
    with workspace.within(cast.ws):
        row = Run.objects.get(pk=run)
        assert (row.state, row.steps.count()) == ("done", len({s.name for s in row.steps.all()}))


def _expire_lease(cast: Cast, run: int) -> None:
    """A minute goes by: the lease of the dead worker is over (its row is the agents role's to write)."""
    from tests.conftest import signed_in

    with signed_in("agents"), workspace.within(cast.ws) as now:
        Run.objects.filter(pk=run, state="running").update(lease_until=now - timedelta(seconds=1))


def _exists(cast: Cast, submission: int) -> bool:
    with workspace.within(cast.ws):
        return Proposal.objects.filter(submission=submission).exists()


def _fold(cast: Cast, proposal: Proposal) -> str:
    """The state the entries alone tell."""
    return str(Entry.objects.filter(subject=f"proposal:{proposal.pk}").order_by("version").last().state)  # type: ignore[union-attr]


def _with_failpoint(processes: Processes, name: str, plan: str) -> None:
    """Restart a worker with a failpoint set, or without any."""
    old = processes.running[name]
    if old.poll() is None:
        old.kill()
    old.wait()
    processes.spawn(name, FAILPOINTS=plan)


def test_workers_are_signed_in_as_their_own_roles(cast: Cast) -> None:
    run = take_in(cast)
    until(lambda: states(cast, run) == ["pending"], 40)  # by now each of them has had something to do
    until(lambda: _users() == {"countersign_web", "countersign_agents", "countersign_apply", "countersign_sealer"}, 20)


def _users() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()")
        return {row[0] for row in cursor.fetchall()}
