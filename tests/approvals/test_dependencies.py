"""A reply that announces a refund is never sent without it, and nothing passes by itself that must not."""

from typing import Any

import pytest

from approvals import decisions, execution, revising, thresholds
from approvals.models import CapUse, Handoff, Outbox, Proposal
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def pair(cast: Cast) -> tuple[Proposal, Proposal]:
    """A refund and the reply that announces it, out of one run."""
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-reply", actor="system:test", now=now, action="ticket.reply",
            tier="medium", people="one", hold_seconds=0, fresh_minutes=480,
        )  # fmt: skip
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    run = steps.begin_run(cast, target, "refunds")
    args = steps.refund_args(order)
    first = steps.submit_as_agent(
        cast, target, "refund.create", f"order:{order}", args, agent="refunds", key="refund", run=run
    )
    reply = {"body": "Your refund of 45.10 EUR is on its way.", "clauses": []}
    second = steps.submit_as_agent(
        cast, target, "ticket.reply", target, reply, agent="refunds", key="reply", run=run, depends_on=("refund",)
    )
    steps.pass_gate(cast, second)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=first), Proposal.objects.get(submission=second)


def sent(cast: Cast) -> int:
    with workspace.within(cast.ws):
        return models.Message.objects.filter(sender="staff").count()


def decide(cast: Cast, proposal: Proposal, how: str, **more: Any) -> Proposal:
    row = steps.fresh(cast, proposal)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        return getattr(revising if how in ("edit", "redo") else decisions, how)(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), now=now, **more
        )  # type: ignore[no-any-return]  # one of the decisions, all of which return a proposal


def settle(cast: Cast, proposal: Proposal) -> None:
    with signed_in("apply"):
        execution.settle(workspace=cast.ws, proposal=proposal.pk)


def test_an_approved_reply_waits_for_its_refund(cast: Cast, pair: tuple[Proposal, Proposal]) -> None:
    refund, reply = pair
    steps.approve(cast, reply, "rosa")
    assert steps.apply(cast, reply).state == "approved"
    assert sent(cast) == 0
    steps.approve(cast, refund, "rosa")
    steps.apply(cast, refund)
    assert steps.apply(cast, reply).state == "applied"
    assert sent(cast) == 1


def test_a_reply_goes_stale_when_its_refund_is_rejected(cast: Cast, pair: tuple[Proposal, Proposal]) -> None:
    refund, reply = pair
    steps.approve(cast, reply, "rosa")
    decide(cast, refund, "reject", reason="against_policy", note="")
    settle(cast, refund)
    assert steps.fresh(cast, reply).state == "stale"
    with workspace.within(cast.ws):
        assert not Outbox.objects.filter(object_id__in=[refund.pk, reply.pk]).exists()
        assert set(CapUse.objects.filter(proposal=refund).values_list("released", flat=True)) == {True}


def test_a_reply_goes_stale_when_its_refund_was_edited(cast: Cast, pair: tuple[Proposal, Proposal]) -> None:
    """It names the revision it was written for."""
    refund, reply = pair
    with workspace.within(cast.ws):
        args = dict(refund.revisions.get().args) | {"reason": "It leaks."}
    decide(cast, refund, "edit", args=args)
    assert decide(cast, reply, "approve").state == "stale"
    assert sent(cast) == 0


def test_a_reply_is_not_proposed_where_its_refund_was_not(cast: Cast) -> None:
    order = steps.order(cast, amount=90_000)
    target = steps.ticket(cast, customer="cu-1")
    run = steps.begin_run(cast, target, "refunds")
    args = steps.refund_args(order, amount=90_000)
    steps.submit_as_agent(cast, target, "refund.create", f"order:{order}", args, agent="refunds", key="refund", run=run)
    reply = steps.submit_as_agent(
        cast, target, "ticket.reply", target, {"body": "It is on its way."}, agent="refunds", key="reply", run=run,
        depends_on=("refund",),
    )  # fmt: skip
    steps.pass_gate(cast, reply)
    with workspace.within(cast.ws):
        assert not Proposal.objects.exists()
        assert Handoff.objects.get().reason == "over_cap"


@pytest.mark.parametrize(
    ("action", "confidence", "flags", "state"),
    [
        ("ticket.update", 0.95, (), "approved"),
        ("ticket.update", 0.79, (), "pending"),
        ("ticket.update", 0.95, ("injection",), "pending"),
        ("ticket.reply", 0.99, (), "pending"),
    ],
)
def test_only_what_is_sure_unflagged_and_reversible_passes_by_itself(
    cast: Cast, action: str, confidence: float, flags: tuple[str, ...], state: str
) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="alone", actor="system:test", now=now, action=action, tier="low",
            people="automatic", proposer_kind="agent",
        )  # fmt: skip
    target = steps.ticket(cast)
    args = {"priority": "P1"} if action == "ticket.update" else {"body": "Hello."}
    proposal = steps.propose(cast, target, action, target, args, confidence=confidence, flags=flags)
    assert proposal.state == state
    if state == "approved":
        assert steps.apply(cast, proposal).state == "applied"


def test_nothing_passes_by_itself_by_default(cast: Cast) -> None:
    target = steps.ticket(cast)
    assert steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}, confidence=1).state == "pending"
