"""The list stays where it was scrolled to, and goes on below its first page: no decision throws back to its top."""

import pytest
from playwright.sync_api import Page, Route, expect

from approvals.models import Proposal
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, shows, waiting
from tests.journeys.test_next_item import loaded_ahead

pytestmark = pytest.mark.journey
SCROLLED = "() => document.querySelector('.queue').scrollTop"
IN_SIGHT = """() => {
    const row = document.querySelector(".row a[aria-current]").getBoundingClientRect();
    const queue = document.querySelector(".queue").getBoundingClientRect();
    return row.top >= queue.top - 1 && row.bottom <= queue.bottom + 1;
}"""


def sit_at(desk: Desk, count: int) -> tuple[Page, list[Proposal]]:
    """Rosa at so many rows, the first one read and the second fetched."""
    made = waiting(desk.cast, count)
    page = desk.sign_in("rosa", viewport=WIDE)
    loaded_ahead(page)
    return page, made


def pick_row(page: Page, proposal: Proposal) -> None:
    page.click(f".row a[data-item='proposal:{proposal.pk}']")
    shows(page, proposal)


def gone(page: Page, proposal: Proposal) -> None:
    expect(page.locator(f".row a[data-item='proposal:{proposal.pk}']")).to_have_count(0)
    expect(page.locator("[aria-busy=true]")).to_have_count(0)


def stands(page: Page, proposal: Proposal) -> None:
    """It is what is shown and marked, in sight in the list."""
    shows(page, proposal)
    expect(page.locator(".row a[aria-current]")).to_have_attribute("data-item", f"proposal:{proposal.pk}")
    assert page.evaluate(IN_SIGHT)


def test_a_decision_leaves_the_list_where_it_was_scrolled_to(desk: Desk) -> None:
    page, made = sit_at(desk, 24)
    pick_row(page, made[15])
    loaded_ahead(page)
    before = page.evaluate(SCROLLED)
    assert before > 0
    page.keyboard.press("a")
    gone(page, made[15])
    assert abs(page.evaluate(SCROLLED) - before) < 2
    stands(page, made[16])
    page.keyboard.press("r")  # the form opens; nothing is fetched ahead of it that a refusal could not take back
    page.check("footer.decide details[open] [value=duplicate]")
    page.evaluate("() => document.querySelector('#detail').removeAttribute('data-ahead')")
    page.click("footer.decide details[open] button")
    gone(page, made[16])
    assert abs(page.evaluate(SCROLLED) - before) < 2
    stands(page, made[17])


def test_the_list_goes_on_below_its_first_page(desk: Desk) -> None:
    page, made = sit_at(desk, 52)
    pick_row(page, made[24])
    expect(page.locator(".row")).to_have_count(50)  # the last row asks for what is below it
    loaded_ahead(page)
    pick_row(page, made[39])
    loaded_ahead(page)
    before = page.evaluate(SCROLLED)
    page.keyboard.press("a")
    gone(page, made[39])
    stands(page, made[40])
    assert abs(page.evaluate(SCROLLED) - before) < 2
    loaded_ahead(page)
    page.keyboard.press("j")
    stands(page, made[41])


def test_a_session_that_ended_is_told_once_somebody_presses_not_when_more_is_fetched_ahead(desk: Desk) -> None:
    page, made = sit_at(desk, 52)

    def end_first(route: Route) -> None:
        page.context.clear_cookies()
        route.continue_()

    page.route(lambda address: "after=" in address, end_first)
    with page.expect_response(lambda answer: "/accounts/login/" in answer.url):
        pick_row(page, made[24])
    page.wait_for_timeout(1000)
    shows(page, made[24])
    page.click("#more a")
    expect(page.locator("input[name=login]")).to_be_visible()
