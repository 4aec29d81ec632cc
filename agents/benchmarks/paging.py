"""The queue's first page a second beside a bare Django view, and what it, the next pages and the counters take.

At full size and at a small one, side by side: what is kept in indexes and capped costs the same in both.
"""

import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_settings

from agents.benchmarks import bare, crowd, stocking
from agents.benchmarks.stocking import Desk
from agents.evals import throwaway
from approvals import counting, queries
from portal import workspace

ITEMS, TIMES_SMALLER = 1_000_000, 100
WORKERS, ROUNDS, SECONDS, WARM = 2, 9, 1.0, 5
TIMES = 15  # each length of time is the median of so many
GROWING = ("approvals_proposal", "approvals_handoff", "approvals_submission", "approvals_case", "approvals_claim")


class Broken(Exception):
    """A page did not come, or not as it must be; what would be measured is not the product."""


def measure(*, items: int = ITEMS, say: Callable[[str], None]) -> dict[str, Any]:
    """Requests a second of both through two processes, in turns, then lengths of time in milliseconds."""
    with throwaway.database():
        small, desk = (stocking.fill(size, say) for size in (max(items // TIMES_SMALLER, 100), items))
        throwaway.settle()
        report: dict[str, Any] = {"pending": desk.pending, "decided": desk.decided}
        report |= _rates(desk, say)
        say("pages and counters at both sizes")
        throwaway.sign_in("web")
        for name, one in (("", desk), ("small_", small)):
            report |= {f"{name}{key}": figure for key, figure in _lengths(one).items()}
        return report


def _rates(desk: Desk, say: Callable[[str], None]) -> dict[str, float]:
    """The ratio is the median of the rounds' own: a machine slowed for a second slows both sides of one round."""
    cookie = _sign_in(desk)
    ours, floor = [], []
    for number in range(ROUNDS):
        say(f"round {number + 1} of {ROUNDS}")
        floor.append(
            _crowd("owner", cookie, f"/{desk.workspace}/", ROOT_URLCONF=bare.__name__, MIDDLEWARE=bare.MIDDLEWARE)
        )
        ours.append(_crowd("web", cookie, f"/w/{desk.slug}/"))
    ratio = statistics.median(mine / bare_ for mine, bare_ in zip(ours, floor, strict=True))
    rates = statistics.median(ours), statistics.median(floor)
    return {"ours": round(rates[0], 1), "floor": round(rates[1], 1), "ratio": round(ratio, 3)}


def _crowd(role: Any, cookie: str, path: str, **settings_: Any) -> float:
    """Requests a second of as many processes as there are web workers in the demo."""

    def act(_: int) -> int:
        throwaway.sign_in(role)
        with override_settings(**settings_):
            site = _Site(cookie)
            return site.as_often_as_it_goes(path)

    return float(sum(crowd.at_once(WORKERS, act).results) / SECONDS)


class _Site:
    """All of Django as a web worker has it, from the environment of a request to the last byte of its answer."""

    def __init__(self, cookie: str) -> None:
        self.handler = WSGIHandler()
        host = next((name for name in settings.ALLOWED_HOSTS if name != "*"), "localhost")
        self.environ = {
            "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "QUERY_STRING": "", "SERVER_NAME": host, "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": host, "HTTP_COOKIE": cookie, "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.errors": BytesIO(), "wsgi.multithread": False,
            "wsgi.multiprocess": True, "wsgi.run_once": False,
        }  # fmt: skip

    def get(self, path: str) -> str:
        """The page; behind a cursor its rows alone, as "More" asks for them.

        Raises:
            Broken: it is none.
        """
        said: list[str] = []
        path, _, query = path.partition("?")
        environ = {**self.environ, "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": BytesIO()}
        environ |= {"HTTP_HX_REQUEST": "true", "HTTP_HX_TARGET": "more"} if "after=" in query else {}
        answer: Any = self.handler(environ, lambda *begun: said.append(begun[0]))  # type: ignore[arg-type]  # no writer
        body = b"".join(answer).decode()
        answer.close()
        if not said[0].startswith("200") or body.count("<li") < queries.PAGE:
            raise Broken(f"{path} answered {said[0]}, with {body.count('<li')} rows")
        return body

    def as_often_as_it_goes(self, path: str) -> int:
        for _ in range(WARM):
            self.get(path)
        count, end = 0, time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            self.get(path)
            count += 1
        return count


def _lengths(desk: Desk) -> dict[str, float | int]:
    """The first page, the next by key and one far in, the counters; and how many statements the first page takes."""
    site, start = _Site(_sign_in(desk)), f"/w/{desk.slug}/"
    with _checked():
        _count(desk)
        site.get(start)  # counters and one's own views are kept for seconds
    with _checked() as taken:
        body = site.get(start)
    following = start + _after(body)
    far = f"{start}?after={_middle(desk)}"
    found: dict[str, float | int] = {"queries": len(taken)}
    for name, path in (("first_page_ms", start), ("next_page_ms", following), ("deep_page_ms", far)):
        with _checked():
            site.get(path)
        found[name] = _median(partial(site.get, path))
    found["counters_ms"] = _median(lambda: _count(desk))
    return found


def _count(desk: Desk) -> None:
    with workspace.within(desk.workspace) as now:
        counting.counters(workspace=desk.workspace, now=now, anew=True)


@contextmanager
def _checked() -> Iterator[Any]:
    """What is asked inside skips over nothing and counts nothing that grows.

    Raises:
        Broken.
    """
    with CaptureQueriesContext(connection) as taken:
        yield taken
    for query in taken.captured_queries:
        sql = query["sql"]
        counts = re.search(r"\bCOUNT\(", sql, re.IGNORECASE) and any(table in sql for table in GROWING)
        if re.search(r"\bOFFSET\b", sql) or (counts and "LIMIT" not in sql):
            raise Broken(f"this skips or counts: {sql[:300]}")


def _after(body: str) -> str:
    """The address behind "More"."""
    found = re.search(r'id="more"[^>]*><a href="[^"?]*(\?[^"]*)"', body)
    if found is None:
        raise Broken("the first page has no next one")
    return found[1].replace("&amp;", "&")


def _middle(desk: Desk) -> str:
    """A cursor in the middle of what waits."""
    with workspace.within(desk.workspace), connection.cursor() as cursor:
        cursor.execute(
            "SELECT urgency, id FROM approvals_proposal WHERE workspace_id = %s AND state = 'pending' AND urgency >= ("
            "SELECT (min(urgency) + max(urgency)) / 2 FROM approvals_proposal WHERE workspace_id = %s"
            " AND state = 'pending') ORDER BY urgency, id LIMIT 1",
            [desk.workspace, desk.workspace],
        )
        return ".".join(map(str, cursor.fetchone()))


def _median(act: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1_000)
    return round(statistics.median(taken), 2)


def _sign_in(desk: Desk) -> str:
    """The cookie of a session of the reviewer's."""
    throwaway.sign_in("web")
    session = SessionStore()
    session[SESSION_KEY] = str(desk.reviewer.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = desk.reviewer.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
