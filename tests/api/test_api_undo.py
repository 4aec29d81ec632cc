"""The way back over the API: the same answers as on the pages."""

from collections.abc import Callable
from typing import Any

from approvals.models import Handoff, Proposal, Submission
from portal import staff, workspace
from portal.models import Role
from tests.api.calls import Caller, proposed
from tests.approvals import steps
from tests.approvals.test_undo import applied, by_hand, sent_refund
from tests.cast import Cast

Makes = Callable[..., Caller]


def changed(cast: Cast) -> Proposal:
    """A contact whose e-mail was changed again by hand."""
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b@example.com", "fax": "1"}})
    by_hand(cast, target, email="c@example.com", fax=None)
    return row


def test_an_undo_is_previewed_started_and_followed(cast: Cast, caller: Makes) -> None:
    row, rosa = changed(cast), caller("rosa")
    shown = rosa.get(f"proposals/{row.pk}/undo/preview/").json()
    assert (shown["proposal"], shown["partial"], shown["nothing_left"]) == (row.pk, True, "")
    assert [(f["field"], f["fate"], f["values"], f["undo_first"]) for f in shown["fields"]] == [
        ("city", "clean", {"set_to": "Graz", "now": "Graz", "before": "graz"}, None),
        ("email", "conflict", {"set_to": "b@example.com", "now": "c@example.com", "before": "a@example.com"}, None),
        ("fax", "already", {"set_to": "1"}, None),
    ]
    assert shown["changes"] == [{"field": "city", "op": "set", "before": "Graz", "after": "graz"}]
    body = {"seen_content": shown["content"], "key": "k"}
    started = rosa.post(f"proposals/{row.pk}/undo/", body).json()
    assert (started["kind"], started["status"]) == ("action", "new")
    assert rosa.post(f"proposals/{row.pk}/undo/", body).json()["id"] == started["id"]
    with workspace.within(cast.ws):
        submission = Submission.objects.get(pk=started["id"])
    steps.pass_gate(cast, submission)
    outcome = rosa.get(f"submissions/{started['id']}/").json()
    assert outcome["status"] == "gated"
    undo = int(outcome["outcome"].removeprefix("proposal:"))
    assert rosa.get(f"proposals/{undo}/").json()["undoes"] == row.pk
    again = rosa.post(f"proposals/{row.pk}/undo/", {**body, "key": "other"})
    assert (again.status_code, f"Proposal {undo} undoes this already" in again.json()["detail"]) == (409, True)
    assert rosa.get(f"proposals/{row.pk}/undo/preview/").status_code == 409


def test_what_was_not_seen_or_not_carried_out_is_not_undone(cast: Cast, caller: Makes) -> None:
    rosa = caller("rosa")
    seen: dict[str, Any] = {"seen_content": "0" * 64, "key": "k"}
    assert rosa.post(f"proposals/{changed(cast).pk}/undo/", seen).status_code == 409
    waiting = rosa.post(f"proposals/{proposed(cast).pk}/undo/", seen)
    assert (waiting.status_code, "not carried out" in waiting.json()["detail"]) == (409, True)
    assert rosa.post("proposals/999999/undo/", seen).status_code == 404


def test_who_may_not_undo_over_the_api_either(cast: Cast, caller: Makes) -> None:
    row, gone = changed(cast), caller("ravi", ("decide",))
    content = caller("odile", ("cases:read",)).get(f"proposals/{row.pk}/undo/preview/").json()["content"]
    seen = {"seen_content": content, "key": "k"}
    with workspace.within(cast.ws) as now:
        for role, active in ((Role.AUDITOR, True), (Role.REVIEWER, False)):
            staff.appoint(
                workspace=cast.workspace, person=cast.people["ravi"], role=role, active=active, actor="system:test",
                now=now,
            )  # fmt: skip
    assert gone.post(f"proposals/{row.pk}/undo/", seen).status_code == 403
    assert gone.post(f"proposals/{row.pk}/recover/", {"key": "k"}).status_code == 403
    assert caller("rosa", ("cases:read",)).post(f"proposals/{row.pk}/undo/", seen).status_code == 403
    assert caller("rosa", ("decide",)).post(f"proposals/{row.pk}/undo/", seen).status_code == 200


def test_a_recovery_case_is_opened_once(cast: Cast, caller: Makes) -> None:
    row, rosa = sent_refund(cast, "settled"), caller("rosa")
    refused = rosa.get(f"proposals/{row.pk}/undo/preview/")
    assert (refused.status_code, "recovery case" in refused.json()["detail"]) == (409, True)
    opened = rosa.post(f"proposals/{row.pk}/recover/", {"key": "k"}).json()
    with workspace.within(cast.ws):
        submission = Submission.objects.get(pk=opened["id"])
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
    assert rosa.get(f"submissions/{opened['id']}/").json()["outcome"] == f"handoff:{handoff.pk}"
    assert rosa.post(f"proposals/{row.pk}/recover/", {"key": "other"}).status_code == 409
    assert rosa.post(f"proposals/{changed(cast).pk}/recover/", {"key": "k"}).status_code == 409
