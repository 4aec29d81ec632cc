"""What somebody laid aside, called a manager to, or whose customer wrote since is looked at by itself: in no batch."""

from datetime import timedelta

import pytest

from approvals import asides, conversations
from approvals.models import Proposal
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.test_batches import decide, groups, ids, proposed, seen, states
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def grouped(cast: Cast) -> set[int]:
    return {member.proposal.pk for group in groups(cast) for member in group.members}


def lay_aside(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        asides.snooze(
            workspace=cast.ws, item=f"proposal:{row.pk}", until=now + timedelta(hours=2), person=cast.id("ravi"),
            now=now,
        )  # fmt: skip


def bring_back(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        asides.wake(workspace=cast.ws, item=f"proposal:{row.pk}", person=cast.id("ravi"), now=now)


def call_a_manager(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        asides.escalate(
            workspace=cast.ws, item=f"proposal:{row.pk}", reason="Is this ours?", person=cast.id("ravi"), now=now
        )


def customer_writes(cast: Cast, row: Proposal) -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        ticket = models.Ticket.objects.get(ticket_id=row.target.partition(":")[2])
        conversations.receive(
            workspace=cast.ws, ticket=ticket.external_id, external_id="m-1", text="It works again!", actor="x", now=now
        )


def test_what_is_laid_aside_or_needs_a_manager_or_was_written_to_since_is_in_no_group(cast: Cast) -> None:
    kept, aside, called, written = proposed(cast, 2), *proposed(cast, 3)
    lay_aside(cast, aside)
    call_a_manager(cast, called)
    customer_writes(cast, written)
    assert grouped(cast) == {row.pk for row in kept}


def test_what_came_back_is_offered_again(cast: Cast) -> None:
    rows = proposed(cast, 2)
    lay_aside(cast, rows[0])
    assert groups(cast) == ()
    bring_back(cast, rows[0])
    assert grouped(cast) == {row.pk for row in rows}


def test_what_was_put_apart_between_the_look_and_the_press_is_left_out_and_named(cast: Cast) -> None:
    kept, aside, called, written = proposed(cast, 2), *proposed(cast, 3)
    rows = [*kept, aside, called, written]
    lay_aside(cast, aside)
    call_a_manager(cast, called)
    customer_writes(cast, written)
    answer = decide(cast, seen(rows))
    assert ids(answer.approved) == {row.pk for row in kept}
    assert {line.proposal: line.words for line in answer.changed} == {
        aside.pk: "It was laid aside meanwhile; look at it by itself.",
        called.pk: "A manager was called to it; look at it by itself.",
    }
    assert {line.proposal: line.words for line in answer.refused} == {
        written.pk: "The customer wrote since; look at it by itself."
    }
    assert states(cast, rows) == ["approved"] * 2 + ["pending"] * 3


def test_what_the_newest_revision_answers_goes_together_again(cast: Cast) -> None:
    first, second = proposed(cast, 2)
    customer_writes(cast, first)
    assert groups(cast) == ()
    again = steps.propose(cast, first.target, "ticket.update", first.target, {"priority": "P2"})
    assert again.pk not in {first.pk, second.pk}
    assert grouped(cast) == {second.pk, again.pk}
