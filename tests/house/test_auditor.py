"""An auditor reads and verifies all of it and changes nothing: every address of the product, posted to as one."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from agents.models import Run
from approvals.models import Case, Handoff, Proposal, Submission
from audit.models import Entry
from portal import tokens, walls, workspace
from portal.models import PersonalToken, Queue
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import sign_in
from tests.house.test_routes import BODIES, SEEN, filled, of_kind, routes

pytestmark = pytest.mark.timeout(300)  # some six hundred posts

# What is the person's own: a token, a proof of presence, what they took along and looked at.
OWN_TABLES = {"portal_personaltoken", "portal_stepup", "audit_entry", "audit_payload", "audit_subjectkey"}
OWN_EVENTS = {"token.made", "token.revoked", "log.exported", "item.seen"}
FORMS = [
    {},
    {"revision": "1", "reason": "other", "text": "Look again", "outcome": "Done", "name": "x", "scopes": "cases:read"},
    {"kind": "freeze", "subject": "", "reason": "test", "person": "1", "to": "1", "item": "", "format": "csv"},
    {"role": "reviewer", "email": "a@example.com", "stand_in": "1", "until": "2030-01-01T00:00", "series": "x"},
]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def rows(cast: Cast) -> dict[str, list[int]]:
    """Rows of every kind for the addresses to be about."""
    target = steps.ticket(cast)
    open_ = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    done = steps.propose(cast, target, "ticket.update", target, {"queue": cast_queue(cast)})
    steps.approve(cast, done, "rosa")
    steps.apply(cast, done)
    steps.pass_gate(cast, steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"}))
    with workspace.within(cast.ws):
        return {
            "proposals": [open_.pk, done.pk],
            "reports": [open_.pk],
            "runs": list(Run.objects.values_list("pk", flat=True)),
            "entries": list(Entry.objects.values_list("pk", flat=True))[:2],
            "cases": list(Case.objects.values_list("pk", flat=True)),
            "handoffs": list(Handoff.objects.values_list("pk", flat=True)),
            "submissions": list(Submission.objects.values_list("pk", flat=True)),
            "tokens": list(PersonalToken.objects.values_list("pk", flat=True)) or [1],
            "team": [cast.id("rosa")],
        }


def cast_queue(cast: Cast) -> str:
    with workspace.within(cast.ws):
        return str(Queue.objects.values_list("name", flat=True).first())


def prints(cast: Cast) -> dict[str, str]:
    """A fingerprint of every table's rows of this workspace, but for what is one's own."""
    found = {}
    sign_in("owner")
    try:
        with workspace.within(cast.ws), connection.cursor() as cursor:
            for table in {model._meta.db_table for model in walls.tables()} - OWN_TABLES:
                cursor.execute(
                    f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {table} t"
                    " WHERE workspace_id = %s", [cast.ws],
                )  # fmt: skip
                found[table] = cursor.fetchone()[0]
    finally:
        sign_in("web")
    return found


def entries(cast: Cast) -> set[tuple[str, str]]:
    with workspace.within(cast.ws):
        return set(Entry.objects.filter(workspace_id=cast.ws).values_list("actor", "event"))


def post_everywhere(cast: Cast, name: str, ids: dict[str, list[int]], part: str = "") -> dict[str, set[int]]:
    """Post to every address, with ids of rows that are there and forms that fit some of them; answers by route."""
    client = Client()
    client.force_login(cast.people[name], backend="allauth.account.auth_backends.AuthenticationBackend")
    with workspace.within(cast.ws, cast.id(name)) as now:
        person = cast.people[name]
        scopes = list(tokens.offered(person, cast.workspace))
        _, secret = tokens.make(workspace=cast.workspace, person=person, name="x", scopes=scopes, now=now)
        digests = dict(Proposal.objects.values_list("pk", "digest"))
    answers: dict[str, set[int]] = {}
    for route in (one for one in routes() if part in one):
        names = re.findall(r"<(?:\w+:)?(\w+)>", route)
        for key in of_kind(route, ids)[:2] if names else [0]:
            item = {"item": f"proposal:{ids['proposals'][0]}", "action": "ticket.update", "app_label": "audit"}
            path = f"/w/{cast.workspace.slug}/" + filled(route, {name: str(key) for name in names} | item)
            seen = SEEN | {"digest": digests.get(key, "0" * 64)}
            verb = path.rstrip("/").rpartition("/")[2]
            if "/api/" in path:
                body: dict[str, Any] = {**BODIES.get(verb, {}), **seen}
                answer = client.post(
                    path, json.dumps(body), content_type="application/json",
                    headers={"Authorization": f"Bearer {secret}"},
                )  # fmt: skip
                answers.setdefault(route, set()).add(answer.status_code)
                continue
            for form in FORMS:
                answer = client.post(path, {**seen, **form})
                answers.setdefault(route, set()).add(answer.status_code)
    return answers


def test_an_auditor_posts_to_every_address_and_nothing_changes(cast: Cast) -> None:
    ids, before = rows(cast), prints(cast)
    known = entries(cast)
    answers = post_everywhere(cast, "odile", ids)
    assert len(answers) > 60
    broken = {route: codes for route, codes in answers.items() if max(codes) >= 500}
    assert broken == {}
    assert {table for table, digest in prints(cast).items() if digest != before[table]} == set()
    assert {event for actor, event in entries(cast) - known} <= OWN_EVENTS
    assert {actor for actor, _ in entries(cast) - known} <= {f"person:{cast.id('odile')}"}


def test_the_same_walk_by_a_manager_does_change_something(cast: Cast) -> None:
    """Without this the walk above could be knocking at walls."""
    ids, before = rows(cast), prints(cast)
    answers = post_everywhere(cast, "mara", ids, "proposals/") | post_everywhere(cast, "mara", ids, "handoffs/")
    changed = {table for table, digest in prints(cast).items() if digest != before[table]}
    assert {"approvals_proposal", "approvals_decision", "approvals_handoff"} <= changed, (changed, answers)


def test_an_auditor_reads_every_page_and_the_proof(cast: Cast) -> None:
    ids = rows(cast)
    odile = sit_down(cast, "odile")
    for path in (
        "/", "/cases/", f"/cases/{ids['cases'][0]}/", f"/proposals/{ids['proposals'][0]}/",
        f"/reports/{ids['proposals'][0]}/", f"/reports/{ids['proposals'][0]}.json", "/audit/",
        f"/audit/entries/{ids['entries'][0]}/", f"/audit/entries/{ids['entries'][0]}/entry.json", "/policy/", "/admin/",
    ):  # fmt: skip
        assert odile.get(path).status_code == 200, path
    page = text(odile.get(f"/proposals/{ids['proposals'][0]}/"))
    assert ">Approve<" not in page
    assert ">Reject<" not in page
