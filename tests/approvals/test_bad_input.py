"""Bad input ends in one clear error or in a hand-off that says why; nothing half done, nothing lost."""

from typing import Any

import pytest

from agents import intake
from approvals import decisions, proposals, revising
from approvals.models import Case, Handoff, Proposal, Submission
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


REFUNDS: list[tuple[dict[str, Any], str]] = [
    ({"amount_minor": -1}, "amount_minor"),
    ({"amount_minor": 0}, "amount_minor"),
    ({"amount_minor": 10**30}, "amount_minor"),
    ({"amount_minor": 9_999}, "amount_minor: the records say 45.10 EUR"),
    ({"amount_minor": "1e3"}, "amount_minor"),
    ({"amount_minor": 1e3}, "amount_minor"),
    ({"amount_minor": True}, "amount_minor"),
    ({"currency": "XXX"}, "currency: order"),
    ({"currency": "eur"}, "currency"),
    ({"item_ids": []}, "item_ids"),
    ({"item_ids": ["i-1", "i-1"]}, "item_ids: order"),
    ({"item_ids": ["nothing"]}, "item_ids: order"),
    ({"order_id": "#W0000000"}, "order_id: there is no order"),
    ({"kind": "gift"}, "kind"),
    ({"kind": "cancel", "reason": "no longer needed"}, "kind: order"),
    ({"note": "please"}, "note"),
]


@pytest.mark.parametrize(("change", "names"), REFUNDS)
def test_a_refund_with_a_bad_argument_becomes_a_handoff_that_names_it(
    cast: Cast, change: dict[str, Any], names: str
) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    args = {**steps.refund_args(order), **change}
    submission = steps.submit_as_agent(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        assert not Proposal.objects.exists()
        handoff = Handoff.objects.get()
        assert f": {names}" in handoff.summary, handoff.summary
        assert Submission.objects.get().status == "gated"
        assert not models.Payment.objects.filter(type="refund").exists()


def test_the_order_of_somebody_else_is_denied_by_policy_and_handed_over(cast: Cast) -> None:
    order = steps.order(cast, customer="cu-2")
    target = steps.ticket(cast, customer="cu-1")
    steps.order(cast, customer="cu-1")
    proposal = steps.propose(
        cast,
        target,
        "refund.create",
        f"order:{order}",
        steps.refund_args(order, customer="cu-2"),
        agent="refunds",
    )
    assert proposal.state == "denied"
    with workspace.within(cast.ws):
        assert "does not belong to the customer" in Handoff.objects.get().summary


def test_a_destination_of_somebody_else_is_denied_even_for_a_person(cast: Cast) -> None:
    steps.order(cast, customer="cu-2")
    order = steps.order(cast, customer="cu-1")
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order) | {"refund_to": "card-cu-2"}
    assert steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds").state == "denied"


@pytest.mark.parametrize(
    ("action", "args", "names"),
    [
        ("ticket.update", {"queue": "nowhere"}, "queue: there is no queue 'nowhere'"),
        ("ticket.update", {"priority": "P9"}, "priority"),
        ("ticket.update", {"owner": "me"}, "owner"),
        ("ticket.update", {"tags": ["a\x00b"]}, "tags.0"),
        ("ticket.reply", {"body": "See this.", "clauses": ["NO-1"]}, "clauses: there is no clause 'NO-1'"),
        ("ticket.reply", {"body": "   "}, "body"),
        ("ticket.reply", {"body": "x" * 10_001}, "body"),
        ("ticket.delete", {}, "action: there is no 'ticket.delete'"),
    ],
)
def test_a_ticket_change_with_a_bad_argument_becomes_a_handoff_that_names_it(
    cast: Cast, action: str, args: dict[str, Any], names: str
) -> None:
    target = steps.ticket(cast)
    if "\x00" in str(args.get("tags", [""])[0]):
        with pytest.raises(proposals.NotStorable, match=r"payload\.args\.tags\.0: holds a NUL"):
            steps.submit_as_agent(cast, target, action, target, args)
        return
    steps.pass_gate(cast, steps.submit_as_agent(cast, target, action, target, args))
    with workspace.within(cast.ws):
        assert f": {names}" in Handoff.objects.get().summary
        assert not Proposal.objects.exists()


@pytest.mark.parametrize(
    ("args", "names"),
    [
        ({"priority": "P1", "owner": "me"}, "owner"),
        ({"priority": "urgent"}, "priority"),
        ({"tags": ["\ud800"]}, "tags.0"),
        ({"tags": ["a\x00"]}, "tags.0"),
        ({}, "ticket:"),
    ],
)
def test_an_edit_with_a_bad_field_is_refused_and_changes_nothing(cast: Cast, args: dict[str, Any], names: str) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    with (
        pytest.raises(decisions.BadInput, match=f"^{names}"),
        workspace.within(cast.ws, cast.id("rosa")) as now,
    ):
        revising.edit(
            workspace=cast.ws,
            proposal=row.pk,
            seen=steps.seen(row),
            person=cast.id("rosa"),
            args=args,
            now=now,
        )
    assert steps.fresh(cast, row).version == row.version


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ({"id": "1", "text": "x" * 10_000_000}, "text"),
        ({"id": "1", "text": "a\x00b"}, "text"),
        ({"id": "1", "text": "a\ud800b"}, "text"),
        ({"id": "", "text": "hello"}, "id"),
        ({"id": "1"}, "text"),
        ({"id": "1", "text": 7}, "text"),
    ],
)
def test_a_line_that_cannot_be_taken_in_names_its_field_and_leaves_nothing(
    cast: Cast, line: dict[str, Any], names: str
) -> None:
    from agents.lines import LineError

    with pytest.raises(LineError) as caught, workspace.within(cast.ws) as now:
        intake.take_in(workspace=cast.ws, agent="triage", line=line, actor="system:test", now=now)
    assert names in str(caught.value)
    assert len(str(caught.value)) < 300
    with workspace.within(cast.ws):
        assert not models.Ticket.objects.exists()
        assert not Case.objects.exists()


def test_a_request_of_an_unknown_customer_is_taken_in_all_the_same(cast: Cast) -> None:
    line = {
        "id": "1",
        "from_customer_id": "nobody_1",
        "from_email": "who@example.com",
        "text": "Refund #W1234567",
    }
    with workspace.within(cast.ws) as now:
        taken = intake.take_in(workspace=cast.ws, agent="refunds", line=line, actor="system:test", now=now)
    assert taken.new
