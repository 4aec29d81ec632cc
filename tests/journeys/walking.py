"""A walk through pages in a real browser: each is there as it was asked for, axe finds nothing in light and in dark,
and the focus is seen, in sight and in order from the first stop to the last.
"""

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

SCHEMES = ("light", "dark")
# What axe leaves out unless it is asked: WCAG 2.2 AA, 2.5.8.
# Without its own copy of the style sheets, which it would put into the page against the content policy.
RULES = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"], "preload": False}
# Colours on their way from one scheme to the other are neither.
ARRIVED = "document.getAnimations().forEach((one) => one.finish())"


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


def walk(page: Page, root: str, paths: list[str], seen: Seen, tabbed: set[str]) -> None:
    """Open each page and look at it."""
    for path in paths:
        page.emulate_media(color_scheme="light")
        answer = page.goto(f"{root}/{path}", wait_until="load")
        seen.pages += 1
        if answer is None or answer.status >= 500 or answer.request.redirected_from is not None:
            seen.wrong.append(f"{path}: {answer and answer.status} at {page.url}")
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
    parts = path.split("/")
    named = parts[2:] if parts[0] == "w" else parts
    return "/".join("#" if any(char.isdigit() for char in part) else part for part in named)


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
