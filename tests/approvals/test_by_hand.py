"""Do it myself: on the contact of a ticket's customer, and on a record that never came in; through the same door."""

import re
from html import unescape

import pytest

from approvals import by_hand, votes
from approvals.models import Case, Proposal, Submission
from audit import log
from audit.models import Entry, Unattributed
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def rosa(cast: Cast) -> Desk:
    return sit_down(cast, "rosa")


def contact(cast: Cast, key: str = "c-7", *, of: str = "") -> str:
    """A contact of the CRM that no case is about; `of` names the customer it is."""
    with workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.create(
            workspace=cast.workspace, contact_id=key, fields={"full_name": "cleo customer", "city": "Lyon"}
        )
        if of:
            models.Customer.objects.filter(workspace=cast.workspace, customer_id=of).update(contact=row)
    return f"contact:{key}"


def case_of(cast: Cast, subject: str) -> Case:
    with workspace.within(cast.ws):
        return Case.objects.get(workspace_id=cast.ws, subject=subject)


def gated(cast: Cast) -> Proposal:
    """What the gate made of the one submission."""
    with workspace.within(cast.ws):
        submission = Submission.objects.get(workspace_id=cast.ws)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Proposal.objects.select_related("case").get(submission=submission)


def test_from_a_tickets_case_its_customers_contact_can_be_changed_by_hand(cast: Cast, rosa: Desk) -> None:
    steps.order(cast)
    known, ticket = contact(cast, of="cu-1"), steps.ticket(cast, customer="cu-1")
    where = f"/cases/{case_of(cast, ticket).pk}/"
    page = text(rosa.get(where))
    for action in ("ticket.reply", "refund.create", "ticket.update", "contact.update", "contact.merge"):
        assert f"{where}new/{action}/" in page
    form = text(rosa.get(f"{where}new/contact.update/"))
    assert 'value="cleo customer"' in form
    assert known in form
    sent = {"key": "k1", "changes.full_name": "Cleo Customer", "changes.city": "Lyon"}
    assert rosa.post(f"{where}new/contact.update/", sent).status_code == 302
    row = gated(cast)
    assert (row.action, row.target, row.case.subject, row.proposer) == (
        "contact.update", known, ticket, f"person:{cast.id('rosa')}",
    )  # fmt: skip
    assert "cleo customer" in text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    assert sit_down(cast, "ravi").decide(row, "approve").status_code == 302


def shown(page: str) -> dict[str, str]:
    """The record's values that a form carries along as it showed them."""
    found = re.findall(r'<input type="hidden" name="(initial-[^"]+)" value="([^"]*)"', page)
    return {name: unescape(value) for name, value in found}


def args_of(cast: Cast, row: Proposal) -> dict[str, object]:
    with workspace.within(cast.ws):
        return votes.current(row).args


def set_contact(cast: Cast, version: int, **fields: str) -> None:
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        models.Contact.objects.filter(contact_id="c-7").update(fields=fields, version=version)


def test_a_form_sets_back_nothing_that_somebody_changed_while_it_was_open(cast: Cast, rosa: Desk) -> None:
    steps.order(cast)
    contact(cast, of="cu-1")
    where = f"/cases/{case_of(cast, steps.ticket(cast, customer='cu-1')).pk}/new/contact.update/"
    page = text(rosa.get(where))
    set_contact(cast, 2, full_name="cleo customer", city="Nice", phone="+33 1")
    sent = {"key": "k1", "changes.full_name": "Cleo Customer", "changes.city": "Lyon", **shown(page)}
    assert rosa.post(where, sent).status_code == 302
    row = gated(cast)
    assert args_of(cast, row) == {"changes": {"full_name": "Cleo Customer"}}

    edit = f"/proposals/{row.pk}/edit/"
    page = text(rosa.get(edit))
    set_contact(cast, 3, full_name="cleo customer", city="Lille", email="cleo@example.com")  # and the phone is gone
    sent = {"changes.full_name": "Cleo B. Customer", "changes.city": "Nice", "changes.phone": "+33 1", **shown(page)}
    assert rosa.post(edit, {**sent, "revision": row.revision, "digest": row.digest}).status_code == 302
    assert args_of(cast, steps.fresh(cast, row)) == {"changes": {"full_name": "Cleo B. Customer"}}


def test_what_was_typed_into_a_field_that_went_meanwhile_is_proposed(cast: Cast, rosa: Desk) -> None:
    steps.order(cast)
    contact(cast, of="cu-1")
    where = f"/cases/{case_of(cast, steps.ticket(cast, customer='cu-1')).pk}/new/contact.update/"
    page = text(rosa.get(where))
    set_contact(cast, 2, full_name="cleo customer")
    sent = {"key": "k1", "changes.full_name": "cleo customer", "changes.city": "Nice", **shown(page)}
    assert rosa.post(where, sent).status_code == 302
    assert args_of(cast, gated(cast)) == {"changes": {"city": "Nice"}}


def test_an_edit_beside_another_of_a_further_field_says_that_it_was_edited(cast: Cast, rosa: Desk) -> None:
    steps.order(cast)
    known = contact(cast, of="cu-1")
    ticket = steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, ticket, "contact.update", known, {"changes": {"full_name": "Cleo"}}, agent="contacts")
    edit, ravi = f"/proposals/{row.pk}/edit/", sit_down(cast, "ravi")
    carried = shown(text(rosa.get(edit)))
    sent = {"revision": row.revision, "digest": row.digest, **carried}
    other = {"changes.full_name": "Cleo", "changes.city": "Paris"}
    assert ravi.post(edit, {**sent, **other}).status_code == 302
    refused = rosa.post(edit, {**sent, "changes.full_name": "Cleo C.", "changes.city": "Lyon"})
    assert (refused.status_code, "There is no field" in text(refused)) == (409, False)
    assert "Cleo C." in text(refused)


def test_fields_of_a_ticket_that_were_left_as_they_were_shown_are_not_set(cast: Cast, rosa: Desk) -> None:
    ticket = steps.ticket(cast)
    where = f"/cases/{case_of(cast, ticket).pk}/new/ticket.update/"
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        models.Ticket.objects.filter(ticket_id=ticket[7:]).update(tags=["cord", "plug"], version=2)
    page = text(rosa.get(where))
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        tags = ["cord", "plug", "lid"]
        models.Ticket.objects.filter(ticket_id=ticket[7:]).update(priority="P1", tags=tags, version=3)
    was = shown(page)
    sent = {name.removeprefix("initial-"): value for name, value in was.items()}
    assert (sent["status"], sent["tags"]) == ("open", "cord, plug")
    assert rosa.post(where, {**sent, **was, "key": "k1", "tags": "kettle, cord"}).status_code == 302
    assert args_of(cast, gated(cast)) == {"tags": ["cord", "lid", "kettle"]}


def test_a_ticket_of_nobody_known_offers_no_contact(cast: Cast, rosa: Desk) -> None:
    where = f"/cases/{case_of(cast, steps.ticket(cast)).pk}/"
    assert "contact.update" not in text(rosa.get(where))
    assert rosa.get(f"{where}new/contact.update/").status_code == 404


def test_a_proposal_leads_to_what_can_be_done_by_hand(cast: Cast, rosa: Desk) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    link = f"/cases/{row.case_id}/#by-hand"
    assert link in text(rosa.get(f"/proposals/{row.pk}/"))
    assert 'id="by-hand"' in text(rosa.get(f"/cases/{row.case_id}/"))
    assert link not in text(sit_down(cast, "odile").get(f"/proposals/{row.pk}/"))


def test_a_contact_that_never_came_in_gets_a_case_by_hand(cast: Cast, rosa: Desk) -> None:
    subject = contact(cast)
    for said in ("c-7", subject):
        assert f"Open a case for {subject}" in text(rosa.get(f"/cases/?subject={said}"))
    answer = rosa.post("/cases/open/", {"subject": subject})
    case = case_of(cast, subject)
    assert answer["Location"].endswith(f"/cases/{case.pk}/")
    assert rosa.post("/cases/open/", {"subject": subject})["Location"] == answer["Location"], "once"
    with workspace.within(cast.ws):
        (entry,) = Entry.objects.filter(event="case.opened")
        assert (entry.actor, entry.subject) == (f"person:{cast.id('rosa')}", f"case:{case.pk}")
        assert not Unattributed.objects.exists()
    assert "by hand" in text(sit_down(cast, "odile").get("/audit/?event=case.opened"))
    sent = {"key": "k1", "changes.full_name": "Cleo Customer", "changes.city": "Lyon"}
    assert rosa.post(f"/cases/{case.pk}/new/contact.update/", sent).status_code == 302
    assert gated(cast).target == subject


def test_an_order_that_nobody_wrote_about_can_be_refunded_by_hand(cast: Cast, rosa: Desk) -> None:
    order = steps.order(cast)
    found = text(rosa.get(f"/cases/?subject={order.replace('#', '%23')}"))
    assert f"Open a case for order:{order}" in found
    assert f"order:{order}" in text(rosa.get("/cases/?subject=customer:cu-1")), "by whose it is as well"
    assert rosa.post("/cases/open/", {"subject": f"order:{order}"}).status_code == 302
    case = case_of(cast, f"order:{order}")
    assert case.customer == "cu-1"
    sent = {"key": "k1", "kind": "return", "refund_to": "card-cu-1", "item_ids": "i-1/1", "reason": "no longer needed"}
    assert rosa.post(f"/cases/{case.pk}/new/refund.create/", sent).status_code == 302
    row = gated(cast)
    assert (row.target, row.customer, row.amount_minor) == (f"order:{order}", "cu-1", 4_510)
    assert rosa.get(f"/cases/{case.pk}/").status_code == 200


def test_who_does_not_decide_opens_none_and_what_is_not_there_gets_none(cast: Cast, rosa: Desk) -> None:
    subject = contact(cast)
    odile = sit_down(cast, "odile")
    assert "Open a case for" not in text(odile.get("/cases/?subject=c-7"))
    assert odile.post("/cases/open/", {"subject": subject}).status_code == 403
    for said in ("contact:nobody", "ticket:T-1", "customer:cu-1", "", "order:" + "x" * 300):
        assert rosa.post("/cases/open/", {"subject": said}).status_code == 422
    stranger = sit_down(gather(), "rosa")
    assert stranger.post("/cases/open/", {"subject": subject}).status_code == 422
    with workspace.within(cast.ws):
        assert not Case.objects.filter(subject=subject).exists()
        assert by_hand.find(workspace=cast.ws, text="nothing").records == ()


def test_a_search_says_that_it_shows_the_newest_of_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.order(cast)  # with its customer
    for _ in range(3):
        steps.ticket(cast, customer="cu-1")
    monkeypatch.setattr(by_hand, "MOST", 3)
    rosa = sit_down(cast, "rosa")
    assert "are shown." not in text(rosa.get("/cases/?subject=customer:cu-1"))
    monkeypatch.setattr(by_hand, "MOST", 2)
    page = text(rosa.get("/cases/?subject=customer:cu-1"))
    assert "The newest 2 are shown." in page
    assert page.count("Log of ticket:") == 2
