"""The path of a proposal through the door, each process under its own database role."""

import pytest

from approvals import reversal
from approvals.models import Handoff, Proposal
from audit.models import Entry, Unattributed
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_a_ticket_change_is_proposed_approved_applied_and_undone(cast: Cast) -> None:
    target = steps.ticket(cast)
    proposal = steps.propose(cast, target, "ticket.update", target, {"queue": "refunds_returns", "tags": ["kettle"]})
    assert (proposal.state, proposal.people, proposal.tier) == ("pending", 1, "low")
    assert steps.approve(cast, proposal, "rosa").state == "approved"
    assert steps.apply(cast, proposal).state == "applied"
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get()
        assert (ticket.queue.name, ticket.tags, ticket.version) == ("refunds_returns", ["kettle"], 2)
    with workspace.within(cast.ws, cast.id("rosa")):
        row = Proposal.objects.get(pk=proposal.pk)
        content = reversal.undo_preview(proposal=row).content
        submission = reversal.undo(proposal=row, person=cast.id("rosa"), seen_content=content, key="undo-1")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        undo = Proposal.objects.get(submission=submission)
        assert undo.state == "approved"
    assert steps.apply(cast, undo).state == "applied"
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get()
        assert (ticket.queue, ticket.tags) == (None, [])
        events = list(
            Entry.objects.filter(subject=f"proposal:{proposal.pk}").order_by("version").values_list("event", flat=True)
        )
        assert events == ["proposal.proposed", "proposal.approved", "proposal.applying", "proposal.applied"]
        assert not Unattributed.objects.exists()


def test_a_refund_moves_money_and_status_together(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    proposal = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    steps.approve(cast, proposal, "rosa")
    assert steps.apply(cast, proposal).state == "applied"
    with workspace.within(cast.ws):
        row = models.Order.objects.get()
        assert row.status == "return requested"
        assert [(p.type, p.amount_minor) for p in row.payments.order_by("seq")] == [
            ("payment", 4510),
            ("refund", 4510),
        ]


def test_above_the_cap_an_agent_ends_in_a_handoff_with_the_amount(cast: Cast) -> None:
    order = steps.order(cast, amount=90_000)
    target = steps.ticket(cast, customer="cu-1")
    submission = steps.submit_as_agent(
        cast,
        target,
        "refund.create",
        f"order:{order}",
        steps.refund_args(order, amount=90_000),
        agent="refunds",
    )
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get()
        assert handoff.reason == "over_cap"
        assert handoff.found["amount_minor"] == 90_000
        assert not Proposal.objects.exists()
