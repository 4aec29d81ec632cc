"""Sign-in: e-mail and password, limits for each person and address, no oracle, no way round."""

import re
import secrets
from typing import Any

import pytest
from allauth.account import app_settings
from allauth.core.internal.ratelimit import Rate, get_rates
from django.conf import settings
from django.test import Client
from django.urls import resolve

from portal.models import Person
from tests.cast import PASSWORD, Cast, gather

LOGIN = "/accounts/login/"


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def address() -> str:
    """A client address of its own, so that tests do not use up each other's limits."""
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(254) + 1}"


def sign_in(client: Client, email: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **extra})


def limits(action: str) -> list[Rate]:
    """How often something may be asked for."""
    return list(get_rates(app="allauth.account", action=action))


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def said(answer: Any) -> list[str]:
    """What the form says, without the address that was typed."""
    return sorted(str(error) for errors in answer.context["form"].errors.values() for error in errors)


def test_a_person_signs_in_and_out(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=address())
    assert client.get(LOGIN).status_code == 200
    answer = sign_in(client, cast.people["rosa"].email)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.get("/")["Location"] == f"/w/{cast.workspace.slug}/"
    client.post("/accounts/logout/")
    assert not signed_in(client)


def test_the_session_key_changes_at_sign_in(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=address())
    session = client.session
    session["planted"] = True
    session.save()
    before = session.session_key
    sign_in(client, cast.people["rosa"].email)
    assert signed_in(client)
    assert client.session.session_key != before


def test_wrong_password_unknown_and_disabled_people_look_the_same(cast: Cast) -> None:
    Person.objects.filter(pk=cast.id("ravi")).update(is_active=False)
    tries = [
        (cast.people["rosa"].email, "not-the-password"), ("nobody@example.com", "not-the-password"),
        (cast.people["ravi"].email, "not-the-password"),
    ]  # fmt: skip
    answers = [sign_in(Client(REMOTE_ADDR=address()), *pair) for pair in tries]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert said(answers[0]) == said(answers[1]) == said(answers[2]) != []


def test_a_disabled_person_does_not_come_in_and_is_out_at_once(cast: Cast) -> None:
    client = Client(REMOTE_ADDR=address())
    sign_in(client, cast.people["rosa"].email)
    page = f"/w/{cast.workspace.slug}/you/tokens/"
    assert client.get(page).status_code == 200
    Person.objects.filter(pk=cast.id("rosa")).update(is_active=False)
    assert client.get(page).status_code == 302
    again = Client(REMOTE_ADDR=address())
    sign_in(again, cast.people["rosa"].email)
    assert not signed_in(again)


def test_guessing_at_one_person_is_stopped_from_everywhere_and_others_are_not(cast: Cast) -> None:
    rosa, ravi = cast.people["rosa"].email, cast.people["ravi"].email
    for _ in range(5):
        sign_in(Client(REMOTE_ADDR=address()), rosa, "wrong")
    stopped = Client(REMOTE_ADDR=address())
    told = said(sign_in(stopped, rosa))
    assert told == ["Too many failed attempts to sign in. Wait five minutes, then try again."]
    assert not signed_in(stopped)
    other = Client(REMOTE_ADDR=address())
    sign_in(other, ravi)
    assert signed_in(other)


def test_spraying_from_one_address_is_stopped_and_other_addresses_are_not(cast: Cast) -> None:
    here = address()
    for _ in range(10):
        sign_in(Client(REMOTE_ADDR=here), f"{secrets.token_hex(4)}@example.com", "wrong")
    stopped, other = Client(REMOTE_ADDR=here), Client(REMOTE_ADDR=address())
    sign_in(stopped, cast.people["rosa"].email)
    assert not signed_in(stopped)
    sign_in(other, cast.people["rosa"].email)
    assert signed_in(other)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("Too many tries within a minute", "Wait a minute, then try again.")),
        ("de", ("Zu viele Versuche in einer Minute", "Warten Sie eine Minute und versuchen Sie es dann noch einmal.")),
    ],
)  # fmt: skip
def test_who_tries_too_often_is_told_how_long_to_wait_in_their_language(
    cast: Cast, settings: Any, language: str, said: tuple[str, ...]
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "login": "1/m/ip"}
    client = Client(REMOTE_ADDR=address(), HTTP_ACCEPT_LANGUAGE=language)
    sign_in(client, "nobody@example.com", "wrong")
    stopped = sign_in(client, cast.people["rosa"].email)
    assert stopped.status_code == 429
    page = stopped.content.decode()
    assert f'<html lang="{language}' in page
    for words in said:
        assert words in page
    assert re.search(r'<a href="/">(Sign in|Anmelden)</a>', page)  # there is no queue yet to go back to


def test_no_limit_that_ends_in_that_page_lasts_longer_than_it_says() -> None:
    assert max(rate.duration for rate in limits("login_failed")) == 300  # five minutes, say the form's own words
    others = {"login_failed", "confirm_email"}  # the form's own words; a page that is closed
    rates = [one for name in app_settings.RATE_LIMITS if name not in others for one in limits(name)]
    assert {rate.duration for rate in rates if rate.duration > 60} == set()
    assert any(rate.duration == 60 for rate in rates)


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP"])
def test_a_forged_header_is_no_other_address(cast: Cast, header: str) -> None:
    here = address()
    for _ in range(10):
        client = Client(REMOTE_ADDR=here, **{header: address()})
        sign_in(client, f"{secrets.token_hex(4)}@example.com", "wrong")
    stopped = Client(REMOTE_ADDR=here, **{header: address()})
    sign_in(stopped, cast.people["rosa"].email)
    assert not signed_in(stopped)


@pytest.mark.parametrize(
    ("target", "location"),
    [
        ("https://evil.example/", "/"), ("//evil.example/", "/"), ("javascript:alert(1)", "/"),
        ("/\\evil.example", "/"), ("/w/somewhere/", "/w/somewhere/"),
    ],
)  # fmt: skip
def test_next_leads_only_inside(cast: Cast, target: str, location: str) -> None:
    client = Client(REMOTE_ADDR=address())
    answer = sign_in(client, cast.people["rosa"].email, next=target)
    assert (signed_in(client), answer["Location"]) == (True, location)


def test_a_foreign_host_is_refused(cast: Cast) -> None:
    assert Client(HTTP_HOST="evil.example").get(LOGIN).status_code == 400
    assert Client(HTTP_HOST="localhost").get(LOGIN).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "signup/", "email/", "confirm-email/", "confirm-email/abc/", "inactive/", "login/code/confirm/",
        "login/code/",
        "password/set/",
    ],
)  # fmt: skip
def test_pages_that_make_no_sense_are_not_there(cast: Cast, path: str) -> None:
    client = Client(REMOTE_ADDR=address())
    body = {"email": "new@example.com", "password1": "a-long-password-of-a-stranger"}
    for _ in range(2):
        assert client.get(f"/accounts/{path}").status_code == 404
        assert client.post(f"/accounts/{path}", body).status_code == 404
        sign_in(client, cast.people["rosa"].email)
        assert signed_in(client)
    assert not Person.objects.filter(email="new@example.com").exists()


def test_a_password_is_changed_with_the_old_one_only(cast: Cast) -> None:
    client, fresh = Client(REMOTE_ADDR=address()), "another-long-password-of-mine"
    sign_in(client, cast.people["rosa"].email)
    page = "/accounts/password/change/"
    assert client.get(page).status_code == 200
    tries = [("wrong", fresh), (PASSWORD, "short"), (PASSWORD, fresh)]
    for old, new in tries:
        client.post(page, {"oldpassword": old, "password1": new, "password2": new})
        changed = Person.objects.get(pk=cast.id("rosa")).check_password(fresh)
        assert changed == ((old, new) == (PASSWORD, fresh)), (old, new)
    assert Client(REMOTE_ADDR=address()).get(page).status_code == 302


def test_a_reset_says_the_same_for_everybody(cast: Cast) -> None:
    answers = [
        Client(REMOTE_ADDR=address()).post("/accounts/password/reset/", {"email": email})
        for email in (cast.people["rosa"].email, "nobody@example.com")
    ]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [
        (302, "/accounts/password/reset/done/")
    ] * 2


def test_the_admin_s_own_form_is_no_way_round(cast: Cast) -> None:
    body = {"username": cast.people["ada"].email, "password": PASSWORD}
    for path in ("/admin/", "/admin/login/"):
        assert Client().post(path, body).status_code == 404
    client = Client()
    client.post(f"/w/{cast.workspace.slug}/admin/login/", body)
    assert not signed_in(client)


def test_sign_in_posts_with_a_csrf_token_only(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True, REMOTE_ADDR=address())
    assert sign_in(strict, cast.people["rosa"].email).status_code == 403
    assert resolve(LOGIN).url_name == "account_login"
