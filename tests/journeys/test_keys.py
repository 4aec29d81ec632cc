"""Every key has a visible equal: what the table of keys says is pressed, and clicked, and does the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from approvals import claims
from portal import workspace
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, reject, shows, state_of, until, waiting

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
SCRIPT = Path(__file__).parents[2] / "static/countersign.js"
Check = Callable[[Page, Cast, Any], None]


@dataclass
class Equal:
    """What is clicked instead, and what must be so after either."""

    click: str
    then: Check
    opens: int = 0  # which of the items is looked at before


def current(number: int) -> Check:
    def check(page: Page, cast: Cast, rows: Any) -> None:
        link = page.locator(f".row a[data-item='proposal:{rows[number].pk}']")
        expect(link).to_have_attribute("aria-current", "true")
        shows(page, rows[number])

    return check


def state(wanted: str) -> Check:
    def check(page: Page, cast: Cast, rows: Any) -> None:
        until(lambda: state_of(cast, rows[0]) in wanted.split(), 60)

    return check


def sees(selector: str) -> Check:
    return lambda page, cast, rows: expect(page.locator(selector).first).to_be_visible()


def focused(selector: str) -> Check:
    return lambda page, cast, rows: expect(page.locator(selector).first).to_be_focused()


def address(pattern: str) -> Check:
    return lambda page, cast, rows: expect(page).to_have_url(re.compile(pattern))


def ticked(page: Page, cast: Cast, rows: Any) -> None:
    expect(page.locator(f".row:has(a[data-item='proposal:{rows[0].pk}']) .pick input")).to_be_checked()
    expect(page.locator("#together")).to_contain_text("1 together")


EQUAL: dict[str, Equal] = {
    "j": Equal(".row:nth-child(2) a", current(1)),
    "k": Equal(".row:nth-child(1) a", current(0), opens=1),
    "Enter": Equal(".row:nth-child(1) a", address(r"/proposals/\d+/")),
    "a": Equal("footer.decide button:text-is('Approve')", state("approved applying applied")),
    "r": Equal("footer.decide summary:has-text('Reject')", sees("footer.decide [name=reason]")),
    "e": Equal("footer.decide a:text-is('Edit')", address(r"/proposals/\d+/edit/")),
    "x": Equal(".row:nth-child(1) .pick", ticked),
    "n": Equal("button:text-is('Claim next')", sees(".hand")),
    "c": Equal("footer.decide button:text-is('Claim')", sees(".hand")),
    "s": Equal("footer.decide summary:has-text('Snooze')", sees("footer.decide [name=minutes]")),
    "u": Equal(".toast [data-key=u]", state("pending")),
    "/": Equal("input[name=q]", focused("input[name=q]")),
    "Ctrl+K": Equal("[data-open=palette]", sees("#palette li")),
    "?": Equal("[data-open=keys]", sees("#keys")),
}


def said(page: Page) -> set[str]:
    """The keys of the table, as the page shows it."""
    page.keyboard.press("?")
    rows = page.locator("#keys dt").all()
    return {key for row in rows for key in _keys([one.inner_text() for one in row.locator("kbd").all()])}


def _keys(shown: list[str]) -> list[str]:
    return ["+".join(shown)] if shown[0] == "Ctrl" else shown


def listened_for() -> set[str]:
    """The keys that the script asks about."""
    text = SCRIPT.read_text()
    letters = re.search(r'"(\w+/)"\.includes\(event\.key\)', text)
    moves = re.search(r"const moves = {(.*)};", text)
    assert letters
    assert moves
    named = re.findall(r'"?([a-z?])"?: (?:\(\)|pickHere)', moves.group(1))
    return {*letters.group(1), *named, "Enter", "Ctrl+K"}


def test_every_key_has_a_visible_equal(desk: Desk) -> None:
    pressed = clicked = 0
    page = desk.sign_in("rosa", viewport=WIDE)
    keys = said(page)
    assert keys == listened_for() == set(EQUAL)
    for key, equal in EQUAL.items():
        for by_key in (True, False):
            rows = waiting(desk.cast, 2)
            begin(desk, page, rows, equal.opens, rejected=key == "u")
            aim = page.locator(equal.click).first
            expect(aim).to_be_visible()
            if by_key:
                page.keyboard.press(key.replace("Ctrl", "Control").replace("+K", "+k"))
                pressed += 1
            else:
                aim.click()
                clicked += 1
            equal.then(page, desk.cast, rows)
            clear(desk.cast, rows)
    print(f"\nkeys: {len(keys)} in the table, {pressed} pressed, {clicked} clicked on what can be seen, all equal")


def begin(desk: Desk, page: Page, rows: Any, opens: int, *, rejected: bool) -> None:
    """The queue with just these two, one of them opened; of one that was rejected the toast is there."""
    page.goto(desk.base)
    page.evaluate("sessionStorage.clear()")
    page.goto(desk.base)
    expect(page.locator(".row")).to_have_count(2)
    expect(page.locator("#detail .item")).to_be_visible()
    if opens:
        page.click(f".row:nth-child({opens + 1}) a")
        current(opens)(page, desk.cast, rows)
    if rejected:
        page.click("footer.decide summary:has-text('Reject')")
        page.check("footer.decide [value=not_needed]")
        page.click("footer.decide details[open] button")
        expect(page.locator(".toast").first).to_contain_text("Rejected.")


def clear(cast: Cast, rows: Any) -> None:
    """Nothing of them waits any more, nor is in anybody's hands."""
    for row in rows:
        with workspace.within(cast.ws, cast.id("rosa")):
            claims.release(workspace=cast.ws, item=f"proposal:{row.pk}", person=cast.id("rosa"))
        if state_of(cast, row) == "pending":
            reject(cast, row, "ravi")


# Until the next frame the browser leaves the focus where it was, in what is closed.
SHUT_AND_ON = """() => {
  document.querySelector("#keys").close();
  document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "j", bubbles: true }));
}"""


def test_a_key_that_follows_the_closing_of_a_dialog_at_once_counts(desk: Desk) -> None:
    first, second = waiting(desk.cast, 2)
    page = desk.sign_in("rosa", viewport=WIDE)
    shows(page, first)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.evaluate(SHUT_AND_ON)
    shows(page, second)
