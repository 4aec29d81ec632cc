"""Every address, attacked through the front door: text that nobody can see or store, fields nobody asked for, ways out.

The addresses come from the URL resolver, the rows from a furnished workspace; numbers are those of the faults.
"""

import csv
import io
import itertools
import os
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from approvals.models import Decision, Threshold
from portal import models, workspace
from portal.models import Person
from tests import furnished
from tests.approvals import steps
from tests.cast import PASSWORD, gather
from tests.furnished import House

pytestmark = pytest.mark.timeout(600)
# Rows of a kind that are looked at; `make faults` takes all.
EACH = int(os.environ.get("ROUTES_EACH", "1"))
SCRIPT = "\"'><svg data-x onload=x()><b hx-get=/x hx-trigger=load data-x>"
FORMULA = '=HYPERLINK("https://evil.example","x")'
EVIL = ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "http:evil.example")
WAYS = ("next", "back", "url", "return", "redirect", "after", "to", "_popup", "_to_field", "e")
# Every name that a view or a form asks for, so that each is given what nobody expects.
NAMES = (
    "q", "state", "agent", "tier", "action", "mine", "item", "after", "before", "since", "until", "who", "record",
    "case", "run", "event", "format", "look", "seconds", "token", "digest", "revision", "reason", "note", "text",
    "outcome", "overwrite_reason", "happened", "evidence", "kind", "switch", "subject", "person", "to", "order",
    "series", "name", "scopes", "starts", "ends", "stand_in", "languages", "teams", "key", "keys", "seen_content",
    "code", "password", "passkey", "undo", "done", "row", "version", "login", "email", "o", "p", "e", "all", "part",
    "system", "secret", "handoff", "proposal", "role", "amount", "up_to", "currency", "scope", "holder", "most",
    "days", "about", "placed", "time_zone", "mon", "closing_days", "at", "model", "backend", "base_url", "step",
    "percent", "body", "priority", "queue", "tags", "changes", "clauses", "refund_to", "item_ids", "amount_minor",
)  # fmt: skip


@pytest.fixture(scope="module")
def _house(django_db_setup: None, django_db_blocker: Any) -> Iterator[House]:
    with django_db_blocker.unblock():
        yield furnished.furnish(gather(), SCRIPT)


@pytest.fixture
def house(live: None, _house: House) -> House:
    return _house


def everywhere(house: House, most: int = 1) -> list[str]:
    """Every address in the workspace but the API's, whose bodies have tests of their own."""
    inside = [path for _, path in furnished.addresses(house.ids, most=most) if not path.startswith("api/")]
    return [f"/w/{house.cast.workspace.slug}/{path}" for path in inside]


def outside() -> list[str]:
    some = {"pk": "1", "uidb36": "1", "key": "1-1"}
    return ["/" + furnished.plain(route, some) for route in furnished.routes("portal.urls") if "logout" not in route]


# 36: stored script ------------------------------------------------------------------------------------------


class Planted(HTMLParser):
    """Elements of a page that came out of a text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if "data-x" in names or "onload" in names or ("hx-get", "/x") in attrs:
            self.found.append(f"<{tag} {sorted(names)}>")


@pytest.mark.parametrize("name", ["mara", "ada"])
def test_36_no_text_becomes_markup_on_any_page_or_fragment(house: House, name: str) -> None:
    client, wrong, shown = furnished.browser(house.cast, name), [], 0
    for path in everywhere(house, most=EACH):
        for headers in ({}, {"HX-Request": "true", "HX-Target": "detail"}):
            answer = client.get(path, headers=headers)
            if "text/html" not in answer.headers.get("Content-Type", ""):
                continue
            page = answer.content.decode()
            shown += "onload=x()" in page
            parser = Planted()
            parser.feed(page)
            wrong += [(path, found) for found in parser.found]
    print(f"\n{name}: {shown} pages show the text")
    assert shown > 20
    assert wrong == []


# 37: text nobody sees, or nothing can store ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mara", "ada"])
@pytest.mark.parametrize(
    "text", ["a\x00b", "\ud800", "\u202e\u200b\U000e0041", "раypal"], ids=["NUL", "half", "unseen", "alike"]
)
def test_37_no_text_is_a_500_anywhere(house: House, name: str, text: str) -> None:
    """In every name that anything asks for, of an address and of a form, in the path and in headers."""
    client, wrong = furnished.browser(house.cast, name), []
    raw = text.encode("utf-8", "surrogatepass")
    quoted = "".join(f"%{byte:02X}" for byte in raw)
    query = "&".join(f"{name}={quoted}" for name in NAMES)
    body = "&".join(f"{name}={quoted}" for name in NAMES).encode()
    for path in everywhere(house):
        answers = {
            "get": client.get(f"{path}?{query}"),
            "post": client.post(path, body, content_type="application/x-www-form-urlencoded"),
        }
        if name == "mara":
            answers["path"] = client.get(f"{path}{quoted}/")
        wrong += [(kind, path, answer.status_code) for kind, answer in answers.items() if answer.status_code >= 500]
        if "\x00" in text and answers["get"].status_code != 404:
            assert (answers["get"].status_code, b"field" in answers["get"].content) == (422, True), path
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"], ids=["NUL", "half"])
def test_37_nor_before_signing_in(house: House, text: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))
    query, client = "&".join(f"{name}={quoted}" for name in NAMES), Client(raise_request_exception=False)
    for path in outside():
        for answer in (
            client.get(f"{path}?{query}"),
            client.post(path, query.encode(), content_type="application/x-www-form-urlencoded"),
        ):
            assert answer.status_code < 500, path


# 39: formulas in exports ------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", ["=", "-", "\t=", "＝"])
def test_39_no_cell_of_an_export_begins_a_formula(live: None, start: str) -> None:
    house = furnished.furnish(gather(), f"{start}1+1")
    with workspace.within(house.cast.ws):
        Person.objects.filter(pk=house.cast.id("ravi")).update(name=f"{start}1+1")
    answer = furnished.browser(house.cast, "odile").post(
        f"/w/{house.cast.workspace.slug}/audit/export/", {"format": "csv"}
    )
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert len(rows) > 60
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\n＝＋－＠"))] == []
    assert any(cell.startswith("'") for cell in cells)


# 43: fields nobody asked for ----------------------------------------------------------------------------------


def test_43_a_form_sets_no_more_than_it_asks_for(live: None) -> None:
    house, other = furnished.furnish(gather()), gather()
    cast = house.cast
    ravi = str(cast.id("ravi"))
    more = {
        "workspace": str(other.ws), "workspace_id": str(other.ws), "person": ravi, "person_id": ravi, "actor": ravi,
        "made_by": "person:1", "proposer": f"person:{ravi}", "state": "applied", "version": "99", "id": "1", "pk": "1",
        "is_staff": "1", "is_superuser": "1", "is_active": "", "password": "x" * 20, "person__email": "x@evil.example",
        "user_permissions": "1", "created_at": "2001-01-01", "step_up": "1", "round": "9", "people": "0", "tier": "low",
        "secret_sha256": "0" * 64, "approved": "1", "votes": "2", "impersonator": "1",
    }  # fmt: skip
    before = list(Person.objects.order_by("pk").values_list("pk", "email", "is_superuser", "is_staff", "password"))
    target = steps.ticket(cast)
    proposal = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    rosa = furnished.browser(cast, "rosa")
    said = {"revision": str(proposal.revision), "digest": proposal.digest}
    base = f"/w/{cast.workspace.slug}"
    assert rosa.post(f"{base}/proposals/{proposal.pk}/approve/", more | said).status_code == 302
    assert rosa.post(f"{base}/you/tokens/", more | {"name": "mine", "scopes": "cases:read"}).status_code in (200, 302)
    ada = furnished.browser(cast, "ada")
    cap = {"scope": "customer", "currency": "EUR", "writes": "1", "amount": "10.00"}
    assert ada.post(f"{base}/admin/approvals/dailycap/add/", more | cap).status_code in (200, 302, 303)
    member = {"person": str(cast.id("otto")), "email": cast.people["otto"].email, "role": "reviewer"}
    ada.post(f"{base}/admin/portal/membership/add/", more | member)
    with workspace.within(cast.ws):
        row = steps.fresh(cast, proposal)
        assert (row.workspace_id, row.proposer, row.people) == (cast.ws, "agent:triage", 1)
        assert 2 <= row.version <= 4  # approved; in the whole suite real workers carry it out
        (vote,) = Decision.objects.filter(proposal=proposal)
        assert (vote.person_id, vote.step_up_id, vote.round) == (cast.id("rosa"), None, row.round)
        token = models.PersonalToken.objects.filter(name="mine").get()
        assert (token.person_id, token.workspace_id, token.scopes) == (cast.id("rosa"), cast.ws, ["cases:read"])
        assert token.secret_sha256 != "0" * 64
        assert set(Threshold.objects.values_list("workspace_id", flat=True)) == {cast.ws}
        assert not models.Membership.objects.filter(person=cast.people["otto"], role="admin").exists()
    people = list(Person.objects.order_by("pk").values_list("pk", "email", "is_superuser", "is_staff", "password"))
    assert people == before
    with workspace.within(other.ws):
        assert not models.PersonalToken.objects.exists()


# 44: ways out, caches, frames -----------------------------------------------------------------------------------


def leads_away(answer: HttpResponse) -> str:
    """Where an answer would lead a browser, if that is out of here."""
    for header in ("Location", "HX-Redirect", "HX-Location", "Refresh"):
        where = answer.headers.get(header, "")
        if where and not re.match(r"^(\?|/(?![/\\]))", where):
            return where
    return ""


@pytest.mark.parametrize("name", ["mara", "ada"])
def test_44_no_address_leads_anywhere_else(house: House, name: str) -> None:
    client, wrong = furnished.browser(house.cast, name), []
    for number, path in enumerate([*everywhere(house), *outside()]):
        for evil in (EVIL[number % len(EVIL)], EVIL[(number + 1) % len(EVIL)]):
            named = dict.fromkeys(WAYS, evil)
            headers = {"Referer": evil, "X-Forwarded-Host": "evil.example", "HX-Current-URL": evil}
            for answer in (client.get(path, named, headers=headers), client.post(path, named, headers=headers)):
                wrong += [(path, away)] if (away := leads_away(answer)) else []
    assert wrong == []


@pytest.mark.parametrize("evil", EVIL)
def test_44_signing_in_leads_nowhere_else(house: House, evil: str) -> None:
    client = Client(REMOTE_ADDR="10.44.0.1")
    answer = client.post(
        f"/accounts/login/?next={evil}", {"login": house.cast.people["rosa"].email, "password": PASSWORD}
    )
    assert answer.status_code == 302
    assert not leads_away(answer)
    assert not leads_away(client.post(f"/accounts/logout/?next={evil}", {"next": evil}))


@pytest.mark.parametrize("name", ["rosa", "ada"])
def test_44_no_page_or_fragment_is_kept_or_framed(house: House, name: str) -> None:
    """Whatever the status: nothing of a workspace stays in a shared cache, nothing is framed or sniffed."""
    client, wrong = furnished.browser(house.cast, name), []
    for path in [*everywhere(house), *outside()]:
        for headers in ({}, {"HX-Request": "true", "HX-Target": "detail"}):
            answer = client.get(path, headers=headers)
            kept, policy = answer.headers.get("Cache-Control", ""), answer.headers.get("Content-Security-Policy", "")
            if (
                path.startswith("/w/")
                and answer.status_code == 200
                and not {"private", "no-store"} & set(kept.split(", "))
            ):
                wrong.append((path, "Cache-Control", kept))
            if "frame-ancestors 'none'" not in policy or "unsafe" in policy:
                wrong.append((path, "Content-Security-Policy", policy))
            if (answer.headers.get("X-Frame-Options"), answer.headers.get("X-Content-Type-Options")) != (
                "DENY",
                "nosniff",
            ):
                wrong.append((path, "framed or sniffed", str(answer.status_code)))
    assert not wrong, "\n".join(map(str, dict.fromkeys(wrong)))


# 45: injection, slow patterns, paths -----------------------------------------------------------------------------

SQL = ("1;SELECT pg_sleep(3)--", "' OR '1'='1", "id) FROM portal_person--", "person__password", "-person__password",
       "workspace__membership__person__password__startswith", "pk__gt", "?", "1,2", "%", "\\", "{}", "[]")  # fmt: skip


@pytest.mark.parametrize("name", ["mara", "ada"])
def test_45_no_order_and_no_filter_is_taken_from_an_address(house: House, name: str) -> None:
    client, wrong, slow = furnished.browser(house.cast, name), [], 0.0
    for path in (one for one in everywhere(house) if not re.search(r"/(approve|reject|stop|add|delete)/$", one)):
        for turn in range(2):
            texts = itertools.cycle([*SQL[turn:], *SQL[:turn]])
            query = {asked: next(texts) for asked in ("o", "ot", "order_by", "ordering", "sort", "q", "p", "all", *SQL)}
            start = time.monotonic()
            answer = client.get(path, query)
            slow = max(slow, time.monotonic() - start)
            if answer.status_code >= 500 or b"pbkdf2" in answer.content or b"md5$" in answer.content:
                wrong.append((path, turn, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    assert slow < 3


SLOW = ("a" * 50_000, "a@" * 25_000, " " * 50_000, "(" * 50_000, "0" * 50_000, "-" * 50_000, "a:" * 25_000,
        "1 " * 25_000, "http://" * 7_000, "é" * 25_000, ("x" * 60 + ".") * 800, "+49 " * 12_000)  # fmt: skip
SEARCHED = ("/", "/cases/", "/policy/", "/audit/", "/undo/", "/admin/audit/entry/", "/admin/approvals/proposal/")


@pytest.mark.parametrize("text", SLOW, ids=[text[:8] for text in SLOW])
def test_45_no_pattern_is_slow(house: House, text: str) -> None:
    client = furnished.browser(house.cast, "mara")
    for path in SEARCHED:
        query = dict.fromkeys(("q", "who", "record", "case", "since", "run", "agent", "customer"), text)
        start = time.monotonic()
        answer = client.get(f"/w/{house.cast.workspace.slug}{path}", query)
        assert time.monotonic() - start < 2, (path, text[:10])
        assert answer.status_code < 500, (path, text[:10])


@pytest.mark.parametrize("text", SLOW, ids=[text[:8] for text in SLOW])
def test_45_no_text_of_a_customer_is_slow_to_read(text: str) -> None:
    """What every ticket goes through before a model or a page: redaction, hostile text, unseen characters."""
    from agents import hostile
    from audit import redaction
    from portal import unseen

    for read in (redaction.redact, redaction.scrub, hostile.read, unseen.hidden, lambda one: list(unseen.part(one))):
        start = time.process_time()
        read(text)
        assert time.process_time() - start < 2, (read, text[:10])


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "....//", "refunds-1/../../x", "%00"])
def test_45_no_name_leads_out_of_its_folder(house: House, name: str) -> None:
    client = furnished.browser(house.cast, "mara")
    base = f"/w/{house.cast.workspace.slug}"
    assert client.get(f"{base}/evaluations/{name}/").status_code in (301, 404)
    for form in (name, "../csv", "csv/../../x"):
        assert client.post(f"{base}/audit/export/", {"format": form}).status_code == 404


def test_45_a_page_of_the_knowledge_base_comes_from_a_file_and_never_from_an_address(live: None) -> None:
    """There is no import by address: one that is given is no file, and nothing is asked of it."""
    import socketserver
    import threading

    from django.core.management import CommandError, call_command

    asked: list[bytes] = []

    class Inside(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(100))

    cast = gather()
    with socketserver.TCPServer(("127.0.0.1", 0), Inside) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        for where in (
            f"http://127.0.0.1:{port}/page",
            "http://169.254.169.254/latest/meta-data/",
            f"//127.0.0.1:{port}/x",
        ):
            with pytest.raises(CommandError):
                call_command("publish_page", where, workspace=cast.workspace.slug)
        server.shutdown()
    assert asked == []
