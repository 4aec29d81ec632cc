"""Each system check speaks where it must and is silent where all is well."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.db import connection, transaction

from approvals import checks as door
from approvals import policy
from portal import checks, env
from tests.conftest import signed_in

DATABASE = {"databases": ["default"]}


def ids(found: list[Any]) -> list[str]:
    assert all(message.hint for message in found)
    return [message.id for message in found]


def test_an_installation_as_it_should_be_is_silent(live: None) -> None:
    assert run_checks(databases=["default"]) == []


@pytest.mark.parametrize(
    ("check", "values", "found"),
    [
        (checks.secret_key, {"SECRET_KEY": checks.UNSET_KEY}, ["portal.E001"]),
        (checks.secret_key, {"SECRET_KEY": checks.UNSET_KEY, "DEBUG": True}, []),
        (checks.secret_key, {"SECRET_KEY": "a-key-of-its-own"}, []),
        (
            checks.failpoints,
            {"FAILPOINTS": "apply.sent=kill", "SECRET_KEY": "a-key-of-its-own"},
            ["portal.E002"],
        ),
        (checks.failpoints, {"FAILPOINTS": "apply.sent=kill"}, []),
        (checks.failpoints, {"SECRET_KEY": "a-key-of-its-own"}, []),
        (checks.public_url, {"PUBLIC_URL": "http://shop.example"}, ["portal.W002"]),
        (checks.public_url, {"PUBLIC_URL": "https://shop.example"}, []),
        (checks.public_url, {"PUBLIC_URL": "http://127.0.0.1:8000"}, []),
        (checks.public_url, {"PUBLIC_URL": "http://[::1]:8000"}, []),
        (checks.public_url, {"PUBLIC_URL": ""}, []),
    ],
)
def test_settings(settings: Any, check: Any, values: dict[str, Any], found: list[str]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)
    assert ids(check()) == found


def test_a_process_signed_in_as_owner_is_named(live: None) -> None:
    assert ids(checks.signed_in_as(**DATABASE)) == []
    with signed_in("owner"):
        assert ids(checks.signed_in_as(**DATABASE)) == ["portal.E003"]


def test_a_trigger_that_is_not_always_on_is_named(live: None) -> None:
    assert ids(checks.triggers(**DATABASE)) == []
    with signed_in("owner"), transaction.atomic():
        for change in ("DISABLE TRIGGER append_only", "ENABLE TRIGGER append_only"):
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE audit_entry {change}")
            found = checks.triggers(**DATABASE)
            assert ids(found) == ["portal.E004"], change
            assert "audit_entry.append_only" in found[0].msg
        transaction.set_rollback(True)
    assert ids(checks.triggers(**DATABASE)) == []


def test_redis_that_evicts_or_is_away_is_a_warning(live: None, monkeypatch: pytest.MonkeyPatch) -> None:
    import redis

    assert ids(checks.redis_answers(**DATABASE)) == []
    client = redis.Redis.from_url(env.read().redis_url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        assert ids(checks.redis_answers(**DATABASE)) == ["portal.W001"]
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.close()
    monkeypatch.setattr(env.read(), "redis_url", "redis://127.0.0.1:1/0")
    assert ids(checks.redis_answers(**DATABASE)) == ["portal.W001"]


def test_policies_that_do_not_hold_together_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    assert ids(door.policies()) == []
    (tmp_path / "policies.cedar").write_text("forbid (")
    (tmp_path / "schema.cedarschema").write_text("")
    load = policy.load
    for folder in (tmp_path, tmp_path / "nowhere"):
        monkeypatch.setattr(policy, "load", lambda folder=folder: load(folder))
        assert ids(door.policies()) == ["approvals.E005"]


def test_without_a_database_none_is_asked() -> None:
    for check in (checks.signed_in_as, checks.triggers, checks.redis_answers):
        assert check() == []
