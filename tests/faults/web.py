"""People at the real web process: signed in by the form, or a program with a token. Every answer with its time."""

import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from functools import cache

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from approvals.models import Proposal
from portal import tokens, workspace
from portal.models import Person
from tests.cast import PASSWORD, Cast

LONGEST_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back and how long it took; status 0 where the connection was cut."""

    status: int
    text: str
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""


class Visitor:
    """One browser or program."""

    def __init__(self, base: str, secret: str = "") -> None:
        self.base, self.secret = base, secret
        self.jar = http.cookiejar.CookieJar()
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.jar)
        self._open = urllib.request.build_opener(*handlers)
        self.slowest = 0.0

    def get(self, path: str) -> Answer:
        """A page."""
        return self._ask(urllib.request.Request(self.base + path))

    def post(self, path: str, form: dict[str, str]) -> Answer:
        """A form, with the token of the page it stands on."""
        token = next((c.value or "" for c in self.jar if c.name == "csrftoken"), "")
        body = urllib.parse.urlencode({**form, "csrfmiddlewaretoken": token}).encode()
        return self._ask(urllib.request.Request(self.base + path, body, {"Referer": self.base}))

    def send(self, path: str, value: object) -> Answer:
        """JSON, as a program."""
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        return self._ask(urllib.request.Request(self.base + path, json.dumps(value).encode(), headers))

    def sign_in(self, cast: Cast, name: str, password: str = PASSWORD) -> Answer:
        """By the form."""
        page = self.get("/accounts/login/")
        marker = 'name="csrfmiddlewaretoken" value="'
        token = page.text.partition(marker)[2].partition('"')[0]
        form = {"login": cast.people[name].email, "password": password, "csrfmiddlewaretoken": token}
        body = urllib.parse.urlencode(form).encode()
        return self._ask(urllib.request.Request(f"{self.base}/accounts/login/", body, {"Referer": self.base}))

    def approve(self, cast: Cast, proposal: Proposal) -> Answer:
        """One vote over the API."""
        path = f"/w/{cast.workspace.slug}/api/proposals/{proposal.pk}/approve/"
        return self.send(path, {"revision": proposal.revision, "digest": proposal.digest})

    def _ask(self, request: urllib.request.Request) -> Answer:
        start = time.monotonic()
        try:
            with self._open.open(request, timeout=LONGEST_SECONDS) as answer:
                status, text, headers, url = answer.status, answer.read(), answer.headers, answer.url
        except urllib.error.HTTPError as error:
            status, text, headers, url = error.code, error.read(), error.headers, error.url
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            status, text, headers, url = 0, b"", {}, ""
        seconds = time.monotonic() - start
        self.slowest = max(self.slowest, seconds)
        return Answer(status, text.decode(errors="replace"), seconds, dict(headers), url)


def program(base: str, cast: Cast, name: str) -> Visitor:
    """Somebody's program, with a token to decide."""
    with workspace.within(cast.ws, cast.id(name)) as now:
        _, secret = tokens.make(
            workspace=cast.workspace, person=cast.people[name], name="For tests", scopes=("decide",), now=now
        )
    return Visitor(base, secret)


def let_in(cast: Cast) -> None:
    """Give the cast passwords that the web process can read, and addresses to sign in with."""
    people = Person.objects.filter(pk__in=[person.pk for person in cast.people.values()])
    people.update(password=_hash())
    for person in people:
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)


@cache
def _hash() -> str:
    return make_password(PASSWORD, hasher="pbkdf2_sha256")
