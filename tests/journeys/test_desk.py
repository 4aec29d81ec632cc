"""Stories of the review desk: real processes, a real browser, and books and log that say the same."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import thresholds
from approvals.models import Decision, Proposal
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.test_time_pages import handed
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, hold_refunds, opened, refund, state_of, until
from tests.journeys.walking import ARRIVED
from tests.presence import Codes

pytestmark = pytest.mark.journey


def events_of(cast: Cast, proposal: Proposal) -> list[str]:
    with workspace.within(cast.ws):
        rows = Entry.objects.filter(subject=f"proposal:{proposal.pk}").order_by("version")
        return list(rows.values_list("event", flat=True))


def refunds_of(cast: Cast) -> list[int]:
    with workspace.within(cast.ws):
        return list(models.Payment.objects.filter(type="refund").values_list("amount_minor", flat=True))


def test_a_reviewer_approves_a_refund_and_the_money_moves_once(desk: Desk) -> None:
    proposal = refund(desk.cast)
    page = desk.sign_in("rosa")
    expect(page.locator(".row")).to_have_count(1)
    opened(desk, page, proposal)
    expect(page.locator("#detail h1")).to_contain_text("45.10 EUR")
    expect(page.locator("#detail .effect")).to_contain_text("45.10 EUR")
    page.click("footer.decide button:has-text('Approve')")
    expect(page.locator(".toast").first).to_be_visible()
    until(lambda: state_of(desk.cast, proposal) == "applied", 40)
    assert refunds_of(desk.cast) == [4_510]
    assert events_of(desk.cast, proposal)[-1] == "proposal.applied"
    opened(desk, page, proposal)
    assert page.locator("a:has-text('Undo')").count() == 0  # money that went out is not pretended to come back


def test_an_approval_is_stopped_during_its_hold(desk: Desk) -> None:
    hold_refunds(desk.cast)
    proposal = refund(desk.cast, 15_000)
    page = desk.sign_in("rosa")
    opened(desk, page, proposal)
    page.click("footer.decide button:has-text('Approve')")
    toast = page.locator(".toast")
    expect(toast).to_contain_text(re.compile(r"1:[0-2]\d"))
    toast.locator("button:has-text('Stop')").click()
    until(lambda: state_of(desk.cast, proposal) == "pending", 10)
    assert refunds_of(desk.cast) == []
    assert events_of(desk.cast, proposal) == ["proposal.proposed", "proposal.approved", "proposal.stopped"]


def test_a_ticket_change_is_approved_by_key_and_undone(desk: Desk) -> None:
    target = steps.ticket(desk.cast)
    proposal = steps.propose(desk.cast, target, "ticket.update", target, {"queue": "fees_billing", "priority": "P1"})
    page = desk.sign_in("rosa")
    opened(desk, page, proposal)
    page.keyboard.press("a")
    until(lambda: state_of(desk.cast, proposal) == "applied", 40)
    opened(desk, page, proposal)
    page.click("footer.decide a:has-text('Undo')")
    expect(page.locator("main")).to_contain_text("Fees and billing")
    page.click("button:has-text('Undo exactly this')")
    until(lambda: _ticket(desk.cast) == ("", "P3"), 40)
    with workspace.within(desk.cast.ws):
        undo = Proposal.objects.get(undoes=proposal)
    until(lambda: state_of(desk.cast, undo) == "applied", 10)
    assert state_of(desk.cast, proposal) == "applied"


def _ticket(cast: Cast) -> tuple[str, str]:
    with workspace.within(cast.ws):
        row = models.Ticket.objects.select_related("queue").get()
        return (row.queue.name if row.queue else "", row.priority)


def test_a_contact_change_is_rejected_with_a_reason(desk: Desk) -> None:
    target = steps.contact(desk.cast, {"full_name": "CLEO CUSTOMER", "city": "BERLIN"})
    proposal = steps.propose(
        desk.cast, target, "contact.update", target, {"changes": {"city": "Berlin"}}, agent="contacts"
    )
    page = desk.sign_in("ravi")
    opened(desk, page, proposal)
    page.click("footer.decide summary")
    page.check("footer.decide input[value=wrong_value]")
    page.fill("footer.decide textarea", "She writes it so herself.")
    page.click("footer.decide details button:has-text('Reject')")
    until(lambda: state_of(desk.cast, proposal) == "rejected", 10)
    with workspace.within(desk.cast.ws):
        decision = Decision.objects.get()
        assert (decision.reason, decision.note) == ("wrong_value", "She writes it so herself.")
        assert models.Contact.objects.get().fields["city"] == "BERLIN"


def test_a_reply_is_edited_and_the_edited_text_is_what_is_sent(desk: Desk) -> None:
    with workspace.within(desk.cast.ws) as now:
        thresholds.set_threshold(
            workspace=desk.cast.ws, series="ticket-reply", actor="system:test", now=now, action="ticket.reply",
            tier="medium", people="one", hold_seconds=1, fresh_minutes=480,
        )  # fmt: skip
    target = steps.ticket(desk.cast)
    proposal = steps.propose(
        desk.cast, target, "ticket.reply", target, {"body": "Dear Cleo,\nit comes tomorow.", "clauses": []}
    )
    page = desk.sign_in("rosa")
    opened(desk, page, proposal)
    page.click("footer.decide a:has-text('Edit')")
    page.fill("textarea[name=body]", "Dear Cleo,\nit comes tomorrow.")
    page.click("button:has-text('Save as revision 2')")
    expect(page.locator("#detail")).to_contain_text("it comes tomorrow.")
    page.click("footer.decide button:has-text('Approve')")
    until(lambda: state_of(desk.cast, proposal) == "applied", 40)
    with workspace.within(desk.cast.ws):
        sent = models.Message.objects.get(sender="staff")
        assert sent.body.replace("\r\n", "\n") == "Dear Cleo,\nit comes tomorrow."
    assert events_of(desk.cast, proposal)[1] == "proposal.edited"


def test_above_the_cap_a_person_proposes_and_two_people_approve(desk: Desk) -> None:
    order = steps.order(desk.cast, amount=90_000)
    target = steps.ticket(desk.cast, text=f"Please refund {order}.", customer="cu-1")
    rosa = desk.sign_in("rosa")
    rosa.goto(f"{desk.base}cases/")
    rosa.click("main a[href*='/cases/']")
    rosa.click("a:has-text('Refund an order')")
    if rosa.locator(f"a:has-text('{order}'), button:has-text('{order}')").count():
        rosa.locator(f"a:has-text('{order}'), button:has-text('{order}')").first.click()
    _fill_refund(rosa)
    rosa.click("button:has-text('Hand it in')")
    until(lambda: _pending(desk.cast) == 1, 40)
    with workspace.within(desk.cast.ws):
        proposal = Proposal.objects.get()
    assert (proposal.people, proposal.tier, proposal.proposer) == (
        2,
        "high",
        f"person:{desk.cast.id('rosa')}",
    )
    opened(desk, rosa, proposal)
    assert rosa.locator("footer.decide button:has-text('Approve')").count() == 0  # her own work
    for name, after in (("ravi", "pending"), ("mara", "approved")):
        codes = Codes(desk.cast, name)
        page = desk.sign_in(name, codes)
        opened(desk, page, proposal)
        page.keyboard.press("a")  # no single key approves on high tier
        page.wait_for_timeout(500)
        assert "/step-up/" not in page.url
        page.click("footer.decide button:has-text('Approve')")
        expect(page.locator("h1")).to_have_text("Confirm that it is you")
        expect(page.locator("main dt:text-is('Amount') + dd")).to_have_text("900.00 EUR")
        expect(page.locator("main code")).to_contain_text(proposal.digest[:12])
        assert state_of(desk.cast, proposal) == "pending"
        page.fill("input[name=code]", codes.fresh(timezone.now()))
        page.click("button:has-text('Confirm')")
        expect(page.locator(".toast").first).to_be_visible()
        until(lambda after=after: state_of(desk.cast, proposal) in (after, "applied"), 10)
    until(lambda: state_of(desk.cast, proposal) == "applied", 40)
    assert refunds_of(desk.cast) == [90_000]
    assert target


def _fill_refund(page: Page) -> None:
    page.select_option("select[name=kind]", "return")
    for box in page.locator("input[name=item_ids]").all():
        box.check()
    if page.locator("select[name=refund_to]").count():
        page.select_option("select[name=refund_to]", "card-cu-1")


def _pending(cast: Cast) -> int:
    with workspace.within(cast.ws):
        return Proposal.objects.filter(state="pending").count()


def test_an_outsider_is_told_nothing(desk: Desk) -> None:
    page = desk.open_page()
    page.goto(desk.base)
    expect(page.locator("input[name=login]")).to_be_visible()


def test_what_was_done_is_told_above_the_bar_of_decisions(desk: Desk) -> None:
    row, page = handed(desk.cast), desk.sign_in("rosa", viewport=WIDE)
    page.goto(f"{desk.base}handoffs/{row.pk}/")
    page.fill("[name=outcome]", "Called them.")
    page.click("footer.decide button:text-is('Resolve')")
    expect(page.locator(".toast").first).to_contain_text("Resolved")
    page.goto(f"{desk.base}handoffs/{row.pk}/")
    page.click("footer.decide button:text-is('Reopen')")
    expect(page.locator(".toast").first).to_contain_text("Reopened")
    expect(page.locator("[name=outcome]")).to_be_visible()
    page.evaluate(ARRIVED)
    toast, bar = page.locator(".toast").first.bounding_box(), page.locator("footer.decide").bounding_box()
    assert toast is not None
    assert bar is not None
    assert toast["y"] + toast["height"] <= bar["y"]
