"""The page of one's own tokens: the secret once, the log, and nobody else's."""

import re

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from audit.models import Entry
from portal import tokens, workspace
from portal.models import PersonalToken
from tests.api.calls import Caller, browser, make_token
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def page(cast: Cast) -> str:
    return f"/w/{cast.workspace.slug}/you/tokens/"


def test_a_secret_is_shown_once_and_works(cast: Cast) -> None:
    client = browser(cast, "rosa")
    answer = client.post(page(cast), {"name": "Night job", "scopes": ["cases:read"]})
    secret = re.search(r"cs_[\w-]{43}", answer.content.decode())[0]
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    later = client.get(page(cast)).content.decode()
    assert "Night job" in later
    assert "cs_" not in later
    assert Caller(cast.workspace.slug, secret).get("cases/").status_code == 200
    with workspace.within(cast.ws):
        row = PersonalToken.objects.get()
        assert secret not in str(vars(row))
        entry = Entry.objects.get(event="token.made")
        assert secret not in entry.canonical
        assert (entry.subject, entry.actor) == (f"token:{row.pk}", f"person:{cast.id('rosa')}")


def test_a_revoked_token_ends_at_once(cast: Cast) -> None:
    client = browser(cast, "rosa")
    token, secret = make_token(cast, "rosa", ("cases:read",))
    caller = Caller(cast.workspace.slug, secret)
    assert caller.get("cases/").status_code == 200
    for _ in range(2):
        assert client.post(f"{page(cast)}{token.pk}/revoke/").status_code == 302
    assert caller.get("cases/").status_code == 401
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="token.revoked", subject=f"token:{token.pk}").count() == 1
    assert "revoked" in client.get(page(cast)).content.decode()


@pytest.mark.parametrize(
    ("name", "scopes"),
    [
        ("", ["cases:read"]),
        ("x" * 61, ["cases:read"]),
        ("a\x00b", ["cases:read"]),
        ("ok", []),
        ("ok", ["admin"]),
    ],
)
def test_a_form_that_is_off_makes_nothing(cast: Cast, name: str, scopes: list[str]) -> None:
    answer = browser(cast, "rosa").post(page(cast), {"name": name, "scopes": scopes})
    assert answer.status_code == 422
    with workspace.within(cast.ws):
        assert not PersonalToken.objects.exists()


@pytest.mark.parametrize(("name", "status"), [("rosa", 200), ("mara", 200), ("odile", 422), ("ada", 422)])
def test_nobody_lends_a_right_to_decide_they_do_not_hold(cast: Cast, name: str, status: int) -> None:
    assert browser(cast, name).post(page(cast), {"name": "x", "scopes": ["decide"]}).status_code == status
    if status == 422:
        with pytest.raises(tokens.TokenError, match="scopes"):
            make_token(cast, name, ("decide",))
    assert browser(cast, name).post(page(cast), {"name": "x", "scopes": ["cases:read"]}).status_code == 200


def test_nobody_sees_or_revokes_anybody_else_s(cast: Cast) -> None:
    mine, secret = make_token(cast, "rosa", ("cases:read",))
    other = gather()
    theirs, _ = make_token(other, "rosa", ("cases:read",))
    for client, pk in ((browser(cast, "ravi"), mine.pk), (browser(cast, "rosa"), theirs.pk)):
        assert client.post(f"{page(cast)}{pk}/revoke/").status_code == 404
    assert "For tests" not in browser(cast, "ravi").get(page(cast)).content.decode()
    assert "For tests" in browser(cast, "rosa").get(page(cast)).content.decode()
    assert Caller(cast.workspace.slug, secret).get("cases/").status_code == 200
    assert Client().get(page(cast)).status_code == 302


def test_the_page_posts_with_a_csrf_token_only(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(cast.people["rosa"], backend="allauth.account.auth_backends.AuthenticationBackend")
    assert strict.post(page(cast), {"name": "x", "scopes": ["cases:read"]}).status_code == 403


def test_the_database_answers_for_one_hash_only(cast: Cast) -> None:
    make_token(cast, "rosa", ("cases:read",))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM portal_personaltoken")
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM portal_token_holder(%s)", ["0" * 64])
        assert cursor.fetchone()[0] == 0
