"""Two ways to work the same desk: by keyboard alone, and by mouse alone. What each touched is counted in the page.

Words are written with the keyboard by either; the mouse presses no key but those, not even Enter.
"""

from typing import Any

from playwright.sync_api import Locator, Page, expect

from approvals.models import Proposal
from tests.journeys.stories import shows

# Storage outlives the pages of a story; a key in a field for words is no key of the desk.
COUNTED = """
  const used = (kind) => localStorage.setItem(`used ${kind}`, 1 + Number(localStorage.getItem(`used ${kind}`)));
  const words = "textarea, input:not([type=checkbox], [type=radio])";
  addEventListener("pointerdown", () => used("pointer"), true);
  addEventListener("keydown", (event) => {
    used(event.target.matches?.(words) && (event.key.length === 1 || event.key === "Backspace") ? "letters" : "keys");
  }, true);
"""
FOCUSED = """() => {
  const at = document.activeElement;
  return [(at.querySelector(".closed") ?? at).innerText?.trim() || at.value, at.name, at.type, at.checked];
}"""


class Hands:
    """One person at one browser; `steps` are what they did, a word written counting as one."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.steps = 0
        page.context.add_init_script(COUNTED)

    def used(self, kind: str) -> int:
        """How often the page saw a `pointer`, `keys`, or `letters`."""
        return int(self.page.evaluate("kind => Number(localStorage.getItem(`used ${kind}`))", kind))

    def write(self, text: str) -> None:
        """Into what has the focus."""
        self.steps += 1
        self.page.keyboard.insert_text(text) if "\n" in text else self.page.keyboard.type(text)

    def go(self, name: str) -> None:
        """To another page, which the palette knows by that name; there once it is loaded."""
        with self.page.expect_navigation():
            self.pick_from_palette(name)

    def pick_from_palette(self, name: str) -> None:
        raise NotImplementedError


class Keyboard(Hands):
    """Keys, Tab and Enter."""

    def press(self, key: str) -> None:
        self.steps += 1
        self.page.keyboard.press(key)

    def to(self, name: str, by: str = "Tab") -> None:
        """From stop to stop until one that is called so, by its words or its field, has the focus."""
        for _ in range(200):
            if name in self.page.evaluate(FOCUSED)[:2]:
                return
            self.page.keyboard.press(by)
        raise AssertionError(f"Tab never comes to {name!r}")

    def button(self, name: str) -> None:
        expect(self.page.locator(f"main :is(a, button, summary):has-text('{name}')").first).to_be_visible()
        self.to(name)
        self.press("Enter")

    def choose(self, value: str) -> None:
        """One of the radio buttons, in one of which the focus is."""
        for _ in range(20):
            said: list[Any] = self.page.evaluate("() => [document.activeElement.value, document.activeElement.checked]")
            if said == [value, True]:
                return
            self.page.keyboard.press("Space" if said[0] == value else "ArrowDown")
        raise AssertionError(f"no arrow comes to {value!r}")

    def sign_in(self, email: str, password: str) -> None:
        expect(self.page.locator("input[name=login]")).to_be_focused()  # by itself
        self.write(email)
        self.to("password")
        self.write(password)
        self.press("Enter")

    def code(self, code: str) -> None:
        expect(self.page.locator("input[name=code]")).to_be_focused()
        self.write(code)
        self.press("Enter")

    def next(self) -> None:
        self.press("j")

    def previous(self) -> None:
        self.press("k")

    def open(self) -> None:
        self.press("Enter")

    def find(self, proposal: Proposal) -> None:
        """Down the list to it, and up where it is not below."""
        link = self.page.locator(f".row a[data-item='proposal:{proposal.pk}']")
        expect(link).to_be_attached()
        below = link.evaluate(
            "link => !document.querySelector('.row a[aria-current]')"
            " || !!(link.compareDocumentPosition(document.querySelector('.row a[aria-current]')) & 2)"
        )
        while link.get_attribute("aria-current") is None:
            before = self.page.locator(".row a[aria-current]").get_attribute("data-item")
            self.next() if below else self.previous()
            expect(self.page.locator(".row a[aria-current]")).not_to_have_attribute("data-item", before or "")
        shows(self.page, proposal)

    def claim(self) -> None:
        self.press("c")

    release = claim

    def approve(self) -> None:
        self.press("a")

    def reject(self, reason: str, note: str) -> None:
        self.press("r")
        self.choose(reason)
        self.to("note")
        self.write(note)
        self.button("Reject")

    def edit(self, field: str, text: str) -> None:
        self.press("e")
        expect(self.page.locator(f"[name={field}]")).to_be_visible()
        self.to(field)
        self.press("Control+a")
        self.write(text)

    def snooze(self) -> None:
        self.press("s")
        expect(self.page.locator("input[name=minutes]").first).to_be_focused()
        self.press("Enter")

    def bring_back(self) -> None:
        self.press("s")

    def pick(self, proposal: Proposal) -> None:
        self.find(proposal)
        self.press("x")

    def undo(self) -> None:
        self.press("u")

    def search(self, text: str) -> None:
        self.press("/")
        expect(self.page.locator("input[name=q]")).to_be_focused()
        self.write(text)
        self.press("Enter")

    def help(self) -> None:
        self.press("?")

    def close(self) -> None:
        self.press("Escape")

    def pick_from_palette(self, name: str) -> None:
        self.press("Control+k")
        self.write(name)
        expect(self.page.locator("#palette li").first).to_contain_text(name)
        self.press("Enter")


class Mouse(Hands):
    """Clicks on what can be seen."""

    def click(self, aim: Locator | str) -> None:
        self.steps += 1
        (self.page.locator(aim) if isinstance(aim, str) else aim).click()

    def button(self, name: str) -> None:
        self.click(self.page.locator(f"main :is(a, button):text-is('{name}'):visible").first)

    def into(self, field: str, text: str) -> None:
        aim = self.page.locator(f"main [name={field}]:visible")
        self.click(aim)
        aim.select_text()
        self.write(text)

    def sign_in(self, email: str, password: str) -> None:
        self.into("login", email)
        self.into("password", password)
        self.button("Sign in")

    def code(self, code: str) -> None:
        self.into("code", code)
        self.click("main form:has(input[name=code]) button")

    def next(self) -> None:
        self.click(".row:has(a[aria-current]) + .row a")

    def previous(self) -> None:
        self.click(".row:has(+ .row a[aria-current]) a")

    def open(self) -> None:
        self.click(".row a[aria-current]")

    def find(self, proposal: Proposal) -> None:
        self.click(f".row a[data-item='proposal:{proposal.pk}']")
        shows(self.page, proposal)

    def claim(self) -> None:
        self.button("Claim")

    def release(self) -> None:
        self.button("Release")

    def approve(self) -> None:
        self.button("Approve")

    def reject(self, reason: str, note: str) -> None:
        self.click("footer.decide summary:has-text('Reject')")
        self.click(f"footer.decide label:has([value={reason}])")
        self.into("note", note)
        self.click("footer.decide details[open] button")

    def edit(self, field: str, text: str) -> None:
        self.button("Edit")
        self.into(field, text)

    def snooze(self) -> None:
        self.click("footer.decide summary:has-text('Snooze')")
        self.click("footer.decide details[open] button")

    def bring_back(self) -> None:
        self.button("Bring back")

    def pick(self, proposal: Proposal) -> None:
        self.click(f".row:has(a[data-item='proposal:{proposal.pk}']) .pick")

    def undo(self) -> None:
        """What was just done, by its toast; else what the page says."""
        newest = self.page.locator(".toast:first-child [data-key=u]")
        self.click(newest if newest.count() else self.page.locator("main [data-key=u]").last)

    def search(self, text: str) -> None:
        self.into("q", text)
        self.click("form.filters button:text-is('Search')")

    def help(self) -> None:
        self.click("[data-open=keys]")

    def close(self) -> None:
        self.click("#keys button:text-is('Close')")

    def pick_from_palette(self, name: str) -> None:
        self.click("[data-open=palette]")
        self.write(name)
        self.click(self.page.locator("#palette li").first)
