"""Tickets through real workers and a model server as a process: tiers 1 and 2, a second model, workers killed."""

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import intake
from agents.demo.processes import Processes
from agents.models import Account, ModelCall, Run
from approvals.models import Handoff, Proposal
from portal import models, workspace
from tests.agents.models import LARGE, SMALL, UNSURE, VERIFIER, calls, connect, triage
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.journeys.stories import until
from tests.journeys.test_processes import _expire_lease, _with_failpoint, states, take_in
from tests.modelserver import ModelServer, answer, fixture

pytestmark = pytest.mark.journey
QUOTE = "the thing from last week"
KILLED = ["run.after_lease", "run.before_submit", "model.after_reserve", "model.before_settle", "model.after_settle",
          "run.after_submit"]  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with ModelServer() as running:
        yield running


@pytest.fixture
def cast(live: None, processes: Processes, server: ModelServer) -> Cast:
    cast = gather()
    connect(cast.ws, server.base_url, verifier_model=VERIFIER)
    return cast


def test_an_unsure_ticket_goes_through_both_tiers_and_is_routed_by_a_person(cast: Cast, server: ModelServer) -> None:
    queue = next(iter(intake_queues(cast)))
    server.says(
        fixture(SMALL, answer(triage(queue, quote=QUOTE, confidence=0.5))),
        fixture(LARGE, answer(triage(queue, priority="P2", quote=QUOTE))),
    )
    run = take_in(cast, UNSURE)
    until(lambda: states(cast, run) == ["pending"], 120)  # the workers may still be starting
    with workspace.within(cast.ws):
        proposal = Proposal.objects.get(submission__run=f"run:{run}")
    steps.approve(cast, proposal, "rosa")
    until(lambda: states(cast, run) == ["applied"], 40)
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get(ticket_id=proposal.target.partition(":")[2])
        row = Run.objects.get(pk=run)
        assert (ticket.queue.name if ticket.queue else "", ticket.priority) == (queue, "P2")
        assert [(c.model, c.outcome) for c in calls(cast.ws, run)] == [(SMALL, "answered"), (LARGE, "answered")]
        assert row.cost_micros == sum(call.cost_micros for call in calls(cast.ws, run)) > 0
        assert row.model_version.endswith(LARGE)


def intake_queues(cast: Cast) -> list[str]:
    with workspace.within(cast.ws):
        return list(models.Queue.objects.order_by("name").values_list("name", flat=True))


@pytest.mark.parametrize("word", ["agree", "wrong"])
def test_a_refund_is_looked_at_by_a_second_model(cast: Cast, server: ModelServer, word: str) -> None:
    server.says(fixture(VERIFIER, answer({"verdict": word, "doubts": ["it never came"], "confidence": 0.95})))
    order = steps.order(cast, amount=25_000)
    text = f"Please return the kettle from {order}. I want the money back on card-cu-1 because it leaks."
    line = {
        "id": f"r-{time.monotonic_ns()}",
        "text": text,
        "from_customer_id": "cu-1",
        "from_email": "cu-1@example.com",
    }
    with workspace.within(cast.ws) as now:
        taken = intake.take_in(workspace=cast.ws, agent="refunds", line=line, actor="system:test", now=now)
    run = int(taken.run or 0)

    def ended() -> bool:
        with workspace.within(cast.ws):
            return Handoff.objects.filter(submission__run=f"run:{run}").exists() or "pending" in states(cast, run)

    until(ended, 40)
    with workspace.within(cast.ws):
        found = Counter(Handoff.objects.filter(submission__run=f"run:{run}").values_list("reason", flat=True))
    assert found["verification_failed"] == (word == "wrong")
    assert set(states(cast, run)) == (set() if word == "wrong" else {"pending"})
    assert [call.model for call in calls(cast.ws, run)] == [VERIFIER]


@pytest.mark.parametrize("failpoint", KILLED)
def test_no_call_that_is_on_record_is_paid_for_twice(
    cast: Cast, server: ModelServer, processes: Processes, tmp_path: Path, failpoint: str
) -> None:
    """The worker is killed there, once; the next one goes on from the record."""
    queue, marker = intake_queues(cast)[0], tmp_path / "killed"
    server.says(
        fixture(SMALL, answer(triage(queue, quote=QUOTE, confidence=0.5))),
        fixture(LARGE, answer(triage(queue, quote=QUOTE))),
    )
    _with_failpoint(processes, "worker-agents", f"{failpoint}=kill@{marker}")
    try:
        run = take_in(cast, UNSURE)
        until(marker.exists, 40)
    finally:
        _with_failpoint(processes, "worker-agents", "")
    _expire_lease(cast, run)
    until(lambda: states(cast, run) == ["pending"], 60)
    made, asked = calls(cast.ws, run), Counter(body["model"] for body in server.asked())
    recorded = Counter(call.model for call in made if call.outcome == "answered")
    lost = Counter(call.model for call in made if call.outcome == "lost")
    sent_and_lost = 1 if failpoint == "model.before_settle" else 0
    assert recorded == {SMALL: 1, LARGE: 1}
    assert asked == {SMALL: 1 + sent_and_lost, LARGE: 1}
    assert lost == ({SMALL: 1} if failpoint in ("model.after_reserve", "model.before_settle") else {})
    assert all(call.cost_micros == call.most_money for call in made if call.outcome == "lost")
    with workspace.within(cast.ws):
        day = Account.objects.get(workspace_id=cast.ws, key__startswith="workspace:")
        assert day.money == sum(call.cost_micros for call in made)
        assert not ModelCall.objects.filter(workspace_id=cast.ws, outcome="open").exists()
    print(f"{failpoint}: asked {dict(asked)}, recorded {dict(recorded)}, lost {dict(lost)}")
