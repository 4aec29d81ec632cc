"""Somebody reads an item: what comes in waits to be asked for, and what they opened goes with the decision."""

import pytest
from playwright.sync_api import expect

from approvals import conversations
from approvals.considered import reading
from approvals.models import Case
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.test_citations import DAYS, cite, hand_in
from tests.approvals.test_customer_wrote import write
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, opened, reply, shows, waiting

pytestmark = pytest.mark.journey
# The bar asks every quarter of a minute; nobody waits for that here.
ASK = "htmx.ajax('GET', document.querySelector('#news').getAttribute('hx-get'), '#news')"
ASK_OTHERS = "htmx.ajax('POST', document.querySelector('.others').getAttribute('hx-post'), {source: '.others'})"


def test_what_comes_in_is_shown_when_asked_for_and_what_is_open_stays(desk: Desk) -> None:
    _, second = waiting(desk.cast, 2)
    page = desk.sign_in("rosa", viewport=WIDE)
    page.click(f".row a[data-item='proposal:{second.pk}']")
    shows(page, second)
    page.click("footer.decide summary:has-text('Reject')")
    page.fill("footer.decide textarea[name=note]", "The customer wrote again since.")
    (third,) = waiting(desk.cast, 1)
    page.evaluate(ASK)
    bar = page.locator("#news a")
    expect(bar).to_have_text("1 new: show")
    expect(page.locator(".row")).to_have_count(2)
    bar.click()
    expect(page.locator(f".row a[data-item='proposal:{third.pk}']")).to_be_visible()
    expect(page.locator(".row")).to_have_count(3)
    shows(page, second)
    expect(page.locator("footer.decide textarea[name=note]")).to_have_value("The customer wrote again since.")
    expect(bar).to_have_count(0)


def test_a_passage_that_was_opened_goes_with_the_decision(desk: Desk) -> None:
    cast = desk.cast
    steps.page(cast, DAYS)
    (unread, *_), _ = hand_in(cast, cite())
    (read, *_), _ = hand_in(cast, cite())
    page = desk.sign_in("rosa", viewport=WIDE)
    for row in (unread, read):
        opened(desk, page, row)
        if row is read:
            page.click(".evidence summary")
            expect(page.locator(".evidence blockquote")).to_contain_text("within thirty days")
        page.click("footer.decide button:text-is('Approve')")
        expect(page.locator(".toast").first).to_contain_text("Approved")
    with workspace.within(cast.ws) as now:
        rows, _ = reading.decided(cast.ws, now)
    assert sorted(row.opened for row in rows if row.opened is not None) == [0, 1]


def test_what_the_customer_writes_shows_on_the_open_item_and_is_read_beside_the_open_form(desk: Desk) -> None:
    cast = desk.cast
    (row,) = waiting(cast, 1)
    page = desk.sign_in("rosa", viewport=WIDE)
    opened(desk, page, row)
    page.click("footer.decide summary:has-text('Reject')")
    page.fill("footer.decide textarea[name=note]", "Half a sen")
    with workspace.within(cast.ws):
        subject = Case.objects.get(pk=row.case_id).subject
        ticket = models.Ticket.objects.get(ticket_id=subject.partition(":")[2]).external_id
    with workspace.within(cast.ws, cast.id("ada")) as now:
        conversations.receive(
            workspace=cast.ws, ticket=ticket, external_id="m-1", text="It works again!", actor="x", now=now
        )
    page.evaluate(ASK_OTHERS)
    chip = page.locator("#wrote a")
    expect(chip).to_contain_text("the customer wrote since")
    expect(page.locator("#conversation")).not_to_contain_text("It works again!")
    chip.click()
    expect(page.locator("#conversation")).to_contain_text("It works again!")
    expect(page.locator("footer.decide details[open] textarea[name=note]")).to_have_value("Half a sen")


def test_what_is_read_beside_an_open_edit_is_not_asked_for_again_when_it_is_saved(desk: Desk) -> None:
    cast = desk.cast
    row = reply(cast, "It is on its way.")
    page = desk.sign_in("rosa", viewport=WIDE)
    page.goto(f"{desk.base}proposals/{row.pk}/edit/")
    page.fill("textarea[name=body]", "It comes tomorrow.")
    write(cast, row)
    page.evaluate(ASK_OTHERS)
    page.click("#wrote a")
    expect(page.locator("#conversation")).to_contain_text("Stop, I found it!")
    expect(page.locator("textarea[name=body]")).to_have_value("It comes tomorrow.")
    page.click("button:has-text('Save as revision 2')")
    expect(page.locator(".toast").first).to_be_visible()
    assert steps.fresh(cast, row).revision == 2
