"""The desk without scripts: what a page shows, what a post does, and how a refusal reads."""

import re

import pytest
from django.urls import reverse

from approvals.models import Case, Handoff, Proposal, Submission
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def proposal(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1", "tags": ["kettle"]})


@pytest.fixture
def rosa(cast: Cast) -> Desk:
    return sit_down(cast, "rosa")


def state_of(cast: Cast, proposal: Proposal) -> str:
    return steps.fresh(cast, proposal).state


def refund(cast: Cast, amount: int = 4_510) -> Proposal:
    order = steps.order(cast, amount=amount)
    target = steps.ticket(cast, customer="cu-1", text="I want my money back for the kettle, please.")
    args = steps.refund_args(order, amount=amount)
    return steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")


def test_the_queue_opens_its_first_item_with_the_form_that_approves_it(rosa: Desk, proposal: Proposal) -> None:
    page = text(rosa.get("/"))
    assert proposal.summary in page
    path = f"/proposals/{proposal.pk}/"
    assert f'data-first hx-get="/w/{rosa.cast.workspace.slug}{path}"' in page
    assert f'{path}">Open the first' in page  # without scripts
    page = text(rosa.get(path, **{"HX-Request": "true", "HX-Target": "detail"}))
    assert f'name="digest" value="{proposal.digest}"' in page
    assert f"/proposals/{proposal.pk}/approve/" in page
    assert "<ins>P1</ins>" in page
    assert "<del>P3</del>" in page


def test_approving_without_scripts_redirects_to_the_next_item_and_says_what_was_done(
    cast: Cast, rosa: Desk, proposal: Proposal
) -> None:
    target = steps.ticket(cast)
    following = steps.propose(cast, target, "ticket.update", target, {"priority": "P2"})
    answer = rosa.decide(proposal, "approve")
    assert answer.status_code == 302
    assert answer["Location"].endswith(f"/proposals/{following.pk}/?done={proposal.pk}")
    assert state_of(cast, proposal) == "approved"
    page = text(rosa.client.get(answer["Location"]))
    assert following.summary in page
    assert "Approved, and being carried out." in page
    assert f"/proposals/{proposal.pk}/undo/" in page


def test_approving_by_htmx_brings_the_next_item_at_once(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    data = {"revision": proposal.revision, "digest": proposal.digest}
    answer = rosa.post(f"/proposals/{proposal.pk}/approve/", data, **{"HX-Request": "true", "HX-Target": "desk"})
    assert answer.status_code == 200
    assert "<html" not in text(answer)
    assert 'hx-swap-oob="afterbegin:#toasts"' in text(answer)
    assert answer["HX-Push-Url"] == f"/w/{cast.workspace.slug}/"
    assert "HX-Request" in answer["Vary"]


def test_the_same_address_gives_a_page_or_the_fragment(rosa: Desk, proposal: Proposal) -> None:
    address = f"/proposals/{proposal.pk}/"
    assert "<html" in text(rosa.get(address))
    part = text(rosa.get(address, **{"HX-Request": "true", "HX-Target": "detail"}))
    assert "<html" not in part
    assert proposal.summary in part


def test_a_page_that_is_out_of_date_gets_409_and_the_version_that_stands(
    cast: Cast, rosa: Desk, proposal: Proposal
) -> None:
    edited = sit_down(cast, "ravi").decide(proposal, "edit", queue="", priority="P2", status="", tags="kettle")
    assert edited.status_code == 302, text(edited)
    answer = rosa.decide(proposal, "approve")
    assert answer.status_code == 409
    assert "It was edited meanwhile; look at the new version." in text(answer)
    assert steps.fresh(cast, proposal).digest in text(answer)
    assert state_of(cast, proposal) == "pending"


def test_deciding_twice_is_told_and_does_nothing(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    rosa.decide(proposal, "approve")
    answer = rosa.decide(proposal, "reject", reason="other")
    assert answer.status_code == 409
    assert "It is approved now." in text(answer)
    assert state_of(cast, proposal) == "approved"


def test_a_rejection_without_a_reason_keeps_what_was_written(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    answer = rosa.decide(proposal, "reject", note="The kettle is somebody else's")
    assert answer.status_code == 422
    assert "Choose why it is rejected." in text(answer)
    assert "The kettle is somebody else&#x27;s</textarea>" in text(answer)
    assert state_of(cast, proposal) == "pending"


def test_a_form_that_does_not_say_what_was_seen_is_refused(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    assert rosa.post(f"/proposals/{proposal.pk}/approve/", {"digest": "x"}).status_code == 422
    assert state_of(cast, proposal) == "pending"


def test_a_rejection_is_reopened_by_who_made_it(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    rosa.decide(proposal, "reject", reason="duplicate", note="twice")
    assert rosa.decide(proposal, "reopen").status_code == 302
    assert state_of(cast, proposal) == "pending"


def test_what_is_on_hold_is_stopped_by_who_approved_it(live: None) -> None:
    cast = gather(hold_seconds=600)
    proposal, rosa = refund(cast), sit_down(cast, "rosa")
    rosa.decide(proposal, "approve")
    page = text(rosa.get(f"/proposals/{proposal.pk}/?done={proposal.pk}"))
    assert "It is carried out in" in page
    assert 'data-left="' in page
    assert rosa.decide(proposal, "stop").status_code == 302
    assert state_of(cast, proposal) == "pending"


@pytest.mark.parametrize("name", ["odile", "ada"])
def test_who_only_reads_sees_everything_and_decides_nothing(cast: Cast, proposal: Proposal, name: str) -> None:
    desk = sit_down(cast, name)
    page = text(desk.get(f"/proposals/{proposal.pk}/"))
    assert "Only reviewers and managers decide." in page
    assert "/approve/" not in page
    assert desk.decide(proposal, "approve").status_code == 403
    assert desk.get(f"/proposals/{proposal.pk}/edit/").status_code == 403
    assert desk.post(f"/claims/proposal:{proposal.pk}/").status_code == 403
    assert state_of(cast, proposal) == "pending"


def test_an_outsider_and_another_workspace_find_nothing(cast: Cast, proposal: Proposal) -> None:
    assert sit_down(cast, "otto").get("/").status_code == 404
    other = gather()
    assert sit_down(other, "rosa").get(f"/proposals/{proposal.pk}/").status_code == 404
    assert sit_down(other, "rosa").decide(proposal, "approve").status_code == 404
    assert state_of(cast, proposal) == "pending"


def test_pages_that_read_change_nothing_and_refuse_posts(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    assert rosa.post("/").status_code == 405
    assert rosa.get(f"/proposals/{proposal.pk}/approve/").status_code == 405
    assert state_of(cast, proposal) == "pending"


def test_what_somebody_else_has_in_hand_is_shown_and_refused(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    sit_down(cast, "ravi").post(f"/claims/proposal:{proposal.pk}/")
    page = text(rosa.get(f"/proposals/{proposal.pk}/"))
    assert f"<b>{cast.people['ravi'].name}</b> has this in hand" in page
    assert "/approve/" not in page
    answer = rosa.decide(proposal, "approve")
    assert answer.status_code == 409
    assert f"{cast.people['ravi'].name} has this in hand" in text(answer)
    assert rosa.post(f"/claims/proposal:{proposal.pk}/").status_code == 409
    assert sit_down(cast, "mara").post(f"/claims/proposal:{proposal.pk}/", {"take_over": "1"}).status_code == 302


def test_a_field_that_the_schema_lacks_is_refused_and_the_input_kept(
    cast: Cast, rosa: Desk, proposal: Proposal
) -> None:
    answer = rosa.decide(proposal, "edit", queue="", priority="P2", status="", tags="one, two", people="0")
    assert answer.status_code == 422
    assert "There is no field &#x27;people&#x27; in this form." in text(answer)
    assert 'value="one, two"' in text(answer)
    assert steps.fresh(cast, proposal).revision == 1


def test_an_edit_that_the_records_refuse_says_so_beside_its_field(cast: Cast, rosa: Desk) -> None:
    proposal = refund(cast)
    args = {"kind": "return", "refund_to": "card-cu-1", "item_ids": "i-1/1", "reason": ""}
    answer = rosa.decide(proposal, "edit", amount_minor="99.00", **args)
    assert answer.status_code == 422
    assert "The records say 45.10 EUR, not 99.00 EUR" in text(answer)
    assert 'value="99.00"' in text(answer)


def test_ones_own_work_is_visibly_not_approvable(cast: Cast, rosa: Desk) -> None:
    order = steps.order(cast, amount=90_000)
    target = steps.ticket(cast, customer="cu-1")
    case = case_of(cast, target)
    answer = rosa.post(
        f"/cases/{case}/new/refund.create/?order=%23{order[1:]}",
        {
            "kind": "return",
            "item_ids": "i-1/1",
            "refund_to": "card-cu-1",
            "amount_minor": "",
            "reason": "",
            "key": "k",
        },
    )
    assert answer.status_code == 302, text(answer)
    with workspace.within(cast.ws):
        submission = Submission.objects.get()
    assert submission.payload["args"]["amount_minor"] == 90_000
    assert "Being checked" in text(rosa.client.get(answer["Location"]))
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        proposal = Proposal.objects.get()
    assert rosa.client.get(answer["Location"])["Location"].endswith(f"/proposals/{proposal.pk}/")
    page = text(rosa.get(f"/proposals/{proposal.pk}/"))
    assert "You proposed this; somebody else approves it." in page
    assert "0 of 2" in page
    assert "one of them a manager" in page
    high = text(sit_down(cast, "mara").get(f"/proposals/{proposal.pk}/"))
    assert "/approve/" in high
    assert 'data-key="a"' not in high
    assert not re.search(r'class="button primary"[^>]*>Approve', high)


def test_handing_in_the_same_form_twice_is_one_submission(cast: Cast, rosa: Desk) -> None:
    target = steps.ticket(cast)
    address = f"/cases/{case_of(cast, target)}/new/ticket.reply/"
    for _ in range(2):
        assert rosa.post(address, {"body": "We look into it.", "clauses": "", "key": "same"}).status_code == 302
    with workspace.within(cast.ws):
        assert Submission.objects.count() == 1


def test_each_action_can_be_started_by_hand(cast: Cast, rosa: Desk) -> None:
    steps.order(cast)
    ticket, contact = steps.ticket(cast, customer="cu-1"), steps.contact(cast, {"email": "a@example.com"})
    for subject, action, words in (
        (ticket, "ticket.update", "Priority"), (ticket, "ticket.reply", "Text"),
        (ticket, "refund.create", "Which order?"), (contact, "contact.update", "E-mail"),
    ):  # fmt: skip
        answer = rosa.get(f"/cases/{case_of(cast, subject)}/new/{action}/")
        assert answer.status_code == 200
        assert words in text(answer)
    assert rosa.get(f"/cases/{case_of(cast, contact)}/new/ticket.reply/").status_code == 404


def test_a_handoff_is_prefilled_and_resolved_with_what_came_of_it(cast: Cast, rosa: Desk) -> None:
    order = steps.order(cast, amount=90_000)
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order, amount=90_000)
    sent = steps.submit_as_agent(cast, target, "refund.create", f"order:{order}", args, agent="refunds")
    steps.pass_gate(cast, sent)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get()
    page = text(rosa.get(f"/handoffs/{handoff.pk}/"))
    assert "900.00 EUR" in page
    start = f"/cases/{handoff.case_id}/new/refund.create/?handoff={handoff.pk}"
    assert start.replace("&", "&amp;") in page
    assert 'value="900.00"' in text(rosa.get(start))
    empty = rosa.post(f"/handoffs/{handoff.pk}/resolve/", {"outcome": "  "})
    assert empty.status_code == 422
    assert rosa.post(f"/handoffs/{handoff.pk}/resolve/", {"outcome": "Paid by hand"}).status_code == 302
    again = rosa.post(f"/handoffs/{handoff.pk}/resolve/", {"outcome": "Paid once more"})
    assert again.status_code == 409
    assert "Paid by hand" in text(again)


def test_an_undo_shows_what_it_would_change_and_starts_exactly_that(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    steps.approve(cast, proposal, "rosa")
    assert "carried out just now" in text(rosa.get(f"/proposals/{proposal.pk}/undo/"))
    steps.apply(cast, proposal)
    page = text(rosa.get(f"/proposals/{proposal.pk}/undo/"))
    assert "<ins>P3</ins>" in page
    (content,) = re.findall(r'name="seen_content" value="(\w{64})"', page)
    stale = rosa.post(f"/proposals/{proposal.pk}/undo/", {"seen_content": "0" * 64, "key": "k"})
    assert stale.status_code == 409
    answer = rosa.post(f"/proposals/{proposal.pk}/undo/", {"seen_content": content, "key": "k"})
    assert answer.status_code == 302
    with workspace.within(cast.ws):
        submission = Submission.objects.get(undoes=proposal)
    steps.pass_gate(cast, submission)
    assert rosa.client.get(answer["Location"]).status_code == 302


def test_a_stale_proposal_shows_before_proposed_and_now(cast: Cast, rosa: Desk) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com"})
    proposal = steps.propose(cast, target, "contact.update", target, {"changes": {"city": "Graz"}}, agent="contacts")
    with signed_in("apply"), workspace.within(cast.ws):
        models.Contact.objects.update(fields={"city": "Wien", "email": "a@example.com"}, version=2)
    answer = rosa.decide(proposal, "approve")
    assert answer.status_code == 302
    assert state_of(cast, proposal) == "stale"
    page = text(rosa.get(f"/proposals/{proposal.pk}/"))
    assert "the record changed since" in page
    assert "changed meanwhile" in page
    assert "Wien" in page
    assert rosa.decide(proposal, "redo").status_code == 403  # it would write over Wien: see test_staleness.py
    with signed_in("apply"), workspace.within(cast.ws):
        models.Contact.objects.update(fields={"city": "graz", "email": "a@example.com"}, version=3)
    assert rosa.decide(proposal, "redo").status_code == 302
    assert state_of(cast, proposal) == "pending"


def test_what_cannot_be_seen_is_spelled_out(cast: Cast, rosa: Desk) -> None:
    target = steps.ticket(cast, text="Please send it to <b>me</b>\u202eyadot")
    proposal = steps.propose(cast, target, "ticket.reply", target, {"body": "Ok\u200b, <i>done</i>"})
    page = text(rosa.get(f"/proposals/{proposal.pk}/"))
    assert "U+202E" in page
    assert "U+200B" in page
    assert "turns the writing direction" in page
    assert "&lt;b&gt;me&lt;/b&gt;" in page
    assert "<i>done" not in page


def test_no_page_carries_a_script_or_a_style_of_its_own(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    case = proposal.case_id
    for path in ("/", f"/proposals/{proposal.pk}/edit/", f"/cases/{case}/", "/cases/", f"/audit/?case={case}"):
        answer = rosa.get(path)
        assert answer.status_code == 200, path
        page = text(answer)
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|hx-on", page), path
        policy = answer["Content-Security-Policy"]
        assert "unsafe" not in policy


def test_the_log_of_a_case_names_who_did_what(cast: Cast, rosa: Desk, proposal: Proposal) -> None:
    rosa.decide(proposal, "reject", reason="other", note="no")
    page = text(sit_down(cast, "odile").get(f"/audit/?case={proposal.case_id}"))
    for words in ("</b> proposed “", "decision.recorded", "proposal.rejected", "Rosa Lindqvist</b> rejected “"):
        assert words in page
    assert rosa.get("/log/cases/999999/").status_code == 404


def test_single_keys_can_be_switched_off(rosa: Desk) -> None:
    assert 'data-keys="on"' in text(rosa.get("/"))
    rosa.post("/keys/")
    assert 'data-keys="off"' in text(rosa.get("/"))


def case_of(cast: Cast, subject: str) -> int:
    with workspace.within(cast.ws):
        return Case.objects.get(subject=subject).pk


def test_the_home_page_of_a_workspace_is_the_queue() -> None:
    assert reverse("queue", urlconf="portal.workspace_urls") == "/"


def test_an_edit_of_what_was_edited_meanwhile_is_refused_however_often_it_is_saved(
    cast: Cast, rosa: Desk, proposal: Proposal
) -> None:
    sit_down(cast, "ravi").decide(proposal, "edit", queue="", priority="P2", status="", tags="kettle")
    answer = rosa.decide(proposal, "edit", queue="", priority="P4", status="", tags="kettle")
    assert answer.status_code == 409
    assert f'name="digest" value="{proposal.digest}"' in text(answer)
    assert steps.fresh(cast, proposal).revision == 2
