"""A passkey in a real browser: set up on the page, asked for at sign-in, and taken as proof on high tier."""

from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from approvals.models import Decision
from portal import workspace
from portal.models import StepUp
from tests.approvals.test_second_wall import high
from tests.cast import PASSWORD
from tests.journeys.conftest import Desk
from tests.journeys.stories import opened, state_of, until

pytestmark = pytest.mark.journey


def authenticator(page: Page) -> CDPSession:
    """A security key in the browser's own emulation, which answers for its owner."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable")
    options: dict[str, Any] = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    client.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return client


def test_a_passkey_is_added_signs_in_and_proves_presence(desk: Desk) -> None:
    here = Desk(desk.cast, desk.root.replace("127.0.0.1", "localhost"), desk.open_page)  # a passkey needs a name
    proposal = high(here.cast)
    page = here.sign_in("ravi")
    key = authenticator(page)
    page.click("a:has-text('Security')")
    page.click("a:has-text('Add a passkey')")
    page.fill("input[name=password]", PASSWORD)
    page.click("button:has-text('Go on')")
    page.click("#add-passkey")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    page.context.clear_cookies()
    page.goto(f"{here.root}/accounts/login/?next=/w/{here.cast.workspace.slug}/")
    page.fill("input[name=login]", here.cast.people["ravi"].email)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.click("#use-passkey")
    page.wait_for_url(f"{here.base}**")
    opened(here, page, proposal)
    page.click("footer.decide button:has-text('Approve')")
    expect(page.locator("main dt:text-is('Amount') + dd")).to_have_text("900.00 EUR")
    page.click("#use-passkey")
    until(lambda: _votes(here) == [("webauthn", here.cast.id("ravi"))], 10)
    assert state_of(here.cast, proposal) == "pending"  # one of two
    expect(page.locator("#use-passkey")).to_have_count(0)
    key.send("WebAuthn.disable")  # a browser that still waits for a key does not always close
    key.detach()


def _votes(desk: Desk) -> list[tuple[str, int]]:
    with workspace.within(desk.cast.ws):
        used = StepUp.objects.in_bulk()
        return [(used[vote.step_up_id].method, vote.person_id) for vote in Decision.objects.all()]
