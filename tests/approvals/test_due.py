"""Relay and sweep go where something is due and nowhere else: their cost does not grow with the workspaces."""

from datetime import timedelta

import pytest

from approvals import claims, outbox, proposals, sweeper, tasks
from approvals.models import Claim, Outbox, Proposal
from portal import models, standing_in, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def proposed(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def swept(cast: Cast) -> bool:
    """Whether a sweep would come by, and none is due after it."""
    with signed_in("apply"):
        due = cast.ws in sweeper.due_in()
        sweeper.visit(cast.ws)
        assert cast.ws not in sweeper.due_in()
    return due


def test_work_that_is_due_brings_the_relay_and_work_for_later_does_not(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        later = now + timedelta(hours=1)
        outbox.put(workspace=cast.ws, task=proposals.SETTLE, queue="apply", object_id=7, not_before=later, now=now)
    with signed_in("apply"):
        assert cast.ws not in outbox.due_in()
        with workspace.within(cast.ws) as now:
            Outbox.objects.filter(object_id=7).update(not_before=now, sent_at=None)
        assert cast.ws in outbox.due_in()
        outbox.visit(cast.ws)
        assert cast.ws not in outbox.due_in(), "said again just now"


def test_a_clock_brings_the_sweep_once(cast: Cast) -> None:
    proposed(cast)
    assert swept(cast)
    assert not swept(cast)


def test_a_lease_that_is_over_brings_the_sweep(cast: Cast) -> None:
    row = proposed(cast)
    swept(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{row.pk}", person=cast.id("rosa"), now=now - timedelta(hours=1))
    assert swept(cast)
    with workspace.within(cast.ws):
        assert Claim.objects.get(item=f"proposal:{row.pk}").person_id is None


def test_an_absence_with_something_in_hand_brings_the_sweep(cast: Cast) -> None:
    row = proposed(cast)
    swept(cast)
    rosa = cast.id("rosa")
    with workspace.within(cast.ws, rosa) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{row.pk}", person=rosa, now=now)
        standing_in.set_out(
            workspace=cast.ws, person=rosa, stand_in=cast.id("ravi"), starts=now, ends=now + timedelta(days=1),
            reason="", actor=rosa, now=now,
        )  # fmt: skip
    assert swept(cast)


def test_a_stray_write_brings_the_sweep(cast: Cast) -> None:
    key = steps.ticket(cast).partition(":")[2]
    with signed_in("apply"), workspace.within(cast.ws):
        models.Ticket.objects.filter(ticket_id=key).update(priority="P1")
    assert swept(cast)


def test_what_is_wrong_in_one_workspace_does_not_hold_up_the_others() -> None:
    seen: list[int] = []

    def visit(number: int) -> None:
        seen.append(number)
        if number == 2:
            raise ValueError(number)

    tasks._in_each([1, 2, 3], visit)
    assert sorted(seen) == [1, 2, 3]
