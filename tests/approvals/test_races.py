"""Two people at the same moment: one wins, the other is told. Each race has its own test."""

import os
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from approvals import decisions, execution, gate, revising
from approvals.models import Decision, Proposal, Receipt
from approvals.state import State
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import sign_in

ROUNDS = int(os.environ.get("RACE_ROUNDS", "25"))
STOPS = int(os.environ.get("RACE_STOPS", str(ROUNDS)))
Record = Callable[[str, object], None]
pytestmark = pytest.mark.timeout(900)  # as often as the design asks for, it takes minutes


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run them in threads that start together; what each came to, by name of the result or exception."""
    barrier, results = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        connection.settings_dict = dict(connection.settings_dict)  # Django shares it between threads
        sign_in(getattr(act, "role", "web"))
        barrier.wait()
        try:
            results[number] = str(act())
        except decisions.DecisionError as error:
            results[number] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def as_apply(act: Callable[[], object]) -> Callable[[], object]:
    """An act of the apply process: its thread signs in under that role."""

    def under_role() -> object:
        return act()

    under_role.role = "apply"  # type: ignore[attr-defined]
    return under_role


def proposal_of(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def decide(cast: Cast, row: Proposal, name: str, how: str = "approve") -> Callable[[], object]:
    seen = steps.seen(row)

    def act() -> object:
        with workspace.within(cast.ws, cast.id(name)) as now:
            common = {
                "workspace": cast.ws,
                "proposal": row.pk,
                "seen": seen,
                "person": cast.id(name),
                "now": now,
            }
            match how:
                case "approve":
                    return decisions.approve(**common).state  # type: ignore[arg-type]
                case "reject":
                    return decisions.reject(**common, reason="other", note="").state  # type: ignore[arg-type]
                case "edit":
                    return revising.edit(**common, args={"priority": "P2"}).state  # type: ignore[arg-type]
                case "withdraw":
                    return decisions.withdraw(**common).state  # type: ignore[arg-type]
                case _:
                    return decisions.stop(**common).state  # type: ignore[arg-type]

    return act


def test_two_approvers_at_once_one_wins_and_the_other_is_told(cast: Cast, record_property: Record) -> None:
    record_property("tried", ROUNDS)
    outcomes: Counter[tuple[str, ...]] = Counter()
    for _ in range(ROUNDS):
        row = proposal_of(cast)
        outcomes[tuple(sorted(at_once(decide(cast, row, "rosa"), decide(cast, row, "ravi"))))] += 1
        with workspace.within(cast.ws):
            assert Decision.objects.filter(proposal=row).count() == 1
            assert Entry.objects.filter(subject=f"proposal:{row.pk}", state="approved").count() == 1
    assert outcomes == {("Gone", "approved"): ROUNDS}


@pytest.mark.parametrize("other", ["reject", "edit", "withdraw"])
def test_approve_against_another_decision_leaves_exactly_one_of_them(
    cast: Cast, other: str, record_property: Record
) -> None:
    record_property("tried", ROUNDS // 3)
    by = "mara" if other == "withdraw" else "ravi"
    for _ in range(ROUNDS // 3):
        row = proposal_of(cast)
        results = at_once(decide(cast, row, "rosa"), decide(cast, row, by, other))
        ended = results.count("Gone")
        # What was just approved may still be withdrawn; then both were done, one after the other.
        assert ended == 1 or (other == "withdraw" and results == ["approved", "withdrawn"]), results


def test_a_double_click_is_one_vote(cast: Cast) -> None:
    row = proposal_of(cast)
    results = at_once(*(decide(cast, row, "rosa") for _ in range(4)))
    assert sorted(results) == ["Gone", "Gone", "Gone", "approved"]
    with workspace.within(cast.ws):
        assert Decision.objects.filter(proposal=row).count() == 1


def test_stop_against_dispatch_is_decided_by_one_row_lock(cast: Cast, record_property: Record) -> None:
    record_property("tried", STOPS)
    ends: Counter[tuple[str, str]] = Counter()
    for _ in range(STOPS):
        row = steps.approve(cast, proposal_of(cast), "rosa")
        dispatch = as_apply(lambda row=row: execution.apply(workspace=cast.ws, proposal=row.pk))
        stopped = at_once(decide(cast, row, "rosa", "stop"), dispatch)[0]
        ends[stopped, steps.fresh(cast, row).state] += 1
    assert set(ends) <= {("Gone", State.APPLIED), ("pending", State.PENDING)}, ends


def test_the_same_message_five_times_at_once_is_one_effect(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order)
    row = steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    steps.approve(cast, row, "rosa")
    at_once(*(as_apply(lambda: execution.apply(workspace=cast.ws, proposal=row.pk)) for _ in range(5)))
    with workspace.within(cast.ws):
        assert models.Payment.objects.filter(type="refund").count() == 1
        assert Receipt.objects.count() == 1


def test_two_gates_at_once_make_one_proposal_of_the_same_request(cast: Cast) -> None:
    target = steps.ticket(cast)
    twins = [steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P1"}) for _ in range(2)]
    at_once(*(as_apply(lambda key=one.pk: gate.pass_through(workspace=cast.ws, submission=key)) for one in twins))
    with workspace.within(cast.ws):
        assert Proposal.objects.count() == 1
