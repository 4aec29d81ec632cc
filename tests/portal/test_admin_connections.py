"""Choosing a system and setting its credential in the admin: by admins alone, on the log, never shown again."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from audit.models import Entry, Unattributed
from portal import env, workspace
from portal.models import Connection, Credential
from portal.systems import connections
from tests.api.calls import browser
from tests.cast import Cast, gather
from tests.conftest import signed_in

HTTP = {
    "part": "payments", "system": "http", "http_base_url": "https://desk.example.com/api", "http_lookup": "on",
    "http_idempotency_hours": "12", "http_settling_seconds": "", "http_calls_per_second": "5",
}  # fmt: skip
SECRET = "only-apply-may-ever-read-this"


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def address(cast: Cast, page: str) -> str:
    return f"/w/{cast.workspace.slug}/admin/portal/{page}"


def rows(cast: Cast) -> list[Connection]:
    with workspace.within(cast.ws):
        return list(Connection.objects.order_by("part", "version"))


def test_an_admin_chooses_a_system_and_sets_its_credential(cast: Cast) -> None:
    client = browser(cast, "ada")
    assert "Parts that are not listed" in client.get(address(cast, "connection/")).content.decode()
    answer = client.post(address(cast, "connection/add/"), HTTP, follow=True)
    page = answer.content.decode()
    assert "nothing is sent before you set it" in page, answer.context.get("errors")
    assert "desk.example.com" in page
    (row,) = rows(cast)
    assert (row.part, row.system, row.version, row.made_by) == ("payments", "http", 1, f"person:{cast.id('ada')}")
    assert row.config == {
        "base_url": "https://desk.example.com/api", "lookup": True, "idempotency_hours": 12, "allow_private": False,
        "calls_per_second": 5.0,
    }  # fmt: skip
    answer = client.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET}, follow=True)
    assert answer.status_code == 200
    assert SECRET not in answer.content.decode()
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments")._secret == SECRET.encode()
    assert ">set<" in client.get(address(cast, "connection/")).content.decode()
    with workspace.within(cast.ws):
        assert not Unattributed.objects.exists()


def test_saving_again_writes_the_next_version_and_asks_for_the_secret_of_another_host(cast: Cast) -> None:
    client = browser(cast, "ada")
    client.post(address(cast, "connection/add/"), HTTP)
    client.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET})
    (row,) = rows(cast)
    page = client.get(address(cast, f"connection/{row.pk}/change/")).content.decode()
    assert 'value="https://desk.example.com/api"' in page
    assert 'value="12"' in page
    change = {name: value for name, value in HTTP.items() if name != "part"}
    for config, state in (
        ({"http_idempotency_hours": "6"}, ">set<"),
        ({"http_base_url": "https://other.example.com"}, "set for another address"),
    ):
        row = rows(cast)[-1]
        client.post(address(cast, f"connection/{row.pk}/change/"), change | config)
        assert state in client.get(address(cast, "connection/")).content.decode()
    assert [r.version for r in rows(cast)] == [1, 2, 3]
    assert client.get(address(cast, f"connection/{row.pk}/change/")).status_code == 404
    newest = rows(cast)[-1]
    history = client.get(address(cast, f"connection/{newest.pk}/history/")).content.decode()
    assert history.count("System chosen") == 3
    assert cast.people["ada"].name in history
    client.post(address(cast, f"connection/{newest.pk}/change/"), {"system": "books"})
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is None


def test_the_secret_is_on_no_page_and_in_no_entry(cast: Cast) -> None:
    client = browser(cast, "ada")
    client.post(address(cast, "connection/add/"), HTTP)
    refused = client.post(address(cast, "credential/add/"), {"part": "contacts", "secret": SECRET})
    assert refused.status_code == 200
    assert SECRET not in refused.content.decode()
    client.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET})
    with workspace.within(cast.ws):
        key = Credential.objects.values_list("pk", flat=True).get()
    for page in ("credential/", f"credential/{key}/change/", f"credential/{key}/history/", "credential/add/"):
        answer = client.get(address(cast, page))
        assert answer.status_code == 200, page
        assert SECRET not in answer.content.decode()
        assert "sealed" not in answer.content.decode().lower().replace("sealed at once", ""), page
    assert "Credential set" in client.get(address(cast, f"credential/{key}/history/")).content.decode()
    with workspace.within(cast.ws):
        assert not any(SECRET in entry.canonical for entry in Entry.objects.all())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"http_base_url": ""}, "http_base_url"), ({"http_base_url": "desk"}, "http_base_url"),
        ({"http_base_url": "http://10.0.0.1"}, "http_allow_private"),
        ({"http_idempotency_hours": "-1"}, "http_idempotency_hours"),
        ({"http_idempotency_hours": "many"}, "http_idempotency_hours"),
        ({"http_settling_seconds": "0"}, "http_settling_seconds"),
        ({"http_calls_per_second": "nan"}, "http_calls_per_second"), ({"part": "mail"}, "part"),
        ({"system": "mail"}, "system"), ({"part": "helpdesk", "system": "stripe"}, "system"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_beside_its_field(cast: Cast, change: dict[str, str], field: str) -> None:
    answer = browser(cast, "ada").post(address(cast, "connection/add/"), HTTP | change)
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert rows(cast) == []


@pytest.mark.parametrize("secret", ["", "short", "with spaces in it", "x" * 2001, "zeile\numbruch-und-mehr"])
def test_a_secret_that_is_none_is_refused(cast: Cast, secret: str) -> None:
    client = browser(cast, "ada")
    client.post(address(cast, "connection/add/"), HTTP)
    answer = client.post(address(cast, "credential/add/"), {"part": "payments", "secret": secret})
    assert list(answer.context["adminform"].form.errors) == ["secret"]
    with workspace.within(cast.ws):
        assert not Credential.objects.values("pk").exists()


def test_without_a_key_the_form_says_so(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    client = browser(cast, "ada")
    client.post(address(cast, "connection/add/"), HTTP)
    monkeypatch.setattr(env.read(), "credentials_public_key", "")
    answer = client.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET})
    assert "CREDENTIALS_PUBLIC_KEY is not set" in answer.content.decode()


@pytest.mark.parametrize(("name", "reads"), [("mara", True), ("odile", True), ("rosa", False), ("otto", False)])
def test_others_may_look_at_most(cast: Cast, name: str, reads: bool) -> None:
    admin, client = browser(cast, "ada"), browser(cast, name)
    admin.post(address(cast, "connection/add/"), HTTP)
    admin.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET})
    with workspace.within(cast.ws):
        credential = Credential.objects.values_list("pk", flat=True).get()
    (row,) = rows(cast)
    for page in ("connection/", f"connection/{row.pk}/change/", "credential/", f"credential/{credential}/change/"):
        assert client.get(address(cast, page)).status_code == (200 if reads else 404), page
    for page, body in post_bodies(row, credential):
        assert client.post(address(cast, page), body).status_code == (403 if reads else 404), page
    assert len(rows(cast)) == 1


def post_bodies(row: Connection, credential: int) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("connection/add/", HTTP), (f"connection/{row.pk}/change/", HTTP),
        (f"connection/{row.pk}/delete/", {"post": "yes"}),
        ("credential/add/", {"part": "payments", "secret": SECRET}),
        (f"credential/{credential}/change/", {"secret": SECRET}), (f"credential/{credential}/delete/", {"post": "yes"}),
    ]  # fmt: skip


def test_not_even_an_admin_changes_or_deletes_what_was_set(cast: Cast) -> None:
    client = browser(cast, "ada")
    client.post(address(cast, "connection/add/"), HTTP)
    client.post(address(cast, "credential/add/"), {"part": "payments", "secret": SECRET})
    with workspace.within(cast.ws):
        credential = Credential.objects.values_list("pk", flat=True).get()
    (row,) = rows(cast)
    for page, body in post_bodies(row, credential)[2:]:
        if "add" not in page:
            assert client.post(address(cast, page), body).status_code == 403, page


def test_another_workspace_s_choice_is_not_there(cast: Cast) -> None:
    other = gather()
    browser(other, "ada").post(address(other, "connection/add/"), HTTP)
    (row,) = rows(other)
    client: Client = browser(cast, "ada")
    assert client.get(address(cast, f"connection/{row.pk}/change/")).status_code == 404
    assert client.get(address(cast, f"connection/{row.pk}/history/")).status_code == 404
    assert "desk.example.com" not in client.get(address(cast, "connection/")).content.decode()
