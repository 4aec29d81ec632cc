"""Choosing a system, its credential, opening it as apply, and its pace over several workers; over the database."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, ProgrammingError, close_old_connections, connection, transaction

from audit.models import Entry, Payload, Unattributed
from portal import env, sealing, workspace
from portal.models import Connection, Credential, Pace
from portal.systems import connections
from portal.systems.outside import NotSent
from portal.systems.pace import CalledInTransaction, SharedPace
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.portal.systems import ACCOUNTS, made, sending
from tests.provider.process import Provider

HTTP = {"base_url": "https://desk.example.com/api"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with Provider(tmp_path_factory.mktemp("provider") / "ledger.jsonl") as provider:
        yield provider


def choose(cast: Cast, system: str = "http", config: Any = HTTP, part: str = "payments") -> Connection:
    with workspace.within(cast.ws) as now:
        return connections.choose(
            workspace=cast.ws, part=part, system=system, config=config, actor=f"person:{cast.id('ada')}", now=now
        )


def set_secret(cast: Cast, secret: str = "a-secret-for-tests", part: str = "payments") -> Credential:
    with workspace.within(cast.ws) as now:
        return connections.set_credential(
            workspace=cast.ws, part=part, secret=secret, actor=f"person:{cast.id('ada')}", now=now
        )


@pytest.mark.parametrize("name", list(ACCOUNTS))
def test_what_an_admin_chose_is_what_apply_calls(cast: Cast, provider: Provider, name: str) -> None:
    account = ACCOUNTS[name]
    choose(cast, name, account.config(provider))
    set_secret(cast, account.credential(provider))
    with signed_in("apply"):
        system = connections.open_outside(cast.ws, "payments")
        assert system is not None
        sent = sending(name, "refund", provider)
        answer = system.send(sent)
        assert system.find(sent) == answer or system.find(sent).outside_id == answer.outside_id
        assert system.status(sent, answer.outside_id) == "pending"
    assert [effect["id"] for effect in made(provider, sent)] == [answer.outside_id]


def test_without_a_choice_and_with_books_our_own_books_serve(cast: Cast) -> None:
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "helpdesk") is None
    choose(cast)
    assert connections.in_force(cast.ws, "payments").system == "http"
    choose(cast, "books", {})
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is None
        assert connections.in_force(cast.ws, "payments").version == 2


def test_a_choice_and_a_credential_are_on_the_log_without_the_secret(cast: Cast) -> None:
    choose(cast, config={**HTTP, "calls_per_second": 0.5, "lookup": False})
    set_secret(cast, "not-to-be-read-by-anybody")
    with workspace.within(cast.ws):
        entries = {e.event: e for e in Entry.objects.filter(event__in=["system.chosen", "credential.set"])}
        assert set(entries) == {"system.chosen", "credential.set"}
        assert {e.actor for e in entries.values()} == {f"person:{cast.id('ada')}"}
        assert '"calls_per_second":"0.5"' in entries["system.chosen"].canonical
        for entry in Entry.objects.all():
            assert "not-to-be-read" not in entry.canonical
        assert not any("not-to-be-read" in str(row.value) for row in Payload.objects.all())
        assert not Unattributed.objects.exists()
    with signed_in("apply"), workspace.within(cast.ws):
        assert b"not-to-be-read" not in bytes(Credential.objects.get().sealed)


def test_web_can_put_a_credential_in_and_never_read_it(cast: Cast) -> None:
    choose(cast)
    set_secret(cast)
    with pytest.raises(ProgrammingError) as refused, workspace.within(cast.ws):
        Credential.objects.values_list("sealed", flat=True).get()
    assert refused.value.__cause__.sqlstate == "42501"
    with workspace.within(cast.ws):
        assert len(Credential.objects.values_list("key_id", flat=True).get()) == 16
    with pytest.raises(connections.NotOpen, match="CREDENTIALS_PRIVATE_KEY"):
        connections.open_outside(cast.ws, "payments")
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is not None


def execute(cast: Cast, statement: str) -> None:
    with workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.parametrize("table", ["portal_connection", "portal_credential"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET part = 'contacts'", "DELETE FROM {}"])
def test_choices_and_credentials_are_never_changed(cast: Cast, table: str, statement: str) -> None:
    choose(cast)
    set_secret(cast)
    for role, state in (("web", "42501"), ("apply", "42501"), ("owner", "CS001")):
        with signed_in(role), pytest.raises(DatabaseError) as refused:
            execute(cast, statement.format(table))
        assert refused.value.__cause__.sqlstate == state, role


def test_a_credential_counts_for_the_host_it_was_set_for(cast: Cast) -> None:
    """Whoever may choose a system may not lead its secret elsewhere."""
    choose(cast)
    set_secret(cast)
    choose(cast, config={**HTTP, "settling_seconds": 5})
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is not None
    for config in ({"base_url": "https://evil.example"}, {"base_url": "https://desk.example.com:8443/api"}):
        choose(cast, config=config)
        with signed_in("apply"), pytest.raises(connections.NotOpen, match="another system or address"):
            connections.open_outside(cast.ws, "payments")
    choose(cast)
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is not None


def test_a_credential_of_another_workspace_or_part_opens_nothing(cast: Cast) -> None:
    other = gather()
    for each in (cast, other):
        choose(each)
        choose(each, part="helpdesk")
    set_secret(cast)
    with signed_in("apply"), workspace.within(cast.ws):
        sealed, key = Credential.objects.values_list("sealed", "key_id").get()
    for where, part in ((other, "payments"), (cast, "helpdesk")):
        with workspace.within(where.ws):
            Credential.objects.create(workspace_id=where.ws, part=part, sealed=sealed, key_id=key, made_by="x")
        with signed_in("apply"), pytest.raises(connections.NotOpen, match="another system"):
            connections.open_outside(where.ws, part)
    with signed_in("apply"):
        assert connections.open_outside(cast.ws, "payments") is not None


def test_the_newest_credential_is_the_one_in_force(cast: Cast, provider: Provider) -> None:
    choose(cast, config=ACCOUNTS["http"].config(provider))
    set_secret(cast, "an-old-secret")
    set_secret(cast, provider.secret)
    with signed_in("apply"):
        connections.open_outside(cast.ws, "payments").send(sending("http", "refund", provider))


def test_what_cannot_be_opened_says_why_and_counts_as_not_sent(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    choose(cast)
    with signed_in("apply"):
        with pytest.raises(connections.NotOpen, match="no credential is set for http") as error:
            connections.open_outside(cast.ws, "payments")
        assert isinstance(error.value, NotSent)
    set_secret(cast)
    with signed_in("apply"):
        other = sealing.PrivateKey.generate()
        monkeypatch.setattr(env.read(), "credentials_private_key", sealing.SecretStr(sealing._text(other)))
        with pytest.raises(connections.NotOpen, match="another key"):
            connections.open_outside(cast.ws, "payments")


def test_inside_a_transaction_of_nowhere_nobody_is_told_books(cast: Cast) -> None:
    choose(cast)
    with signed_in("apply"), transaction.atomic(), pytest.raises(connections.WrongWorkspace):
        connections.in_force(cast.ws, "payments")
    with workspace.within(cast.ws):
        assert connections.in_force(cast.ws, "payments").system == "http"


@pytest.mark.parametrize(
    ("part", "system", "config", "field"),
    [
        ("mail", "http", HTTP, "part"), ("payments", "paypal", {}, "system"), ("helpdesk", "stripe", {}, "system"),
        ("payments", "books", {"base_url": "x"}, "base_url"), ("payments", "http", {}, "base_url"),
        ("payments", "http", {**HTTP, "surprise": 1}, "surprise"),
        ("payments", "http", {"base_url": "http://desk.example.com"}, "allow_private"),
        ("payments", "http", {"base_url": "ftp://desk.example.com"}, "base_url"),
        ("payments", "http", {"base_url": "https://me:secret@desk.example.com"}, "base_url"),
        ("payments", "http", {"base_url": "https://desk.example.com/?key=secret"}, "base_url"),
        ("payments", "http", {"base_url": "https://desk.example.com:0/"}, "base_url"),
        ("payments", "http", {"base_url": "https://desk.example.com:x/"}, "base_url"),
        ("payments", "http", {"base_url": "https://[::1/"}, "base_url"),
        ("payments", "http", {"base_url": "https://desk.example.com/a\r\nb"}, "base_url"),
        ("payments", "http", {**HTTP, "idempotency_hours": -1}, "idempotency_hours"),
        ("payments", "http", {**HTTP, "settling_seconds": 0}, "settling_seconds"),
        ("payments", "http", {**HTTP, "calls_per_second": 0}, "calls_per_second"),
        ("payments", "http", {**HTTP, "calls_per_second": float("nan")}, "calls_per_second"),
        ("payments", "stripe", {"api_base": "http://127.0.0.1:1"}, "allow_private"),
    ],
)  # fmt: skip
def test_a_choice_that_cannot_work_names_the_field(
    cast: Cast, part: str, system: str, config: dict[str, Any], field: str
) -> None:
    with pytest.raises(connections.BadConnection) as refused:
        choose(cast, system, config, part)
    assert refused.value.field == field
    assert "secret" not in str(refused.value)
    with workspace.within(cast.ws):
        assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "secret", ["", "short", "with a space in it", "line\nbreak-line", "ünïcode-ünïcode", "x" * 2001]
)
def test_a_secret_that_is_none_is_refused(cast: Cast, secret: str) -> None:
    choose(cast)
    with pytest.raises(connections.BadConnection) as refused:
        set_secret(cast, secret)
    assert refused.value.field == "secret"
    assert not secret or secret not in str(refused.value)


def test_our_own_books_take_no_credential(cast: Cast) -> None:
    with pytest.raises(connections.BadConnection, match="part"):
        set_secret(cast)


def test_two_admins_at_once_make_two_versions(cast: Cast) -> None:
    def act(_: int) -> int:
        try:
            return choose(cast).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(act, range(8))) == list(range(1, 9))


def test_a_rate_holds_over_all_workers(cast: Cast) -> None:
    pace = SharedPace(cast.ws, "payments", 20)

    def calls(_: int) -> int:
        try:
            for _ in range(5):
                pace.turn()
            return 5
        finally:
            connection.close()

    with signed_in("apply"):
        began = time.monotonic()
        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(calls, range(4))) == 20
        assert time.monotonic() - began >= 0.9  # 20 turns, the first at once, 50 ms apart


def test_who_would_wait_too_long_is_told_so(cast: Cast) -> None:
    with signed_in("apply"):
        slow = SharedPace(cast.ws, "payments", 0.1)
        slow.turn()
        with pytest.raises(NotSent) as told:
            slow.turn()
        assert 7 < told.value.retry_seconds <= 10
        SharedPace(cast.ws, "helpdesk", 0.1).turn()
        with workspace.within(cast.ws):
            assert Pace.objects.count() == 2


def test_a_pause_that_one_worker_was_told_holds_for_all(cast: Cast) -> None:
    with signed_in("apply"):
        SharedPace(cast.ws, "payments", 100).rest(60)
        with pytest.raises(NotSent) as told:
            SharedPace(cast.ws, "payments", 100).turn()
        assert 50 < told.value.retry_seconds <= 60
        SharedPace(cast.ws, "payments", 100).rest(1)
        with pytest.raises(NotSent):
            SharedPace(cast.ws, "payments", 100).turn()


def test_nobody_calls_from_inside_a_transaction(cast: Cast) -> None:
    with signed_in("apply"), workspace.within(cast.ws), pytest.raises(CalledInTransaction):
        SharedPace(cast.ws, "payments", 100).turn()
    close_old_connections()
