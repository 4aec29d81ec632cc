"""A reply begun with a reusable text, and a colleague called in a note: without scripts, and on a phone."""

import pytest
from playwright.sync_api import Page, expect

from approvals.models import Proposal
from portal import workspace
from tests.approvals.test_managing import propose_handoff
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, until

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
PHONE = {"width": 390, "height": 844}


def fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.set_viewport_size(WIDE)


def test_a_reply_begins_with_a_text_and_a_colleague_is_called(desk: Desk) -> None:
    cast = desk.cast
    row = propose_handoff(cast)
    rosa = desk.sign_in("rosa", java_script_enabled=False, viewport=WIDE)
    rosa.goto(f"{desk.base}handoffs/{row.pk}/")
    fits_a_phone(rosa)
    rosa.click("footer.decide a:text-is('Reply to a customer')")
    rosa.fill("textarea[name=body]", "Good morning,")
    rosa.fill("input[name=clauses]", "R-1")
    rosa.select_option("select[name=text]", "holding-de")
    rosa.click("button:text-is('Insert')")
    body = rosa.locator("textarea[name=body]")
    expect(body).to_have_value(
        "Good morning,\n\nVielen Dank für Ihre Nachricht. Eine Kollegin oder ein Kollege kümmert sich darum, und Sie"
        " hören von uns, sobald wir mehr wissen. Bis dahin müssen Sie nichts tun."
    )
    expect(rosa.locator("input[name=clauses]")).to_have_value("R-1")
    fits_a_phone(rosa)
    rosa.fill("input[name=clauses]", "")
    rosa.press("input[name=clauses]", "Enter")  # hands it in: the first button of the form is not the one of the text

    def proposed() -> bool:
        with workspace.within(cast.ws):
            return Proposal.objects.filter(action="ticket.reply").exists()

    until(proposed, 60)
    rosa.goto(f"{desk.base}handoffs/{row.pk}/")
    name = cast.people["ravi"].email.partition("@")[0]
    rosa.fill("textarea[name=outcome]", f"Told them to wait. @{name}, please see to it.")
    rosa.click("button:text-is('Resolve')")
    rosa.goto(f"{desk.base}handoffs/{row.pk}/")
    expect(rosa.locator(f"strong:text-is('@{name}')").first).to_be_visible()
    fits_a_phone(rosa)

    ravi = desk.sign_in("ravi", viewport=WIDE)

    def told() -> bool:
        ravi.goto(f"{desk.base}notices/")
        return ravi.locator("text=A colleague calls you in a note").count() == 1

    until(told, 60)
    ravi.click(".notices a")
    expect(ravi.locator("body")).to_contain_text("please see to it")
