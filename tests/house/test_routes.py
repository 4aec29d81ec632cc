"""Every address, generated from the URL resolver: nobody sees another workspace's rows, nobody gets in unsigned."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from agents.models import Run
from approvals.models import Case, Handoff, Proposal, Submission
from audit.models import Entry
from portal import tokens, workspace
from portal.models import PersonalToken
from tests.approvals import steps
from tests.cast import Cast, gather

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


def patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route below a resolver with its whole pattern."""
    for entry in resolver.url_patterns:
        where = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, where)
        else:
            yield where, entry


def routes() -> list[str]:
    found = [where for where, _ in patterns(get_resolver("portal.workspace_urls"))]
    assert len(found) > 25
    return found


def filled(route: str, ids: dict[str, str]) -> str:
    """A path with its parameters filled in; regular expressions become plain text."""
    route = re.sub(r"\(\?P<[^>]+>\[[^\]]*\][^)]*\)", "1", route).replace("^", "").replace("\\Z", "").replace("$", "")
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda match: ids.get(match.group(1), "1"), route).replace("\\.", ".")


def of_kind(route: str, ids: dict[str, list[int]]) -> list[int]:
    """The ids of what a route is about, by the plural in it."""
    return next((keys for kind, keys in ids.items() if kind in route), ids["cases"])


def with_parameters() -> list[str]:
    return [route for route in routes() if "<" in route and "admin" not in route]


@pytest.fixture
def neighbours(live: None) -> tuple[Cast, Cast, dict[str, list[int]]]:
    """Two workspaces; the second holds rows of every kind, whose ids the first one's reviewer will try."""
    first, second = gather(), gather()
    target = steps.ticket(second)
    proposal = steps.propose(second, target, "ticket.update", target, {"priority": "P1"})
    refused = steps.submit_as_agent(second, target, "ticket.update", target, {"priority": "P9"})
    steps.pass_gate(second, refused)
    with workspace.within(second.ws, second.id("rosa")) as now:
        tokens.make(workspace=second.workspace, person=second.people["rosa"], name="x", scopes=["decide"], now=now)
        ids = {
            "proposals": [proposal.pk],
            "runs": list(Run.objects.values_list("pk", flat=True)),
            "entries": list(Entry.objects.values_list("pk", flat=True))[:3],
            "cases": list(Case.objects.values_list("pk", flat=True)),
            "handoffs": list(Handoff.objects.values_list("pk", flat=True)),
            "submissions": list(Submission.objects.values_list("pk", flat=True)),
            "tokens": list(PersonalToken.objects.values_list("pk", flat=True)),
            "team": [second.id("rosa")],
        }
    assert all(ids.values())
    return first, second, ids


def test_foreign_ids_answer_404_on_every_route(neighbours: tuple[Cast, Cast, dict[str, list[int]]]) -> None:
    first, _, ids = neighbours
    client = Client()
    client.force_login(first.people["rosa"], backend="allauth.account.auth_backends.AuthenticationBackend")
    with workspace.within(first.ws, first.id("rosa")) as now:
        _, secret = tokens.make(
            workspace=first.workspace,
            person=first.people["rosa"],
            name="x",
            scopes=list(tokens.SCOPES),
            now=now,
        )
    headers = {"Authorization": f"Bearer {secret}"}
    tried, wrong = 0, []
    for route in with_parameters():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        for key in of_kind(route, ids):
            path = f"/w/{first.workspace.slug}/" + filled(
                route, {name: str(key) for name in names} | {"action": "ticket.update"}
            )
            for method in ("get", "post"):
                more: dict[str, Any] = {"headers": headers} if "/api/" in path else {}
                if method == "post" and more:
                    verb = path.rstrip("/").rpartition("/")[2]
                    more |= {"data": json.dumps(BODIES.get(verb, SEEN)), "content_type": "application/json"}
                answer = getattr(client, method)(path, **more)
                tried += 1
                if answer.status_code not in (404, 405):
                    wrong.append((method, path, answer.status_code))
    assert tried > 50
    assert not wrong, "\n".join(map(str, wrong))


def test_every_address_of_another_workspace_answers_404(
    neighbours: tuple[Cast, Cast, dict[str, list[int]]],
) -> None:
    first, second, ids = neighbours
    client = Client()
    client.force_login(first.people["rosa"], backend="allauth.account.auth_backends.AuthenticationBackend")
    wrong = []
    for route in routes():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        path = f"/w/{second.workspace.slug}/" + filled(route, {name: str(ids["proposals"][0]) for name in names})
        if "/api/" not in path and (code := client.get(path).status_code) != 404:
            wrong.append((path, code))
    assert not wrong, "\n".join(map(str, wrong))
    assert client.get(f"/w/{first.workspace.slug}/").status_code == 200


def test_nobody_unsigned_gets_past_the_sign_in_page(
    neighbours: tuple[Cast, Cast, dict[str, list[int]]],
) -> None:
    first, _, _ = neighbours
    client = Client()
    wrong = []
    for route in routes():
        path = f"/w/{first.workspace.slug}/" + filled(route, {})
        answer = client.get(path)
        right = (
            answer.status_code in (401, 404) if "/api/" in path else "/accounts/login/" in answer.get("Location", "")
        )
        if not right and not path.endswith(PUBLIC):
            wrong.append((path, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))


def test_get_requests_leave_nothing_behind(neighbours: tuple[Cast, Cast, dict[str, list[int]]]) -> None:
    """Crawl every page that takes no id, and a proposal's own, and compare the tables before and after."""
    _, second, ids = neighbours
    client = Client()
    client.force_login(second.people["rosa"], backend="allauth.account.auth_backends.AuthenticationBackend")
    before = _everything(second)
    for route in routes():
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        for key in of_kind(route, ids):
            path = f"/w/{second.workspace.slug}/" + filled(route, {name: str(key) for name in names})
            assert client.get(path).status_code < 500, path
    assert _everything(second) == before


def _everything(cast: Cast) -> list[tuple[object, ...]]:
    with workspace.within(cast.ws):
        return [
            *Proposal.objects.order_by("pk").values_list("pk", "version", "state"),
            *Handoff.objects.order_by("pk").values_list("pk", "version", "state"),
            (Entry.objects.count(), Submission.objects.count()),
        ]
