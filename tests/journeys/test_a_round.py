"""A manager's round: what was escalated, who gets it, what the customer is told, what the next shift must know."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals.models import Handoff, Proposal
from portal import workspace
from tests.approvals import outside, steps
from tests.approvals.test_managing import propose_handoff
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, become, decisions_of, opened, until, waiting
from tests.presence import Codes
from tests.provider.process import Provider

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(Path(tmp_path_factory.mktemp("provider")) / "ledger.jsonl") as running:
        yield running


def section(title: str) -> str:
    """The part of the page below this heading."""
    return f"section:has(h2:has-text('{title}'))"


def give_away(page: Page, cast: Cast, row: Handoff) -> None:
    page.click(".top-nav a:text-is('Manage')")
    page.click("main a:text-is('Escalations')")
    expect(page.locator(section("Missing data"))).to_contain_text("1 open")
    give = page.locator(f"form:has(input[value='handoff:{row.pk}'])")
    give.locator("select").select_option(str(cast.id("ravi")))
    give.locator("button").click()
    in_hand = page.locator(f"{section('Missing data')} [data-name='in hand']")
    expect(in_hand).to_have_text(cast.people["ravi"].name)  # the list to choose from names him as well
    expect(page.locator("h1")).to_have_text("Escalations")


def tell_the_customer(page: Page, cast: Cast) -> Proposal:
    page.click("a:text-is('Holding message')")
    expect(page.locator("textarea[name=body]")).to_have_value(re.compile("A colleague is looking into it"))
    page.click("button.primary:text-is('Hand it in')")
    expect(page.locator("footer.decide")).to_contain_text("You proposed this; somebody else approves it.")
    with workspace.within(cast.ws):
        return Proposal.objects.get(action="ticket.reply")


def leave_a_note(page: Page) -> None:
    page.click(".top-nav a:text-is('Manage')")
    page.click("main a:text-is('Escalations')")
    page.fill("textarea[name=text]", "Parcels to Graz are late since Friday.")
    page.click("button:text-is('Leave the note')")
    expect(page.locator(section("Notes for the next shift"))).to_contain_text("Parcels to Graz")


def throw_and_lift(desk: Desk, page: Page, rosa: Page, row: Proposal) -> None:
    """While it is thrown everybody sees why, and nobody decides; lifted, it goes on."""
    page.click(".top-nav a:text-is('Manage')")
    page.click("main a:text-is('Switches')")
    page.select_option("select[name=switch]", "freeze:ticket.update")
    page.fill("input[name=reason]", "The queues are being renamed.")
    page.click("button:text-is('Throw it')")
    expect(page.locator("#standing")).to_contain_text("The queues are being renamed.")
    opened(desk, rosa, row)
    expect(rosa.locator("#standing")).to_contain_text("The queues are being renamed.")
    expect(rosa.locator("footer.decide")).to_contain_text("Switched off")
    expect(rosa.locator("footer.decide button:text-is('Approve')")).to_have_count(0)
    page.fill("article.switch input[name=reason]", "They are renamed.")
    page.click("button:text-is('Restore')")
    expect(page.locator("#standing")).to_be_empty()
    opened(desk, rosa, row)
    expect(rosa.locator("#standing")).to_be_empty()
    rosa.click("footer.decide button:text-is('Approve')")
    expect(rosa.locator(".toast").first).to_contain_text("Approved")
    become(desk.cast, row, "applied")


def nobody_knows(cast: Cast, provider: Provider) -> Proposal:
    """A refund whose answer was lost on the way, at a provider that cannot be asked."""
    outside.serve(cast, provider, idempotency_hours=0, lookup=False)
    provider.fault("drop_after_effect")
    row = outside.refund(cast, provider)
    become(cast, row, "unknown")
    return row


def say_what_became_of_it(page: Page, cast: Cast, row: Proposal, codes: Codes) -> None:
    page.click(".top-nav a:text-is('Manage')")
    page.click(f"{section('Unknown')} a[href*='/proposals/{row.pk}/']")
    page.click("footer.decide summary:has-text('Say what became of it')")
    page.check("input[name=happened][value=yes]")
    page.fill("textarea[name=evidence]", "re_1 in their list of today.")
    page.click("button:text-is('Record it')")
    page.fill("input[name=code]", codes.fresh(timezone.now()))
    page.press("input[name=code]", "Enter")
    expect(page.locator(".toast").first).to_contain_text(re.compile("Noted|carried out"))  # by then it may be booked
    become(cast, row, "applied")
    page.click(".top-nav a:text-is('Manage')")
    expect(page.locator(section("Unknown"))).to_contain_text("we know what became of it")


def test_a_managers_round(desk: Desk, provider: Provider) -> None:
    cast, codes = desk.cast, Codes(desk.cast, "mara")
    handoff, (frozen,), lost = propose_handoff(cast), waiting(cast, 1), nobody_knows(cast, provider)
    mara, rosa = desk.sign_in("mara", codes, viewport=WIDE), desk.sign_in("rosa", viewport=WIDE)
    give_away(mara, cast, handoff)
    message = tell_the_customer(mara, cast)
    leave_a_note(mara)
    throw_and_lift(desk, mara, rosa, frozen)
    say_what_became_of_it(mara, cast, lost, codes)
    for way, head in (("Sweeps", "Sweeps"), ("Undo together", "Undo together"), ("Evaluations", "Evaluations")):
        mara.click(".top-nav a:text-is('Manage')")
        mara.click(f"main a:text-is('{way}')")
        expect(mara.locator("h1")).to_contain_text(head)
    mara.click(".top-nav a:text-is('Manage')")
    mara.click("main a:text-is('Escalations')")
    mara.click("button:text-is('Settled')")
    expect(mara.locator(section("Notes for the next shift"))).to_contain_text("Nobody left a note.")
    opened(desk, rosa, message)
    rosa.click("footer.decide button:text-is('Approve')")
    expect(rosa.locator(".toast").first).to_contain_text("Approved")
    until(lambda: steps.fresh(cast, message).state in ("approved", "applied"), 20)
    print(
        "\na round: given away, message approved, note left and settled, switch thrown and lifted, unknown resolved;"
        f" {decisions_of(cast)} decisions"
    )
