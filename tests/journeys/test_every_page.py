"""Every page of the product, as each role, in a real browser, light and dark: axe finds nothing, nothing breaks the
content policy, nothing comes from elsewhere, focus is seen and in order. Which pages there are the URL resolver says.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests import furnished
from tests.cast import Cast
from tests.furnished import House
from tests.journeys.conftest import Desk
from tests.portal.test_web_under_attack import SCRIPT

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]

# `make accept` walks as all of them and everywhere; the suite as a manager, over the desk.
WALKED = os.environ.get("WALKED", "mara").split()
ALL = bool(os.environ.get("WALKED_ALL"))  # the admin's pages too, all states of a proposal, and every stop of the focus
SCHEMES = ("light", "dark")
SIZES = {"wide": {"width": 1440, "height": 900}, "narrow": {"width": 390, "height": 844}}
# What axe leaves out unless it is asked: WCAG 2.2 AA, 2.5.8.
# Without its own copy of the style sheets, which it would put into the page against the content policy.
RULES = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"], "preload": False}
OUTSIDE = (
    "accounts/password/change/", "accounts/logout/", "accounts/2fa/", "accounts/2fa/totp/activate/",
    "accounts/2fa/webauthn/", "accounts/2fa/webauthn/add/", "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/", "accounts/reauthenticate/", "accounts/2fa/totp/deactivate/", "nowhere/",
)  # fmt: skip
# Of the admin's in the suite: its front page, a list, and what hangs from an application.
SOME = ("admin/", "admin/approvals/threshold/", "admin/approvals/", "admin/approvals/threshold/add/")
UNSIGNED = ("accounts/login/", "accounts/password/reset/", "accounts/password/reset/done/")
# Colours on their way from one scheme to the other are neither.
ARRIVED = "document.getAnimations().forEach((one) => one.finish())"
LISTEN = """
  window.__broken = [];
  document.addEventListener("securitypolicyviolation",
    (event) => window.__broken.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


@dataclass
class Seen:
    """What a walk found; `check` fails with all of it."""

    pages: int = 0
    checks: int = 0
    stops: int = 0
    wrong: list[str] = field(default_factory=list)

    def check(self, what: str) -> None:
        print(f"\n{what}: {self.pages} pages, {self.checks} checks of axe, {self.stops} stops of the focus,"
              f" {len(self.wrong)} violations")  # fmt: skip
        assert not self.wrong, "\n".join(dict.fromkeys(self.wrong))


@pytest.fixture
def house(desk: Desk) -> House:
    return furnished.furnish(desk.cast)


def shown(cast: Cast, name: str, house: House) -> list[str]:
    """Addresses that answer somebody with a page, whatever it says."""
    client = furnished.browser(cast, name)
    found, refused = [], set()
    every = [path for _, path in furnished.addresses(house.ids, most=1)]
    more = [path for route, path in furnished.addresses(house.ids) if ALL and route == "proposals/<int:pk>/"]
    for path in dict.fromkeys([*every, *more]):
        if path.startswith("admin/") and not (ALL or path in SOME):
            continue
        answer = client.get(f"/w/{cast.workspace.slug}/{path}")
        if not answer.headers.get("Content-Type", "").startswith("text/html") or not answer.content:
            continue
        if b"<html" not in answer.content[:500]:
            continue  # a fragment for a page that is there
        if answer.status_code >= 400 and answer.status_code in refused:
            continue  # one page that says no looks like the other
        if answer.status_code >= 400:
            refused.add(answer.status_code)
        if answer.status_code < 300 or answer.status_code >= 400:
            found.append(path)
    return found


def walk(page: Page, root: str, paths: list[str], seen: Seen, tabbed: set[str]) -> None:
    """Open each page and look at it."""
    for path in paths:
        page.emulate_media(color_scheme="light")
        page.goto(f"{root}/{path}", wait_until="load")
        seen.pages += 1
        if (kind := _kind(path)) not in tabbed:
            tabbed.add(kind)
            tab_through(page, path, seen)
            page.evaluate("document.activeElement.blur()")  # the link past the head lies over it only while focused
        page.evaluate(AXE_SCRIPT)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(ARRIVED)
            seen.checks += 1
            for found in page.evaluate("options => axe.run(document, options)", RULES)["violations"]:
                for node in found["nodes"][:3]:
                    why = node["failureSummary"].split("\n")[1].strip()[:160]
                    seen.wrong.append(f"{path} {scheme}: {found['id']} {node['target']} {node['html'][:120]} | {why}")
        seen.wrong += [f"{path}: content policy: {one}" for one in page.evaluate("window.__broken")]


def _kind(path: str) -> str:
    """Addresses of one kind of page look alike."""
    return "/".join("#" if any(char.isdigit() for char in part) else part for part in path.split("/")[2:])


def _elsewhere(url: str, root: str, seen: Seen) -> None:
    if not url.startswith((f"{root}/", "data:")):
        seen.wrong.append(f"asked of elsewhere: {url}")


STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  if (!at.dataset.stop) at.dataset.stop = String(document.querySelectorAll("[data-stop]").length + 1);
  else return {again: true};
  const style = getComputedStyle(at), box = at.getBoundingClientRect();
  const within = (most, at) => Math.min(most - 1, Math.max(0, at));
  const inside = document.elementFromPoint(within(innerWidth, box.x + box.width / 2),
                                           within(innerHeight, box.y + Math.min(box.height, 40) / 2));
  const its = [at, ...(at.labels ?? [])];
  const ringed = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
  return {
    name: at.outerHTML.slice(0, 110), tabindex: at.tabIndex, ringed: ringed || style.boxShadow !== "none",
    there: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0,
    covered: !(inside && (its.some((one) => one.contains(inside)) || inside.contains(at))),
  };
}"""
# A field that has the focus as the page opens would be the first stop, and what is before it never one.
TO_THE_TOP = """() => new Promise(requestAnimationFrame).then(() => {
  document.body.tabIndex = -1;
  document.body.focus();
  document.body.removeAttribute("tabindex");
})"""
# Two stops beside each other in the page must stand so on the screen: never upwards, nor to the left in one line.
ORDER = """() => {
  const stops = [...document.querySelectorAll("[data-stop]")].sort((a, b) => a.dataset.stop - b.dataset.stop);
  const wrong = [];
  for (let n = 1; n < stops.length; n++) {
    const [a, b] = [stops[n - 1], stops[n]];
    if (!(a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING)) { wrong.push([a, b]); continue; }
    let top = a.parentElement;
    while (!top.contains(b)) top = top.parentElement;
    const under = (one) => { while (one.parentElement !== top) one = one.parentElement; return one; };
    if (a === top || a.contains(b)) continue;
    const [p, q] = [under(a), under(b)].map((one) => one.getBoundingClientRect());
    if ([under(a), under(b)].some((one) => ["fixed", "absolute"].includes(getComputedStyle(one).position))) continue;
    const sideways = q.top < p.bottom - 1 && p.top < q.bottom - 1;
    if (sideways ? q.right <= p.left + 1 : q.bottom <= p.top + 1) wrong.push([a, b]);
  }
  return wrong.map((pair) => pair.map((one) => one.outerHTML.slice(0, 80)).join(" then "));
}"""


def tab_through(page: Page, path: str, seen: Seen) -> None:
    """From the top with the Tab key until it comes round: each stop is in sight, marked, and where one looks for it."""
    page.evaluate(TO_THE_TOP)
    for _ in range(400):
        page.keyboard.press("Tab")
        at: Any = page.evaluate(STOP)
        if at is None or "again" in at:
            break
        seen.stops += 1
        off = [word for word, bad in (("has a tabindex", at["tabindex"] > 0), ("is not marked", not at["ringed"]),
                                      ("is out of sight", not at["there"]),
                                      ("is covered", at["there"] and at["covered"])) if bad]  # fmt: skip
        seen.wrong += [f"{path}: focus {word}: {at['name']}" for word in off]
    seen.wrong += [f"{path}: focus goes back: {pair}" for pair in page.evaluate(ORDER)]


@pytest.fixture(scope="session")
def tabbed() -> set[str]:
    """Kinds of pages that were gone through with the Tab key already."""
    return set()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def watched(desk: Desk, browser: Browser, seen: Seen) -> Iterator[Desk]:
    """The desk at browsers whose console, requests and reports of the content policy count."""
    contexts = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(viewport=SIZES["wide"], **options)
        contexts.append(context)
        context.add_init_script(LISTEN)
        context.on("request", lambda request: _elsewhere(request.url, desk.root, seen))
        page = context.new_page()
        page.on("console", lambda message: _console(message, page, seen))
        page.on("pageerror", lambda error: seen.wrong.append(f"{page.url}: {error}"))
        return page

    yield Desk(desk.cast, desk.root, open_page)
    for context in contexts:
        context.close()


def _console(message: ConsoleMessage, page: Page, seen: Seen) -> None:
    """A page that says no by its status is no error of the page's."""
    refused = message.text.startswith("Failed to load") and message.location["url"] == page.url
    if message.type == "error" and not refused:
        seen.wrong.append(f"{page.url}: console: {message.text[:200]} {message.location['url']}")


@pytest.mark.parametrize("name", WALKED)
def test_every_page_holds(watched: Desk, house: House, name: str, seen: Seen, tabbed: set[str]) -> None:
    page = watched.sign_in(name, house.codes.get(name))
    paths = [f"w/{watched.cast.workspace.slug}/{path}" for path in shown(watched.cast, name, house)]
    walk(page, watched.root, [*paths, *OUTSIDE], seen, tabbed)
    assert seen.pages > 30
    seen.check(f"as {name}")


def test_36_stored_script_does_nothing_in_a_browser(watched: Desk, seen: Seen) -> None:
    """In every field that a customer, an agent or a colleague can fill; no handler runs and nothing is asked for."""
    house = furnished.furnish(watched.cast, SCRIPT)
    page = watched.sign_in("mara")
    page.context.on("request", lambda request: _asked(request.url, watched.root, seen))
    paths = [path for path in shown(watched.cast, "mara", house) if not path.startswith("admin/") or path in SOME]
    for path in paths:
        page.goto(f"{watched.root}/w/{watched.cast.workspace.slug}/{path}", wait_until="load")
        seen.pages += 1
        planted = page.evaluate("document.querySelectorAll('[data-x], svg[onload], [hx-get=\"/x\"]').length")
        seen.wrong += [f"{path}: {planted} planted elements"] if planted else []
        seen.wrong += [f"{path}: content policy: {one}" for one in page.evaluate("window.__broken")]
    assert seen.pages > 20
    seen.check("with script in every field")


def _asked(url: str, root: str, seen: Seen) -> None:
    if url == f"{root}/x":
        seen.wrong.append("what was planted asked for something")


def test_the_pages_before_signing_in_hold(watched: Desk, seen: Seen, tabbed: set[str]) -> None:
    walk(watched.open_page(), watched.root, list(UNSIGNED), seen, tabbed)
    seen.check("before signing in")
