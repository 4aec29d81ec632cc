"""The next item is there at once, the list does not jump, and nothing that was decided ahead of an answer is lost."""

import json
import statistics
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, shows, states_of, until, waiting

pytestmark = pytest.mark.journey
ITEMS, FELT_MS = 14, 100

# From the press to the first frame that shows another item, and the key of what is shown then.
APPROVE = """() => new Promise((done) => {
    const item = () => document.querySelector("#detail .item").dataset.item;
    const before = item(), start = performance.now();
    document.querySelector(".decide [data-key=a]").click();
    const look = () => item() === before ? requestAnimationFrame(look)
        : requestAnimationFrame(() => done([performance.now() - start, item()]));
    requestAnimationFrame(look);
})"""
SHIFTS = """() => { window.shifts = 0; new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts += entry.value;
}).observe({ type: "layout-shift", buffered: true }); }"""


def loaded_ahead(page: Page) -> None:
    page.wait_for_selector("#detail[data-ahead]", state="attached")


def test_the_next_item_is_there_within_a_tenth_of_a_second_and_nothing_jumps(desk: Desk) -> None:
    made = waiting(desk.cast, ITEMS)
    page = desk.sign_in("rosa", viewport=WIDE)
    expect(page.locator("#detail .item")).to_be_visible()
    page.evaluate(SHIFTS)
    taken, shown = [], []
    for _ in range(ITEMS - 1):
        loaded_ahead(page)
        page.wait_for_timeout(600)  # somebody reads; what moves now was not asked for
        lasted, item = page.evaluate(APPROVE)
        expect(page.locator("[aria-busy=true]")).to_have_count(0)  # nothing is waited for once the answer is there
        taken.append(lasted)
        shown.append(item)
    page.wait_for_timeout(600)
    until(lambda: states_of(desk.cast, made[:-1]) == {"applied"}, 60)
    shift = page.evaluate("() => window.shifts")
    print(
        f"next item in {statistics.median(taken):.0f} ms, most {max(taken):.0f} of {FELT_MS}; layout shift {shift:.4f}"
    )
    assert len(set(shown)) == ITEMS - 1, "each item is shown once"
    assert statistics.median(taken) < FELT_MS
    assert shift == 0
    left = page.locator(".row a").evaluate_all("links => links.map((link) => link.dataset.item)")
    assert left == [f"proposal:{made[-1].pk}"], "what is decided is no row any more"


def test_a_decision_that_is_refused_comes_back_with_its_reason(desk: Desk) -> None:
    first, second = waiting(desk.cast, 2)
    page = desk.sign_in("rosa", viewport=WIDE)
    expect(page.locator(f"article[data-item='proposal:{first.pk}']")).to_be_visible()
    loaded_ahead(page)
    steps.approve(desk.cast, first, "ravi")
    page.keyboard.press("a")
    expect(page.locator(f"article[data-item='proposal:{first.pk}'] .problem").first).to_be_visible()
    assert steps.fresh(desk.cast, second).state == "pending"


def test_what_is_written_on_the_next_item_outlives_the_answer_to_the_last(desk: Desk) -> None:
    first, second = waiting(desk.cast, 2)
    page = desk.sign_in("rosa", viewport=WIDE)
    expect(page.locator(f"article[data-item='proposal:{first.pk}']")).to_be_visible()
    loaded_ahead(page)
    slow: list[Route] = []
    page.route("**/approve/**", lambda route: slow.append(route))
    page.keyboard.press("a")
    expect(page.locator(f"article[data-item='proposal:{second.pk}']")).to_be_visible()
    page.keyboard.press("r")
    page.fill("footer.decide details[open] textarea[name=note]", "Not this one.")
    slow[0].continue_()
    expect(page.locator(".toast").first).to_be_visible()
    expect(page.locator("footer.decide details[open] textarea[name=note]")).to_have_value("Not this one.")
    expect(page.locator(f".row a[data-item='proposal:{first.pk}']")).to_have_count(0)
    assert steps.fresh(desk.cast, second).state == "pending"


def test_what_was_asked_for_last_is_what_is_shown(desk: Desk) -> None:
    first, second = waiting(desk.cast, 2)
    page = desk.open_page(viewport=WIDE)
    slow: list[Route] = []
    page.route(f"**/proposals/{first.pk}/", lambda route: slow.append(route))
    with page.expect_request(f"**/proposals/{first.pk}/"):
        desk.seat(page, "rosa")
    page.keyboard.press("j")
    shows(page, second)
    assert slow
    for late in slow:
        late.continue_()
    page.wait_for_load_state("networkidle")
    shows(page, second)


def test_time_before_it_was_shown_is_no_time_it_was_looked_at(desk: Desk) -> None:
    _, second = waiting(desk.cast, 2)
    page = desk.sign_in("rosa", viewport=WIDE)
    loaded_ahead(page)
    page.wait_for_timeout(4_000)
    page.keyboard.press("a")
    expect(page.locator(f"article[data-item='proposal:{second.pk}']")).to_be_visible()
    page.keyboard.press("a")
    until(lambda: len(decided(desk.cast)) == 2, 20)
    lasted = sorted(decided(desk.cast))
    assert lasted[0] <= 2
    assert lasted[1] >= 3


def decided(cast: Cast) -> list[Any]:
    with workspace.within(cast.ws):
        rows = Entry.objects.filter(event="decision.recorded").order_by("pk")
        return [json.loads(row.canonical)["body"]["seconds"] for row in rows]
