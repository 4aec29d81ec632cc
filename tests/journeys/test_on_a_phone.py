"""On a phone, by touch: from the list to an item and back, approve, reject, undo; all of it in reach and in sight."""

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Desk
from tests.journeys.stories import become, decisions_of, refund, reply, shows, state_of, until, waiting

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LEAST = 24  # px, WCAG 2.2, 2.5.8; what stands in a line of text is left out there as well

TARGETS = """least => {
  const aims = document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden])");
  const small = [];
  let count = 0;
  for (const aim of aims) {
    if (!aim.checkVisibility() || aim.matches("a") && getComputedStyle(aim).display === "inline") continue;
    const box = (aim.closest("label") ?? aim).getBoundingClientRect();
    if (box.bottom < 0 || box.right < 0) continue;  // the link that skips, until it has the focus
    count += 1;
    if (box.width < least || box.height < least) small.push(aim.outerHTML.slice(0, 120));
  }
  return [count, small, document.documentElement.scrollWidth, innerWidth];
}"""


@dataclass
class Phone:
    """A page and what was found wrong with what it showed."""

    page: Page
    seen: int = 0
    taps: int = 0
    targets: int = 0
    wrong: list[str] = field(default_factory=list)

    def tap(self, selector: str) -> None:
        self.taps += 1
        self.page.locator(f"{selector} >> visible=true").first.tap()

    def look(self) -> None:
        """At what is shown now."""
        count, small, width, screen = self.page.evaluate(TARGETS, LEAST)
        self.seen += 1
        self.targets += count
        self.wrong += [f"{self.page.url}: under {LEAST} px: {one}" for one in small]
        if width > screen or screen > PHONE["viewport"]["width"]:  # type: ignore[index]
            self.wrong.append(f"{self.page.url}: {width} px wide of {screen}")


def test_the_desk_on_a_phone(desk: Desk) -> None:
    first, second, third = waiting(desk.cast, 3)
    long = reply(desk.cast, f"Dear Cleo,\nsee https://example.com/{'a' * 120} or {'so' * 60}.")
    money = refund(desk.cast)
    page = desk.sign_in("rosa", **PHONE)
    phone = Phone(page)
    expect(page.locator(".row")).to_have_count(5)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload(wait_until="networkidle")
    expect(page.locator("#detail .item")).to_have_count(0)
    assert [url for url in asked if re.search(r"/proposals/\d+/", url)] == []  # the list alone, nothing looked at
    phone.look()

    for row in (long, money):  # there and back
        phone.tap(f".row a[data-item='proposal:{row.pk}']")
        shows(page, row)
        phone.look()
        phone.tap("article .back")
        expect(page.locator(".row").first).to_be_visible()

    phone.tap(f".row a[data-item='proposal:{first.pk}']")
    shows(page, first)
    phone.tap("footer.decide button:text-is('Approve')")
    expect(page.locator(".toast").first).to_contain_text("Approved")
    phone.look()
    become(desk.cast, first, "applied")
    phone.tap(".toast [data-key=u]")
    expect(page.locator("button:text-is('Undo exactly this')")).to_be_visible()
    phone.look()
    phone.tap("button:text-is('Undo exactly this')")
    expect(page.locator(".item-head")).to_contain_text("undo of")
    phone.look()

    phone.tap(".top-nav a:text-is('Queue')")
    phone.tap(f".row a[data-item='proposal:{second.pk}']")
    shows(page, second)
    phone.tap("footer.decide summary:has-text('Reject')")
    phone.tap("footer.decide label:has([value=not_needed])")
    phone.look()
    phone.tap("footer.decide details[open] button")
    expect(page.locator(".toast").first).to_contain_text("Rejected")
    phone.look()
    phone.tap(".toast [data-key=u]")
    expect(page.locator(".toast").first).to_contain_text("waits for a decision again")
    shows(page, second)
    assert state_of(desk.cast, second) == "pending"
    phone.look()

    phone.tap("footer.decide a:text-is('Edit')")
    expect(page).to_have_url(re.compile("/edit/"))
    phone.look()
    phone.tap("a:text-is('Leave it')")
    shows(page, second)
    phone.tap(".top-nav a:text-is('Queue')")
    for row in (second, third):
        phone.tap(f".row:has(a[data-item='proposal:{row.pk}']) .pick")
    phone.look()
    phone.tap("#together .button")
    expect(page.locator("input[name=member]:checked")).to_have_count(2)
    phone.look()
    phone.tap("button:text-is('Go on with what is ticked')")
    expect(page.locator("button:text-is('Approve all 2')")).to_be_visible()
    phone.look()
    phone.tap("button:text-is('Approve all 2')")
    expect(page.locator("h1")).to_have_text("2 approved together")
    phone.look()
    phone.tap("button:text-is('Undo all 2')")
    expect(page.locator("h1")).to_contain_text("2 stopped")
    phone.look()
    for way in ("Hand-offs", "Cases"):
        phone.tap(f".top-nav a:text-is('{way}')")
        expect(page.locator(f".top-nav a:text-is('{way}')")).to_have_attribute("aria-current", "true")
        phone.look()
    until(lambda: state_of(desk.cast, second) == "pending", 20)
    print(
        f"\nphone: {phone.taps} taps, {decisions_of(desk.cast)} decisions; {phone.seen} looks, {phone.targets} targets,"
        f" {len(phone.wrong)} too wide or too small"
    )
    assert not phone.wrong, "\n".join(sorted(set(phone.wrong)))
