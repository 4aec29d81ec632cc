"""An item and a case on paper: what a printer gets of the page, in the browser's own print media."""

import pytest
from playwright.sync_api import Page, expect

from tests.approvals import steps
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, refund

pytestmark = pytest.mark.journey
CONTROLS = "button, .button, form, .top, .decide, .starts, .back, .skip, #toasts"


def no_control(page: Page) -> None:
    seen = "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML)"
    shown = page.locator(CONTROLS).evaluate_all(seen)
    assert shown == []


def test_it_is_printed_without_scripts_too(desk: Desk) -> None:
    row = refund(desk.cast)
    page = desk.sign_in("rosa", viewport=WIDE, java_script_enabled=False)
    page.goto(f"{desk.base}cases/{row.case_id}/")
    page.get_by_role("link", name="Print", exact=True).click()
    expect(page.locator(".printed")).to_contain_text("Printed by Rosa Lindqvist")
    page.emulate_media(media="print")
    no_control(page)


def test_what_is_folded_is_on_paper_and_no_control_is(desk: Desk) -> None:
    row = refund(desk.cast)
    steps.order(desk.cast, amount=1_799)
    page = desk.sign_in("rosa", viewport=WIDE)
    for where in (f"proposals/{row.pk}/", f"cases/{row.case_id}/"):
        page.goto(f"{desk.base}{where}")
        expect(page.locator(".orders table")).to_have_count(2)
        folded = page.locator(".orders details:not([open])").first
        expect(folded.locator("table")).to_be_hidden()
        page.emulate_media(media="print")
        no_control(page)  # the page as it stands, by the browser's own command
        expect(folded.locator("table")).to_be_visible()
        page.emulate_media(media="screen")
        page.get_by_role("link", name="Print", exact=True).click()
        expect(page.locator(".printed")).to_contain_text("Printed by Rosa Lindqvist")
        page.emulate_media(media="print")
        no_control(page)
        expect(page.locator(".orders table")).to_have_count(2)
        for table in page.locator(".orders table").all():
            expect(table).to_be_visible()
        expect(page.locator(".printed")).to_be_visible()
        expect(page.locator(".timeline")).to_be_visible()
        page.emulate_media(media="screen")
