"""Ctrl-K: whatever the page offers is found by its name, and done by Enter."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, waiting

pytestmark = pytest.mark.journey


def test_what_the_page_offers_is_found_by_its_name(desk: Desk) -> None:
    waiting(desk.cast, 1)
    page = desk.sign_in("rosa", viewport=WIDE)
    expect(page.locator("#detail .item")).to_be_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("snoo")
    lines = page.locator("#palette li")
    expect(lines).to_have_text(["Snooze", "Snoozed", "Hand-offs: Snoozed"])
    page.keyboard.press("Enter")
    expect(page.locator("footer.decide details[open] input[name=minutes]").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("overdue")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("view=overdue"))
    expect(page.locator(".views a[aria-current]")).to_have_text("Overdue")


def test_it_leads_anywhere_from_any_page_and_finds_by_number(desk: Desk) -> None:
    (row,) = waiting(desk.cast, 1)
    page = desk.sign_in("mara", viewport=WIDE)
    page.goto(f"{desk.base}cases/")
    box, lines = page.locator("#palette input"), page.locator("#palette li")
    page.keyboard.press("Control+k")
    assert lines.count() > 30, "all places, though this page links few of them"
    expect(page.get_by_role("combobox", name="What to do")).to_be_focused()
    page.keyboard.press("ArrowDown")
    marked = page.get_by_role("option", selected=True)
    expect(box).to_have_attribute("aria-activedescendant", "palette-1")
    expect(marked).to_have_id("palette-1")
    page.keyboard.type("switches")
    expect(lines).to_have_text(["Switches"])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/switches/$"))
    page.keyboard.press("Control+k")
    page.keyboard.type("no such place")
    expect(page.locator("#palette p")).to_be_visible()
    box.fill(str(row.case_id))
    expect(lines.first).to_have_text(f"Case number {row.case_id}")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(f"/cases/{row.case_id}/$"))
    ticket = row.target.partition(":")[2]
    page.keyboard.press("Control+k")
    page.keyboard.type(ticket)
    lines.filter(has_text="Proposals about the order, ticket or contact").click()
    expect(page.locator(f".row a[data-item='proposal:{row.pk}']")).to_be_visible()
