"""What the API shows, to whom, page by page."""

import json
import re
from collections.abc import Callable

import pytest

from agents.models import Run
from audit.models import Entry
from portal import workspace
from portal.models import Membership, Person
from tests.api.calls import Caller, make_token, proposed
from tests.approvals import steps
from tests.cast import Cast, gather

READ = ("cases:read",)
LISTS = ("cases/", "proposals/", "runs/", "entries/")


def test_a_proposal_is_shown_with_its_diff_patch_verdict_and_votes(cast: Cast, caller: Callable[..., Caller]) -> None:
    proposal = proposed(cast)
    steps.approve(cast, proposal, "rosa")
    shown = caller(scopes=READ).get(f"proposals/{proposal.pk}/").json()
    assert shown["state"] == "approved"
    assert (shown["revision"], shown["digest"]) == (1, proposal.digest)
    assert shown["diff"]["changes"][0] == {
        "field": "queue",
        "op": "set",
        "before": "",
        "after": "refunds_returns",
    }
    assert {"op": "replace", "path": "/queue", "value": "refunds_returns"} in shown["diff"]["json_patch"]
    assert shown["verdict"]["people"] == 1
    assert [(vote["person"], vote["kind"]) for vote in shown["votes"]] == [(cast.id("rosa"), "approve")]


@pytest.mark.parametrize("path", LISTS)
def test_pages_show_each_row_once_newest_first(cast: Cast, caller: Callable[..., Caller], path: str) -> None:
    for _ in range(5):
        proposed(cast)
    reader, found, following = caller(scopes=READ), [], f"/w/{cast.workspace.slug}/api/{path}?limit=2"
    while following:
        answer = reader.get(following.split("/api/")[1])
        assert answer.status_code == 200, answer.content
        found += [row["id"] for row in answer.json()["results"]]
        following = answer.json()["next"]
    assert found == sorted(set(found), reverse=True)
    assert len(found) >= 5


def test_filters_narrow(cast: Cast, caller: Callable[..., Caller]) -> None:
    waiting, done = proposed(cast), proposed(cast)
    steps.approve(cast, done, "rosa")
    reader = caller(scopes=READ)
    wanted = {
        ("state", "pending"): [waiting.pk], ("state", "approved"): [done.pk], ("tier", "high"): [],
        ("agent", "triage"): [done.pk, waiting.pk], ("agent", "refunds"): [],
        ("action", "ticket.update"): [done.pk, waiting.pk], ("action", "refund.create"): [],
    }  # fmt: skip
    for (name, value), ids in wanted.items():
        assert [row["id"] for row in reader.get("proposals/", **{name: value}).json()["results"]] == ids, (
            name,
            value,
        )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"), ({"limit": "101"}, "limit"),
        ({"limit": "x"}, "limit"), ({"after": "!"}, "after"),
        ({"after": "LTE"}, "after"), ({"state": "gone"}, "state"), ({"action": "a\x00.b"}, "action"),
        ({"agent": "x" * 41}, "agent"), ({"order_by": "id"}, "order_by"), ({"agent": "a\x00"}, "agent"),
    ],
)  # fmt: skip
def test_a_wrong_query_names_its_parameter(
    cast: Cast, caller: Callable[..., Caller], query: dict[str, str], field: str
) -> None:
    answer = caller(scopes=READ).get("proposals/", **query)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert answer["Content-Type"] == "application/problem+json"


def test_an_entry_is_shown_as_it_was_hashed(cast: Cast, caller: Callable[..., Caller]) -> None:
    proposal = proposed(cast)
    reader = caller(scopes=READ)
    rows = reader.get("entries/", subject=f"proposal:{proposal.pk}").json()["results"]
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{proposal.pk}")
    assert rows == [{"id": entry.pk, "leaf": json.loads(entry.canonical)}]
    assert reader.get(f"entries/{entry.pk}/").json() == rows[0]


def test_a_case_and_its_runs_are_shown(cast: Cast, caller: Callable[..., Caller]) -> None:
    proposal = proposed(cast)
    reader = caller(scopes=READ)
    case = reader.get(f"cases/{proposal.case_id}/").json()
    assert [row["id"] for row in case["proposals"]] == [proposal.pk]
    runs = reader.get("runs/", case=proposal.case_id).json()["results"]
    assert [run["state"] for run in runs] == ["running"]
    assert reader.get(f"runs/{runs[0]['id']}/").json() == runs[0]


def test_ids_of_another_workspace_are_not_there(cast: Cast, caller: Callable[..., Caller]) -> None:
    other = gather()
    theirs = proposed(other)
    with workspace.within(other.ws):
        run, entry = Run.objects.get(), Entry.objects.last()
    with workspace.within(cast.ws):
        mine = Entry.objects.last()
    reader = caller()
    seen = {"revision": theirs.revision, "digest": theirs.digest}
    for path in (
        f"cases/{theirs.case_id}/",
        f"proposals/{theirs.pk}/",
        f"runs/{run.pk}/",
        f"entries/{entry.pk}/",
    ):
        assert reader.get(path).status_code == 404, path
    for path in ("approve", "stop", "reopen", "withdraw", "redo"):
        assert reader.post(f"proposals/{theirs.pk}/{path}/", seen).status_code == 404, path
    assert reader.get(f"entries/{mine.pk}/").status_code == 200
    assert Caller(other.workspace.slug, reader.secret).get("cases/").status_code == 404
    assert reader.get("proposals/", after="").status_code == 200


def test_who_may_not_call(cast: Cast, caller: Callable[..., Caller]) -> None:
    slug = cast.workspace.slug
    assert caller(scopes=READ).get("cases/").status_code == 200
    assert caller("odile", READ).get("cases/").status_code == 200
    assert caller(scopes=("tickets:write",)).get("cases/").status_code == 403
    for secret in ("", "cs_wrong", "cs_é", "nothing"):
        answer = Caller(slug, secret).get("cases/")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer"), secret


def test_a_token_ends_with_its_person_or_membership(cast: Cast, caller: Callable[..., Caller]) -> None:
    left, disabled = caller("ravi", READ), caller("rosa", READ)
    assert [c.get("cases/").status_code for c in (left, disabled)] == [200, 200]
    with workspace.within(cast.ws):
        Membership.objects.filter(person=cast.people["ravi"]).update(active=False)
        Person.objects.filter(pk=cast.id("rosa")).update(is_active=False)
    assert [c.get("cases/").status_code for c in (left, disabled)] == [404, 401]


def test_a_session_is_no_token(cast: Cast, client) -> None:
    make_token(cast, "rosa", READ)
    client.force_login(cast.people["rosa"], backend="portal.roles.RoleBackend")
    assert client.get(f"/w/{cast.workspace.slug}/api/cases/").status_code == 401


def test_an_address_that_is_none_is_a_problem_too(cast: Cast, caller: Callable[..., Caller]) -> None:
    answer = caller().get("nothing/here/")
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is nothing here.")


def test_lists_ask_the_database_the_same_however_long(cast: Cast, caller: Callable[..., Caller]) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    reader, asked = caller(scopes=READ), {}
    for path in LISTS:
        for rows in (2, 4):
            proposed(cast)
            with CaptureQueriesContext(connection) as queries:
                reader.get(path, limit=rows)
            asked.setdefault(path, set()).add(len(queries))
            assert not any(re.search(r"\bcount\(|\boffset\b", q["sql"], re.I) for q in queries)
    assert {path: len(counts) for path, counts in asked.items()} == dict.fromkeys(LISTS, 1)
