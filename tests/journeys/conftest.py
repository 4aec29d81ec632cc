"""Real processes for the journeys: web, two workers and beat on the test database, and a real browser."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from agents.demo.processes import Processes, free_port
from portal.models import Person
from tests.cast import PASSWORD, Cast, gather
from tests.conftest import signed_in
from tests.presence import Codes

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def environment() -> dict[str, str]:
    """What a process needs to work on the test database."""
    database = settings.DATABASES["default"]
    return {
        **os.environ,
        "DATABASE_URL": f"postgresql:///{connection.settings_dict['NAME']}?host={database['HOST']}"
        + (f"&port={database['PORT']}" if database["PORT"] else ""),
        "SECRET_KEY": settings.SECRET_KEY,
    }


@pytest.fixture(scope="session")
def processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Processes]:
    """Web, workers and beat for the whole session, each under its own database role."""
    _forget_what_is_due(django_db_blocker)
    running = Processes(tmp_path_factory.mktemp("logs"), free_port(8100), environment())
    running.start()
    try:
        running.wait_for_web()
        yield running
    finally:
        running.stop()


def _forget_what_is_due(django_db_blocker: Any) -> None:
    """The work that a thousand tests before left lying is nobody's: workers would do all of it first."""
    with django_db_blocker.unblock(), signed_in("owner"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM approvals_outbox")
        cursor.execute("UPDATE approvals_timer SET look_at = NULL")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without it these tests fail at their end, naming the package."""
    path = chromium()
    if not path:
        pytest.fail("Chromium is not here: install the Debian package chromium, or set CHROMIUM to its path")
    expect.set_options(timeout=20_000)  # a state that comes, however busy the machine is
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield started
        started.close()


def chromium() -> str:
    """Where Chromium is, or ""."""
    wanted = [os.environ.get("CHROMIUM", ""), "/usr/bin/chromium", "/usr/bin/google-chrome"]
    return next((path for path in wanted if path and Path(path).exists()), "")


@cache
def password_hash() -> str:
    """The cast's password as the web process hashes it, worked out once."""
    return make_password(PASSWORD, hasher="pbkdf2_sha256")


def is_fault(message: ConsoleMessage) -> bool:
    """Whether the console says that something is wrong; a refusal is an answer, which the browser notes as well."""
    return message.type == "error" and "409 (Conflict)" not in message.text


@dataclass
class Desk:
    """A workspace with its people, the address of its pages, and a way to sit somebody down at a browser."""

    cast: Cast
    root: str
    open_page: Callable[..., Page]

    @property
    def base(self) -> str:
        """The workspace's address, with a slash at its end."""
        return f"{self.root}/w/{self.cast.workspace.slug}/"

    def sign_in(self, name: str, codes: Codes | None = None, **context: object) -> Page:
        """A page of a browser of their own, signed in, at the queue; with a code where an app is set up."""
        return self.seat(self.open_page(**context), name, codes)

    def seat(self, page: Page, name: str, codes: Codes | None = None) -> Page:
        """Sign somebody in on a page that is there."""
        page.goto(f"{self.root}/accounts/login/?next=/w/{self.cast.workspace.slug}/")
        page.fill("input[name=login]", self.cast.people[name].email)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        if codes is not None:
            page.fill("input[name=code]", codes.fresh(timezone.now()))
            page.press("input[name=code]", "Enter")
        page.wait_for_url(f"{self.base}**")
        return page


@pytest.fixture
def desk(live: None, processes: Processes, browser: Browser) -> Iterator[Desk]:
    """A fresh workspace behind the real web process; every page's console must stay clean."""
    contexts = []
    problems: list[str] = []

    def open_page(**options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]  # passed on as given
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: problems.append(message.text) if is_fault(message) else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        return page

    cast = gather(hold_seconds=3)
    people = Person.objects.filter(pk__in=[p.pk for p in cast.people.values()])
    people.update(password=password_hash())
    for person in people:
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    yield Desk(cast, f"http://127.0.0.1:{processes.port}", open_page)
    for context in contexts:
        context.close()
    processes.check()
    assert problems == [], "the browser's console is not clean (a broken script, or the content policy)"
