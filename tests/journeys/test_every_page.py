"""Every page of the product, as each role, in a real browser, light and dark: axe finds nothing, nothing breaks the
content policy, nothing comes from elsewhere, focus is seen and in order. Which pages there are the URL resolver says.
"""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests import furnished
from tests.cast import PASSWORD, Cast
from tests.furnished import House
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE
from tests.journeys.test_presence import authenticator
from tests.journeys.walking import Seen, walk
from tests.portal.test_web_under_attack import SCRIPT
from tests.presence import Codes

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1800)]

# `make accept` walks as all of them and everywhere; the suite as a manager, over the desk.
WALKED = os.environ.get("WALKED", "mara").split()
ALL = bool(os.environ.get("WALKED_ALL"))  # the admin's pages too, all states of a proposal, and every stop of the focus
# Of the admin's in the suite: its front page, a list, and what hangs from an application.
SOME = ("admin/", "admin/approvals/threshold/", "admin/approvals/", "admin/approvals/threshold/add/")
UNSIGNED = ("accounts/login/", "accounts/password/reset/", "accounts/password/reset/done/", "nowhere/")
# Of an account: with the password alone, once it was said again, with a passkey and an app, and where those are asked.
ALONE = ("accounts/password/change/", "accounts/logout/", "accounts/2fa/", "accounts/2fa/webauthn/",
         "accounts/reauthenticate/", "nowhere/")  # fmt: skip
SURE = ("accounts/2fa/totp/activate/", "accounts/2fa/webauthn/add/")
EQUIPPED = ("accounts/2fa/", "accounts/2fa/webauthn/", "accounts/2fa/webauthn/keys/{key}/edit/",
            "accounts/2fa/webauthn/keys/{key}/remove/", "accounts/2fa/recovery-codes/",
            "accounts/2fa/recovery-codes/generate/", "accounts/2fa/totp/deactivate/", "accounts/2fa/reauthenticate/",
            "accounts/2fa/webauthn/reauthenticate/")  # fmt: skip
LISTEN = """
  window.__broken = [];
  document.addEventListener("securitypolicyviolation",
    (event) => window.__broken.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


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
        assert answer.status_code < 500, path
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


def _elsewhere(url: str, root: str, seen: Seen) -> None:
    if not url.startswith((f"{root}/", "data:")):
        seen.wrong.append(f"asked of elsewhere: {url}")


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
    root = desk.root.replace("127.0.0.1", "localhost")  # a passkey needs a name

    def open_page(**options: Any) -> Page:
        context = browser.new_context(viewport=WIDE, **options)
        contexts.append(context)
        context.add_init_script(LISTEN)
        context.on("request", lambda request: _elsewhere(request.url, root, seen))
        page = context.new_page()
        page.on("console", lambda message: _console(message, page, seen))
        page.on("pageerror", lambda error: seen.wrong.append(f"{page.url}: {error}"))
        return page

    yield Desk(desk.cast, root, open_page)
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
    walk(page, watched.root, paths, seen, tabbed)
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


def test_the_pages_of_an_account_hold(watched: Desk, seen: Seen, tabbed: set[str]) -> None:
    """As somebody gives themselves a passkey and an app, and signs in with them."""
    cast, page = watched.cast, watched.sign_in("rosa")
    walk(page, watched.root, list(ALONE), seen, tabbed)
    page.goto(f"{watched.root}/{SURE[0]}")
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"**/{SURE[0]}")
    walk(page, watched.root, list(SURE), seen, tabbed)
    passkey = authenticator(page)
    page.click("#add-passkey")
    expect(page.locator("h1")).to_have_text("Recovery codes")
    codes, key = Codes(cast, "rosa"), Authenticator.objects.get(user=cast.people["rosa"], type="webauthn")
    walk(page, watched.root, [path.format(key=key.pk) for path in EQUIPPED], seen, tabbed)
    passkey.send("WebAuthn.disable")  # a browser that still waits for a key does not always close
    passkey.detach()
    page.context.clear_cookies()
    page.goto(f"{watched.root}/accounts/login/")
    page.fill("input[name=login]", cast.people["rosa"].email)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/2fa/authenticate/**")
    walk(page, watched.root, ["accounts/2fa/authenticate/"], seen, tabbed)
    page.fill("input[name=code]", codes.fresh(timezone.now()))
    page.press("input[name=code]", "Enter")
    page.wait_for_url(f"{watched.base}**")
    seen.check("of an account")
