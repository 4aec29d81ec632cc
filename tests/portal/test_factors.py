"""Setting up a second factor, signing in with it, and what takes it away again. Real pages, no script."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from portal import factors, workspace
from tests.cast import PASSWORD, Cast, gather
from tests.portal.test_sign_in import address, sign_in, signed_in
from tests.presence import Codes

SECURITY = "/accounts/2fa/"


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def come_in(cast: Cast, name: str, codes: Codes | None = None) -> Client:
    client = Client(REMOTE_ADDR=address())
    sign_in(client, cast.people[name].email)
    if codes is not None:
        client.post(f"{SECURITY}authenticate/", {"code": codes.fresh(timezone.now())})
    assert signed_in(client)
    return client


def say_again(client: Client, path: str, **said: Any) -> Any:
    return client.post(f"{path}?next={SECURITY}", {"next": SECURITY, **said})


def test_codes_are_set_up_after_the_password_and_asked_for_at_the_next_sign_in(cast: Cast) -> None:
    client = come_in(cast, "rosa")
    asked = client.get(f"{SECURITY}totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    say_again(client, "/accounts/reauthenticate/", password=PASSWORD)
    page = client.get(f"{SECURITY}totp/activate/").content.decode()
    secret = re.search(r'<code class="secret">([A-Z2-7]+)</code>', page)
    assert secret is not None
    wrong = client.post(f"{SECURITY}totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    now = timezone.now()
    done = client.post(f"{SECURITY}totp/activate/", {"code": factors.code_of(secret[1], factors.step_of(now))})
    assert done["Location"] == f"{SECURITY}recovery-codes/"
    assert len(re.findall(r'<li class="number">\d{8}</li>', client.get(done["Location"]).content.decode())) == 10
    row = Authenticator.objects.get(user=cast.people["rosa"], type="totp")
    assert secret[1] not in str(row.data)
    again = Client(REMOTE_ADDR=address())
    assert sign_in(again, cast.people["rosa"].email)["Location"] == f"{SECURITY}authenticate/"
    assert not signed_in(again)
    later = factors.code_of(secret[1], factors.step_of(now + timedelta(seconds=30)))
    again.post(f"{SECURITY}authenticate/", {"code": later})
    assert signed_in(again)


def test_a_code_signs_in_once_and_is_worth_nothing_after(cast: Cast) -> None:
    codes = Codes(cast, "rosa")
    code = codes.at(timezone.now())
    for works in (True, False):
        client = Client(REMOTE_ADDR=address())
        sign_in(client, cast.people["rosa"].email)
        answer = client.post(f"{SECURITY}authenticate/", {"code": code})
        assert signed_in(client) is works
    assert "used already" in answer.content.decode()


def test_without_the_code_nothing_opens(cast: Cast) -> None:
    Codes(cast, "rosa")
    client = Client(REMOTE_ADDR=address())
    sign_in(client, cast.people["rosa"].email)
    for body in ({"code": "000000"}, {"code": ""}, {"credential": "{}"}, {"credential": "x"}):
        assert client.post(f"{SECURITY}authenticate/", body).status_code == 200, body
    assert not signed_in(client)
    assert "/accounts/login/" in client.get(f"/w/{cast.workspace.slug}/")["Location"]


def test_a_recovery_code_signs_in_once_but_proves_no_presence(cast: Cast) -> None:
    codes = Codes(cast, "rosa")
    client = come_in(cast, "rosa", codes)
    say_again(client, f"{SECURITY}reauthenticate/", code=codes.fresh(timezone.now()))
    client.post(f"{SECURITY}recovery-codes/generate/")
    page = client.get(f"{SECURITY}recovery-codes/").content.decode()
    spare = re.findall(r'<li class="number">(\d{8})</li>', page)[0]
    for works in (True, False):
        other = Client(REMOTE_ADDR=address())
        sign_in(other, cast.people["rosa"].email)
        other.post(f"{SECURITY}authenticate/", {"code": spare})
        assert signed_in(other) is works
    assert factors.kinds(cast.id("rosa")) == {"totp"}
    with pytest.raises(factors.WrongCode):
        factors.spend_code(person=cast.id("rosa"), code=spare, now=timezone.now())


def test_the_password_alone_removes_no_factor(cast: Cast) -> None:
    codes = Codes(cast, "rosa")
    client = come_in(cast, "rosa", codes)
    off = f"{SECURITY}totp/deactivate/"
    assert client.post(off)["Location"].startswith(f"{SECURITY}reauthenticate/")
    say_again(client, "/accounts/reauthenticate/", password=PASSWORD)
    assert client.post(off)["Location"].startswith(f"{SECURITY}reauthenticate/")
    assert factors.kinds(cast.id("rosa")) == {"totp"}
    say_again(client, f"{SECURITY}reauthenticate/", code=codes.fresh(timezone.now()))
    assert client.get(off).status_code == 200
    client.post(off)
    assert factors.kinds(cast.id("rosa")) == frozenset()


@pytest.mark.parametrize("path", ["", "totp/activate/", "recovery-codes/", "webauthn/", "webauthn/add/"])
def test_the_pages_hold_under_the_strict_policy_and_only_for_oneself(cast: Cast, path: str) -> None:
    assert "/accounts/login/" in Client().get(SECURITY + path)["Location"]
    codes = None if path.startswith("totp") else Codes(cast, "rosa")
    client = come_in(cast, "rosa", codes)
    if codes is None:
        say_again(client, "/accounts/reauthenticate/", password=PASSWORD)
    else:
        say_again(client, f"{SECURITY}reauthenticate/", code=codes.fresh(timezone.now()))
        client.post(f"{SECURITY}recovery-codes/generate/")
    answer = client.get(SECURITY + path)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*(src=|application/json))[^>]*>", page)
    assert (' style="' in page, "onclick=" in page) == (False, False)


def test_signing_in_by_passkey_alone_is_closed(cast: Cast) -> None:
    assert Client().get(f"{SECURITY}webauthn/login/").status_code == 404
    assert Client().get(f"{SECURITY}webauthn/signup/").status_code == 404


def test_the_operator_takes_lost_factors_away_on_the_log(cast: Cast) -> None:
    Codes(cast, "rosa")
    said = StringIO()
    call_command("forget_factors", cast.people["rosa"].email.upper(), stdout=said)
    assert "totp" in said.getvalue()
    come_in(cast, "rosa")
    with workspace.within(cast.ws):
        entry = Entry.objects.get(event="factors.forgotten")
        assert (entry.subject, entry.actor) == (f"person:{cast.id('rosa')}", "system:operator")
    with pytest.raises(CommandError, match="email: nobody"):
        call_command("forget_factors", "nobody@example.com")
