"""Deciding over the API: the very same rules as on the pages."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import Decision, Proposal
from portal import staff, workspace
from portal.models import Role
from tests.api.calls import Caller
from tests.approvals import steps
from tests.approvals.test_customer_wrote import write
from tests.cast import Cast


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"queue": "refunds_returns"})


def seen(proposal: Proposal, **more: Any) -> dict[str, Any]:
    return {"revision": proposal.revision, "digest": proposal.digest, **more}


def test_a_vote_counts_for_the_person_of_the_token(
    cast: Cast, caller: Callable[..., Caller], proposal: Proposal
) -> None:
    answer = caller("rosa", ("decide",)).post(f"proposals/{proposal.pk}/approve/", seen(proposal))
    assert (answer.status_code, answer.json()["state"]) == (200, "approved")
    with workspace.within(cast.ws):
        decision = Decision.objects.get()
    assert (decision.person_id, decision.kind, decision.digest) == (
        cast.id("rosa"),
        "approve",
        proposal.digest,
    )


def test_each_decision_moves_it(cast: Cast, caller: Callable[..., Caller]) -> None:
    mara, order = caller("mara"), steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    refund = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    story = [
        ("approve", {}, "approved"), ("stop", {}, "pending"), ("reject", {"reason": "other"}, "rejected"),
        ("reopen", {}, "pending"),
        ("edit", {"args": {**steps.refund_args(order), "reason": "Asked."}}, "pending"),
        ("withdraw", {}, "withdrawn"),
    ]  # fmt: skip
    for name, more, state in story:
        answer = mara.post(f"proposals/{refund.pk}/{name}/", seen(steps.fresh(cast, refund), **more))
        assert (name, answer.status_code, answer.json().get("state")) == (name, 200, state), answer.content


def test_what_moved_meanwhile_answers_stale(cast: Cast, caller: Callable[..., Caller]) -> None:
    target = steps.ticket(cast)
    first, second = (
        steps.propose(cast, target, "ticket.update", target, {"queue": queue})
        for queue in ("refunds_returns", "fees_billing")
    )
    steps.approve(cast, first, "rosa")
    steps.apply(cast, first)
    answer = caller("rosa").post(f"proposals/{second.pk}/approve/", seen(second))
    assert (answer.status_code, answer.json()["state"]) == (200, "stale")
    again = caller("rosa").post(f"proposals/{second.pk}/redo/", seen(steps.fresh(cast, second)))
    assert again.status_code == 403, "only a manager writes over what somebody changed, and in the browser"


def test_refusals(cast: Cast, caller: Callable[..., Caller], proposal: Proposal) -> None:
    rosa, odile, reader = caller("rosa"), caller("odile", ("cases:read",)), caller("rosa", ("cases:read",))
    path = f"proposals/{proposal.pk}"
    table = [
        (rosa, "approve", seen(proposal, revision=2), 409, ""),
        (rosa, "approve", seen(proposal, digest="0" * 64), 409, ""),
        (rosa, "stop", seen(proposal), 409, ""),
        (rosa, "withdraw", seen(proposal), 403, ""),
        (odile, "approve", seen(proposal), 403, ""),
        (reader, "approve", seen(proposal), 403, ""),
        (rosa, "reject", seen(proposal, reason="because"), 422, "reason"),
        (rosa, "reject", seen(proposal), 422, "reason"),
        (rosa, "edit", seen(proposal, args={"queue": 7}), 422, "queue"),
        (rosa, "edit", seen(proposal, args={"nothing": "x"}), 422, "nothing"),
        (rosa, "approve", {"revision": 1}, 422, "digest"),
        (rosa, "approve", seen(proposal, revision="1"), 422, "revision"),
        (rosa, "approve", seen(proposal, revision=True), 422, "revision"),
        (rosa, "approve", seen(proposal, person=1), 422, "person"),
        (rosa, "approve", [], 422, "body"),
    ]  # fmt: skip
    for who, name, body, status, field in table:
        answer = who.post(f"{path}/{name}/", body)
        assert (answer.status_code, answer.json()["field"]) == (status, field), (name, body, answer.content)
    with workspace.within(cast.ws):
        assert not Decision.objects.exists()
    assert rosa.post(f"{path}/approve/", seen(proposal)).status_code == 200
    assert rosa.post(f"{path}/approve/", seen(proposal)).status_code == 409


def test_an_edit_that_says_how_far_it_read_is_refused_once_the_customer_wrote(
    cast: Cast, caller: Callable[..., Caller], proposal: Proposal
) -> None:
    rosa, path = caller("rosa", ("cases:read", "decide")), f"proposals/{proposal.pk}/"
    assert rosa.get(path).json()["wrote"] == 1
    write(cast, proposal)
    body = seen(proposal, args={"queue": "fees_billing"}, wrote=1)
    refused = rosa.post(f"{path}edit/", body)
    assert (refused.status_code, refused.json()["field"]) == (409, "wrote")
    assert "The customer wrote" in refused.json()["detail"]
    assert "GET" in refused.json()["detail"], "it names the way out"
    assert steps.fresh(cast, proposal).revision == 1
    now = rosa.get(path).json()["wrote"]
    answer = rosa.post(f"{path}edit/", {**body, "wrote": now})
    assert (now, answer.status_code, answer.json().get("revision")) == (2, 200, 2)


def test_an_edit_that_does_not_say_how_far_it_read_is_taken_as_before(
    cast: Cast, caller: Callable[..., Caller], proposal: Proposal
) -> None:
    rosa, path = caller("rosa", ("decide",)), f"proposals/{proposal.pk}/edit/"
    write(cast, proposal)
    body = seen(proposal, args={"queue": "fees_billing"})
    for off in ("1", -1, True, 2**31):
        refused = rosa.post(path, {**body, "wrote": off})
        assert (refused.status_code, refused.json()["field"]) == (422, "wrote"), off
    assert rosa.post(path, body).json()["revision"] == 2


def test_a_token_decides_no_longer_than_its_person_may(
    cast: Cast, caller: Callable[..., Caller], proposal: Proposal
) -> None:
    rosa = caller("rosa", ("decide",))
    with workspace.within(cast.ws) as now:
        for role, active in ((Role.AUDITOR, True), (Role.REVIEWER, False)):
            staff.appoint(
                workspace=cast.workspace, person=cast.people["rosa"], role=role, active=active,
                actor="system:test", now=now,
            )  # fmt: skip
    assert rosa.post(f"proposals/{proposal.pk}/approve/", seen(proposal)).status_code == 403
    ravi = caller("ravi", ("decide",))
    assert ravi.post(f"proposals/{proposal.pk}/approve/", seen(proposal)).status_code == 200
