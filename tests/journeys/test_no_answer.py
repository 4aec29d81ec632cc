"""The server does not answer: nothing that was decided or written is lost without a word, and no toast goes for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from approvals.models import Proposal
from tests.approvals import steps
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, shows, state_of, until, waiting
from tests.journeys.test_next_item import loaded_ahead

pytestmark = pytest.mark.journey
NOTE = "She asked for something else."
POLL = "htmx.ajax('GET', document.querySelector('#news').getAttribute('hx-get'), {source: '#news'}).catch(() => 0)"


@pytest.fixture
def rough(desk: Desk, browser: Browser) -> Iterator[Desk]:
    """The desk at a browser whose console may say that a request failed."""
    contexts = []

    def open_page(**options: Any) -> Page:
        contexts.append(browser.new_context(**options))
        return contexts[-1].new_page()

    yield Desk(desk.cast, desk.root, open_page)
    for context in contexts:
        context.close()


def reject(page: Page) -> None:
    page.click("footer.decide summary:has-text('Reject')")
    page.check("footer.decide [value=not_needed]")
    page.fill("footer.decide details[open] textarea[name=note]", NOTE)
    page.click("footer.decide details[open] button")


def sat_down(desk: Desk, row: Proposal) -> Page:
    page = desk.sign_in("rosa", viewport=WIDE)
    shows(page, row)
    loaded_ahead(page)
    return page


@pytest.mark.parametrize("fails", ["aborted", "offline", "unavailable"])
def test_a_decision_without_an_answer_is_told_and_what_was_written_comes_back(rough: Desk, fails: str) -> None:
    first, second = waiting(rough.cast, 2)
    page = sat_down(rough, first)

    def fail(route: Route) -> None:
        route.fulfill(status=503, body="busy") if fails == "unavailable" else route.abort()

    page.context.set_offline(fails == "offline")
    if fails != "offline":
        page.route("**/reject/**", fail)
    reject(page)
    toast = page.locator(f".toast[data-about='proposal:{first.pk}']")
    expect(toast).to_contain_text("No answer from the server")
    expect(toast).to_contain_text(first.summary)
    shows(page, second)
    expect(page.locator(".row.going")).to_have_count(0)
    page.context.set_offline(False)
    page.unroute_all()
    toast.locator("button:text-is('Back to it')").click()
    shows(page, first)
    expect(toast).to_have_count(0)
    expect(page.locator("footer.decide textarea[name=note]")).to_have_value(NOTE)
    expect(page.locator(f".row a[data-item='proposal:{first.pk}']")).to_have_attribute("aria-current", "true")
    page.click("footer.decide details[open] button.primary:not(summary)")
    until(lambda: state_of(rough.cast, first) == "rejected", 20)
    assert steps.fresh(rough.cast, second).state == "pending"


def test_its_row_leads_back_to_what_was_written_too(rough: Desk) -> None:
    first, second = waiting(rough.cast, 2)
    page = sat_down(rough, first)
    page.route("**/reject/**", lambda route: route.abort())
    reject(page)
    expect(page.locator(".toast").first).to_contain_text("What you wrote is kept")
    shows(page, second)
    page.click(f".row a[data-item='proposal:{first.pk}']")
    expect(page.locator("footer.decide textarea[name=note]")).to_have_value(NOTE)


def test_a_poll_that_fails_leaves_the_toasts_and_says_quietly_that_the_page_is_old(rough: Desk) -> None:
    first, _ = waiting(rough.cast, 2)
    page = sat_down(rough, first)
    page.keyboard.press("c")
    toast = page.locator(".toast")
    expect(toast).to_contain_text("In your hands.")
    toast.hover()  # so it stays for as long as this takes
    page.route("**/new/**", lambda route: route.abort())
    page.evaluate(POLL)
    expect(page.locator("#behind")).to_be_visible()
    expect(toast).to_have_count(1)
    expect(toast).to_contain_text("In your hands.")
    page.unroute_all()
    page.evaluate(POLL)
    expect(page.locator("#behind")).to_be_hidden()


def test_the_answer_to_a_form_that_is_gone_is_told_all_the_same(desk: Desk) -> None:
    first, _ = waiting(desk.cast, 2)
    page = sat_down(desk, first)
    held: list[Route] = []
    page.route("**/claims/*/", lambda route: held.append(route))  # a bound method of a list cannot be marked
    page.keyboard.press("c")
    until(lambda: bool(held) or page.wait_for_timeout(50), 20)
    page.evaluate("document.querySelector('#detail').replaceChildren()")  # another item was opened meanwhile
    held[0].continue_()
    expect(page.locator(".toast").first).to_contain_text("In your hands.")


def test_toasts_of_quick_decisions_stand_together_newest_on_top(desk: Desk) -> None:
    first, second, third = waiting(desk.cast, 3)
    page = sat_down(desk, first)
    page.keyboard.press("r")
    page.check("footer.decide [value=not_needed]")
    page.click("footer.decide details[open] button")
    shows(page, second)
    expect(page.locator(".toast")).to_have_count(1)
    reject(page)
    shows(page, third)
    toasts = page.locator(".toast")
    expect(toasts).to_have_count(2)
    expect(toasts.first).to_have_attribute("data-about", f"proposal:{second.pk}")
    toasts.nth(1).locator("button:text-is('Undo')").click()
    until(lambda: state_of(desk.cast, first) == "pending", 20)
    expect(toasts.first).to_contain_text("It waits for a decision again.")
    expect(toasts).to_have_count(2)
    assert state_of(desk.cast, second) == "rejected"


def test_a_slow_answer_shows_that_it_is_waited_for(desk: Desk) -> None:
    first, _ = waiting(desk.cast, 2)
    page = sat_down(desk, first)
    slow: list[Route] = []
    page.route(
        "**/claims/**", lambda route: slow.append(route) if "others" not in route.request.url else route.continue_()
    )
    page.click("footer.decide button:text-is('Claim')")
    expect(page.locator("#desk[aria-busy=true]")).to_have_count(1)
    expect(page.locator("footer.decide button:text-is('Claim')")).to_be_disabled()
    slow[0].continue_()
    expect(page.locator(".hand")).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
