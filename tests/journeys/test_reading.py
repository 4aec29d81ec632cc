"""Somebody reads an item: what comes in waits to be asked for, and what they opened goes with the decision."""

import pytest
from playwright.sync_api import expect

from approvals.considered import reading
from portal import workspace
from tests.approvals import steps
from tests.approvals.test_citations import DAYS, cite, hand_in
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, opened, shows, waiting

pytestmark = pytest.mark.journey
# The bar asks every quarter of a minute; nobody waits for that here.
ASK = "htmx.ajax('GET', document.querySelector('#news').getAttribute('hx-get'), '#news')"


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
        expect(page.locator(".toast")).to_contain_text("Approved")
    with workspace.within(cast.ws) as now:
        rows, _ = reading.decided(cast.ws, now)
    assert sorted(row.opened for row in rows if row.opened is not None) == [0, 1]
