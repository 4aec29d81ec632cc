"""Whoever hands it in: bad forms, more than the cap, and a cap split into parts end with a person, never as a write."""

from typing import Any

import pytest

from approvals import proposals, thresholds
from approvals.models import Case, Handoff, Proposal, Submission
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

CAP = thresholds.LIMITS["EUR"][1]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def hand_in(cast: Cast, who: str, ticket: str, payload: Any) -> Submission:
    """By an agent of a run under its own role, or by a person at the web."""
    if who == "agent":
        run = steps.begin_run(cast, ticket, "refunds")
        with signed_in("agents"), workspace.within(cast.ws):
            made = proposals.submit(
                workspace=cast.ws, case=run.case_id, kind="action", proposer="agent:refunds", run=f"run:{run.pk}",
                key="k", payload=payload,
            )  # fmt: skip
    else:
        with workspace.within(cast.ws, cast.id("rosa")):
            made = proposals.submit(
                workspace=cast.ws, case=Case.objects.get(subject=ticket).pk, kind="action",
                proposer=f"person:{cast.id('rosa')}", key=ticket, payload=payload,
            )  # fmt: skip
    steps.pass_gate(cast, made)
    return made


def draft(order: str, **change: Any) -> dict[str, Any]:
    args = {**steps.refund_args(order), **change}
    return {
        "action": "refund.create", "target": f"order:{order}", "args": args, "confidence": 0.99,
        "justification": "Because it is due.", "flags": [], "evidence": [{"claim": "due", "source": f"order:{order}"}],
    }  # fmt: skip


def came(cast: Cast) -> tuple[int, list[str]]:
    with workspace.within(cast.ws):
        assert not models.Payment.objects.filter(type="refund").exists()
        return Proposal.objects.count(), list(Handoff.objects.order_by("pk").values_list("reason", flat=True))


BAD: list[dict[str, Any]] = [
    {"amount_minor": "1e3"}, {"amount_minor": 1e3}, {"amount_minor": -4_510}, {"amount_minor": 4_510.5},
    {"amount_minor": None}, {"amount_minor": [4_510]}, {"currency": "USD"}, {"currency": "EUR "},
    {"approve": True}, {"refund_to": "card-cu-2"}, {"item_ids": "i-1"}, {"item_ids": ["i-1"] * 2},
    {"order_id": "#W0000000"}, {"tool": "refund.create", "then": ["ticket.close"]},
]  # fmt: skip


@pytest.mark.parametrize("who", ["agent", "person"])
def test_50_extra_and_wrong_fields_become_no_refund_whoever_submits(cast: Cast, who: str) -> None:
    order = steps.order(cast)
    for change in BAD:
        ticket = steps.ticket(cast, customer="cu-1")
        hand_in(cast, who, ticket, draft(order, **change))
    made, reasons = came(cast)
    with workspace.within(cast.ws):
        denied = Proposal.objects.filter(state="denied").count()
    assert (made - denied, len(reasons)) == (0, len(BAD))
    hand_in(cast, who, steps.ticket(cast, customer="cu-1"), draft(order))
    assert came(cast)[0] == made + 1


@pytest.mark.parametrize("who", ["agent", "person"])
def test_50_what_is_no_draft_at_all_goes_to_a_person_whoever_submits(cast: Cast, who: str) -> None:
    order = steps.order(cast)
    odd: list[Any] = [
        {}, {"action": "refund.create"}, {**draft(order), "action": "shell.run"}, {**draft(order), "action": ["a"]},
        {**draft(order), "args": '{"amount_minor": 4510'}, {**draft(order), "args": [1]},
        {**draft(order), "target": f"order:{order} OR 1=1"}, {**draft(order), "confidence": "very"},
    ]  # fmt: skip
    for payload in odd:
        hand_in(cast, who, steps.ticket(cast, customer="cu-1"), payload)
    made, reasons = came(cast)
    assert (made, len(reasons)) == (0, len(odd))


@pytest.mark.parametrize("who", ["agent", "person"])
def test_50_one_more_than_the_cap_is_nothing_an_agent_may_propose_and_never_one_persons_to_approve(
    cast: Cast, who: str
) -> None:
    order = steps.order(cast, amount=CAP + 1)
    hand_in(cast, who, steps.ticket(cast, customer="cu-1"), draft(order, amount_minor=CAP + 1))
    assert came(cast) == ((0, ["over_cap"]) if who == "agent" else (1, []))
    with workspace.within(cast.ws):
        assert [row.tier for row in Proposal.objects.all()] == ["high"] * (who == "person")
    exact = steps.order(cast, customer="cu-3", amount=CAP)
    hand_in(cast, who, steps.ticket(cast, customer="cu-3"), draft(exact, amount_minor=CAP, refund_to="card-cu-3"))
    assert came(cast)[0] == 1 + (who == "person")


def test_50_a_cap_split_over_ten_proposals_stays_the_cap(cast: Cast) -> None:
    part = CAP // 3 + 1
    for _ in range(10):
        order = steps.order(cast, amount=part)
        hand_in(cast, "agent", steps.ticket(cast, customer="cu-1"), draft(order, amount_minor=part))
    made, reasons = came(cast)
    assert made * part <= CAP
    assert (made, reasons) == (2, ["daily_cap"] * 8)
    other = steps.order(cast, customer="cu-2", amount=part)
    hand_in(cast, "agent", steps.ticket(cast, customer="cu-2"), draft(other, amount_minor=part, refund_to="card-cu-2"))
    assert came(cast)[0] == 3
