"""Without JavaScript: from the list to an item, approve, reject, undo, and several together, by links and forms."""

import pytest
from playwright.sync_api import expect

from portal import models, workspace
from tests.approvals import steps
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, become, decisions_of, shows, states_of, until, waiting

pytestmark = pytest.mark.journey


def test_without_javascript_approve_reject_and_undo_work(desk: Desk) -> None:
    cast = desk.cast
    approved, rejected, *several = waiting(cast, 5)
    page = desk.sign_in("rosa", java_script_enabled=False, viewport=WIDE)
    page.click(f".row a[data-item='proposal:{approved.pk}']")
    shows(page, approved)
    page.click("footer.decide button:text-is('Approve')")
    expect(page.locator(".toast").first).to_contain_text("Approved")
    become(cast, approved, "applied")
    page.click(".toast a:text-is('Undo')")
    page.click("button:text-is('Undo exactly this')")

    def is_back() -> bool:
        with workspace.within(cast.ws):
            return models.Ticket.objects.get(ticket_id=approved.target.partition(":")[2]).priority == "P3"

    until(is_back, 60)
    expect(page.locator(".item-head")).to_contain_text("undo of")  # the page that waits goes on by itself

    page.goto(desk.base)
    page.click(f".row a[data-item='proposal:{rejected.pk}']")
    page.click("footer.decide summary:has-text('Reject')")
    page.check("footer.decide input[value=not_needed]")
    page.click("footer.decide details[open] button")
    expect(page.locator(".toast").first).to_contain_text("Rejected.")
    page.click(".toast button:text-is('Undo')")
    expect(page.locator(".toast").first).to_contain_text("It waits for a decision again.")
    shows(page, rejected)
    page.click("footer.decide summary:has-text('Reject')")
    page.check("footer.decide input[value=not_needed]")
    page.click("footer.decide details[open] button")
    assert steps.fresh(cast, rejected).state == "rejected"

    page.goto(desk.base)
    for row in several:
        page.check(f".row:has(a[data-item='proposal:{row.pk}']) .pick input")
    page.click("#together .button")
    expect(page.locator("input[name=member]:checked")).to_have_count(3)
    page.click("button:text-is('Go on with what is ticked')")
    page.click("button:text-is('Approve all 3')")
    expect(page.locator("h1")).to_have_text("3 approved together")
    page.click("button:text-is('Undo all 3')")
    expect(page.locator("h1")).to_contain_text("3 stopped")
    assert states_of(cast, several) == {"pending"}
    print(f"\nwithout scripts: {decisions_of(cast)} decisions")
