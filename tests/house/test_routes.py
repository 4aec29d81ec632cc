"""Every address, generated from the URL resolver: nobody sees another workspace's rows, nobody gets in unsigned.

And a GET leaves nothing behind, and no post counts without its token.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from approvals.models import Claim
from portal import models, tokens, workspace
from tests import furnished
from tests.cast import Cast, gather
from tests.furnished import House

pytestmark = pytest.mark.timeout(600)
SEEN = {"revision": 1, "digest": "0" * 64}
BODIES = {
    "reject": SEEN | {"reason": "other"},
    "send-back": SEEN | {"text": "to Billing"},
    "edit": SEEN | {"args": {"priority": "P2"}},
    "undo": {"seen_content": "0" * 64, "key": "k"},
    "recover": {"key": "k"},
    "messages": {"id": "m-1", "text": "It still leaks."},
}
PUBLIC = ("/api/schema/", "/api/docs/")  # what the API looks like is no secret
# How good the agents are is the same in each workspace; what begins here is about no row that is there.
OF_NOBODY = ("evaluations/<str:name>/", "api/<path:rest>", "admin/^(?P<app_label>", "admin/(?P<url>")
# The parts of pages that HTMX asks for by themselves.
PARTS = ("detail", "desk", "queue", "standing", "submission", "entries", "sweeps", "backtest")
# Rows of a kind that are tried; `make faults` tries all of them.
EACH = int(os.environ.get("ROUTES_EACH", "1"))
EVERYBODY = ("rosa", "mara", "ada", "odile")
# Nothing of these is a row of the workspace.
ELSEWHERE = ("accounts/logout/", "accounts/2fa/", "accounts/password/change/", "healthz", "")


@pytest.fixture(scope="module")
def _neighbours(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Cast, House]]:
    with django_db_blocker.unblock():
        yield gather(), furnished.furnish(gather())


@pytest.fixture
def neighbours(live: None, _neighbours: tuple[Cast, House]) -> tuple[Cast, House]:
    """Two workspaces; the second holds rows of every kind, whose ids the first one's people will try."""
    return _neighbours


def bearer(cast: Cast, name: str) -> dict[str, str]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        person = cast.people[name]
        scopes = list(tokens.offered(person, cast.workspace))
        _, secret = tokens.make(workspace=cast.workspace, person=person, name="x", scopes=scopes, now=now)
    return {"Authorization": f"Bearer {secret}"}


def ask(client: Client, method: str, path: str, token: dict[str, str], **headers: str) -> HttpResponse:
    """A page as a browser asks for it, the API as a program does; a redirect within the admin is followed."""
    if "/api/" in path:
        body = json.dumps(BODIES.get(path.rstrip("/").rpartition("/")[2], SEEN))
        more: dict[str, Any] = {"data": body, "content_type": "application/json"} if method == "post" else {}
        return getattr(client, method)(path, headers=token, **more)  # type: ignore[no-any-return]
    answer = getattr(client, method)(path, headers=headers)
    if answer.status_code == 302 and answer["Location"].endswith("/change/"):
        return ask(client, method, answer["Location"], token)
    return answer  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_id_of_another_workspace_answers_404_on_every_route(neighbours: tuple[Cast, House], name: str) -> None:
    first, second = neighbours
    client, token = furnished.browser(first, name), bearer(first, name)
    tried, wrong = 0, []
    # 403 tells that a role may not do it, whatever the id; a 405 that nobody does.
    for route, path in furnished.addresses(second.ids, most=EACH):
        if "<" not in route or route.startswith(OF_NOBODY):
            continue
        for method in ("get", "post"):
            answer = ask(client, method, f"/w/{first.workspace.slug}/{path}", token)
            tried += 1
            if answer.status_code not in (404, 405) and not _no_to_all(client, answer, method, first, route, token):
                wrong.append((method, route, path, answer.status_code))
    print(f"\n{name}: {tried} tried, {len(wrong)} wrong")
    assert tried > 350
    assert not wrong, "\n".join(map(str, wrong[:40]))


def _no_to_all(
    client: Client, answer: HttpResponse, method: str, cast: Cast, route: str, token: dict[str, str]
) -> bool:
    """Whether the same is said of an id that nobody has: then it tells nothing."""
    if answer.status_code != 403:
        return False
    nothing = dict.fromkeys(("pk", "object_id", "person", "ticket", "version", "item", "clause"), "99999999")
    path = furnished.plain(route, nothing | {"action": "ticket.update"})
    return ask(client, method, f"/w/{cast.workspace.slug}/{path}", token).status_code == 403


def test_no_fragment_shows_another_workspaces_rows(neighbours: tuple[Cast, House]) -> None:
    first, second = neighbours
    client, wrong, tried = furnished.browser(first, "mara"), [], 0
    for route, path in furnished.addresses(second.ids, most=1):
        if "<" not in route or route.startswith((*OF_NOBODY, "api/", "admin/")):
            continue
        for part in PARTS:
            headers = {"HX-Request": "true", "HX-Target": part}
            answer = client.get(f"/w/{first.workspace.slug}/{path}", headers=headers)
            tried += 1
            if answer.status_code not in (404, 405):
                wrong.append((path, part, answer.status_code))
    assert tried > 200
    assert not wrong, "\n".join(map(str, wrong))


def test_no_field_of_a_form_or_an_address_reaches_another_workspaces_rows(neighbours: tuple[Cast, House]) -> None:
    first, second = neighbours
    ids, mara = second.ids, furnished.browser(first, "mara")
    before = furnished.prints(second.cast)
    item = f"proposal:{ids['proposals'][0]}"
    base = f"/w/{first.workspace.slug}"
    for query in (f"case={ids['cases'][0]}", f"run={ids['runs'][0]}", f"record=proposal:{ids['proposals'][0]}",
                  f"who=person:{second.cast.id('rosa')}"):  # fmt: skip
        page = mara.get(f"{base}/audit/?{query}")
        assert b"/audit/entries/" not in page.content, query
        name, _, value = query.partition("=")
        export = mara.post(f"{base}/audit/export/", {"format": "jsonl", name: value})
        assert export.status_code == 422 or b"".join(export.streaming_content) == b"", query  # type: ignore[attr-defined]
    with workspace.within(second.cast.ws):
        order = models.Order.objects.values_list("order_id", flat=True)[0]
        lease = Claim.objects.exclude(token="").values_list("token", flat=True)[0]
    for path in (f"/undo/?run={ids['runs'][0]}", f"/?q=order:{order}", f"/?q=run:{ids['runs'][0]}"):
        assert second.said.encode() not in mara.get(f"{base}{path}").content, path
    ada, day, others = furnished.browser(first, "ada"), "2030-01-07T08:00", str(second.cast.id("rosa"))
    for who, path, form, refused in (
        (mara, "/manage/assign/", {"item": item, "to": str(first.id("rosa"))}, 404),
        (mara, "/claims/heartbeat/", {"token": lease}, 409),
        (ada, "/you/view-as/", {"person": others}, 422),
        (mara, "/out-of-office/", {"person": others, "stand_in": others, "starts": day, "ends": "2030-01-08"}, 422),
        (mara, "/undo/", {"undo": f"{ids['proposals'][0]}:{'0' * 64}", "key": "k"}, 200),
    ):
        answer = who.post(f"{base}{path}", form)
        assert answer.status_code == refused, (path, answer.status_code)
        assert second.said.encode() not in answer.content, path
    assert furnished.prints(second.cast) == before


def test_every_address_of_another_workspace_answers_404(neighbours: tuple[Cast, House]) -> None:
    first, second = neighbours
    client, wrong = furnished.browser(first, "rosa"), []
    for _, path in furnished.addresses(second.ids, most=1):
        if "api/" not in path:
            code = client.get(f"/w/{second.cast.workspace.slug}/{path}").status_code
            wrong += [(path, code)] if code != 404 else []
    token = bearer(first, "rosa")
    for _, path in furnished.addresses(second.ids, most=1):
        if path.startswith("api/") and not f"/{path}".endswith(PUBLIC):
            answer = client.get(f"/w/{second.cast.workspace.slug}/{path}", headers=token)
            wrong += [(path, answer.status_code)] if answer.status_code not in (401, 404) else []
    assert not wrong, "\n".join(map(str, wrong))
    assert client.get(f"/w/{first.workspace.slug}/").status_code == 200


def test_nobody_unsigned_gets_past_the_sign_in_page(neighbours: tuple[Cast, House]) -> None:
    first, second = neighbours
    client, wrong = Client(), []
    for _, path in furnished.addresses(second.ids, most=1):
        answer = client.get(f"/w/{first.workspace.slug}/{path}")
        right = answer.status_code in (401, 404) if "api/" in path else "/accounts/login/" in answer.get("Location", "")
        if not right and not f"/{path}".endswith(PUBLIC):
            wrong.append((path, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize("name", EVERYBODY)
def test_get_requests_leave_nothing_behind(neighbours: tuple[Cast, House], name: str) -> None:
    """Crawl every address as each role, whole pages and fragments, and compare every table before and after."""
    _, house = neighbours
    client, token, tried = furnished.browser(house.cast, name), bearer(house.cast, name), 0
    before, people = furnished.prints(house.cast), _people(house.cast)
    for _, path in furnished.addresses(house.ids, most=min(EACH, 4)):
        for headers in ({}, {"HX-Request": "true", "HX-Target": "detail"}):
            answer = client.get(
                f"/w/{house.cast.workspace.slug}/{path}", headers=token if path.startswith("api/") else headers
            )
            assert answer.status_code < 500, path
            tried += 1
    for path in ELSEWHERE:
        assert client.get(f"/{path}").status_code < 500, path
    print(f"\n{name}: {tried} pages asked for")
    after = furnished.prints(house.cast)
    assert {table for table in before if before[table] != after[table]} == set()
    assert _people(house.cast) == people


def _people(cast: Cast) -> list[tuple[Any, ...]]:
    keys = [person.pk for person in cast.people.values()]
    return list(models.Person.objects.filter(pk__in=keys).order_by("pk").values_list())


@pytest.mark.parametrize("name", ["mara", "ada"])
def test_no_post_counts_without_its_token(neighbours: tuple[Cast, House], name: str) -> None:
    """The API takes no cookie, so that nobody's browser can be led to it."""
    _, house = neighbours
    client = furnished.browser(house.cast, name)
    client.handler.enforce_csrf_checks = True
    before, wrong, tried = furnished.prints(house.cast), [], 0
    inside = [f"/w/{house.cast.workspace.slug}/{path}" for _, path in furnished.addresses(house.ids, most=1)]
    some = {"pk": "1", "uidb36": "1", "key": "1-1"}
    outside = ["/" + furnished.plain(route, some) for route in furnished.routes("portal.urls")]
    for path in [*inside, *outside]:
        for origin in ("", "https://evil.example"):
            answer = client.post(path, SEEN, headers={"Origin": origin} if origin else {})
            tried += 1
            allowed = (401, 403, 404, 405) if "/api/" in path else (403, 404, 405)
            if answer.status_code not in allowed:
                wrong.append((path, answer.status_code))
    assert tried > 500
    assert not wrong, "\n".join(map(str, wrong))
    assert furnished.prints(house.cast) == before
