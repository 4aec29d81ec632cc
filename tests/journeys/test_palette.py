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
    expect(lines).to_have_text(["Snooze", "Snoozed"])
    page.keyboard.press("Enter")
    expect(page.locator("footer.decide details[open] input[name=minutes]").first).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("overdue")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("view=overdue"))
    expect(page.locator(".views a[aria-current]")).to_have_text("Overdue")
