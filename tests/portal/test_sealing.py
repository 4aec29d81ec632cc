"""The keys of credentials: made once, in the right hands alone, and found out where they are not."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from nacl.public import PrivateKey

from agents.demo.processes import Processes
from portal import checks, env, sealing, workspace
from portal.systems import checks as system_checks
from portal.systems import connections
from tests.cast import gather
from tests.conftest import KEYS, signed_in

ROOT = Path(__file__).resolve().parents[2]


def given(monkeypatch: pytest.MonkeyPatch, *, public: str = "", private: str | None = None) -> None:
    monkeypatch.setattr(env.read(), "credentials_public_key", public)
    monkeypatch.setattr(env.read(), "credentials_private_key", None if private is None else sealing.SecretStr(private))


def pair() -> tuple[str, str]:
    private = PrivateKey.generate()
    return sealing._text(private.public_key), sealing._text(private)


def test_what_is_sealed_opens_with_the_private_key_for_its_place_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    public, private = pair()
    given(monkeypatch, public=public)
    sealed, key = sealing.seal("a secret", place="here")
    assert b"secret" not in sealed
    with pytest.raises(sealing.NoKey):
        sealing.unseal(sealed, place="here")
    given(monkeypatch, public=public, private=private)
    assert sealing.unseal(sealed, place="here").get_secret_value() == "a secret"
    with pytest.raises(sealing.NotForUs):
        sealing.unseal(sealed, place="there")
    for broken in (sealed[:-1], b"", sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]):
        with pytest.raises(sealing.NotForUs):
            sealing.unseal(broken, place="here")
    given(monkeypatch, private=pair()[1])
    assert sealing.seal("another", place="here")[1] != key
    with pytest.raises(sealing.NotForUs):
        sealing.unseal(sealed, place="here")


def test_a_pair_is_made_once_and_kept_to_its_owner(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: sealing.keep_pair(tmp_path / "keys"), range(16)))
    assert len(keys) == 1
    assert {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "keys").iterdir()} == {
        "private": 0o600, "public": 0o600,
    }  # fmt: skip
    assert (tmp_path / "keys" / "public").read_text() in keys
    (tmp_path / "keys" / "private").write_text("rubbish")
    with pytest.raises(sealing.BadKey, match="32 bytes"):
        sealing.keep_pair(tmp_path / "keys")


@pytest.mark.parametrize("name", ["worker-apply", "worker-apply-b", "worker-agents", "beat", "web"])
def test_the_apply_workers_alone_are_given_the_private_key(tmp_path: Path, name: str) -> None:
    sealing.keep_pair(tmp_path / "keys")
    inherited = {"VAR_DIR": str(tmp_path), "CREDENTIALS_PRIVATE_KEY": "of-the-parent", "PATH": "/bin"}
    found = Processes(tmp_path / "log", 1, inherited)._environment(name)
    key = (tmp_path / "keys" / "private").read_text()
    assert found.get("CREDENTIALS_PRIVATE_KEY") == (key if name.startswith("worker-apply") else None)
    assert found["PATH"] == "/bin"


def test_a_process_that_must_not_have_the_key_refuses_to_start() -> None:
    private = (KEYS / "private").read_text()
    for role, code in (("web", 1), ("agents", 1), ("owner", 1), ("apply", 0)):
        environment = {**os.environ, "PROCESS_ROLE": role, "CREDENTIALS_PRIVATE_KEY": private}
        done = subprocess.run(
            [sys.executable, "manage.py", "check"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert (done.returncode, "portal.E006" in done.stderr) == (code, code == 1), (role, done.stderr)
        assert private not in done.stderr + done.stdout


@pytest.mark.parametrize("role", ["web", "agents", "apply"])
def test_keys_that_are_no_keys_are_named(monkeypatch: pytest.MonkeyPatch, settings: Any, role: str) -> None:
    settings.PROCESS_ROLE = role
    public, private = pair()
    for keys, fine in (
        ({}, True), ({"public": public}, True), ({"public": public, "private": private}, True),
        ({"private": private}, True), ({"public": "x"}, False), ({"public": pair()[0], "private": private}, False),
        ({"private": "AAAA"}, False), ({"private": "not base64!"}, False),
    ):  # fmt: skip
        given(monkeypatch, **keys)
        assert [message.id for message in checks.key_pair()] == ([] if fine else ["portal.E007"]), keys
        found = [message.id for message in checks.private_key()]
        assert found == (["portal.E006"] if "private" in keys and role != "apply" else []), keys


def test_an_apply_process_that_cannot_open_a_system_in_force_says_so(
    live: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast = gather()
    settings.PROCESS_ROLE = "apply"

    def warned() -> list[str]:
        with signed_in("apply"):
            found = system_checks.can_be_opened(databases=["default"])
        assert {message.id for message in found} <= {"portal.W003"}
        return [message.msg for message in found if message.msg.startswith(f"Workspace {cast.ws}:")]

    assert warned() == []
    with workspace.within(cast.ws) as now:
        connections.choose(
            workspace=cast.ws, part="payments", system="http", config={"base_url": "https://desk.example.com"},
            actor="system:test", now=now,
        )  # fmt: skip
    assert ["no credential is set" in message for message in warned()] == [True]
    with workspace.within(cast.ws) as now:
        connections.set_credential(
            workspace=cast.ws, part="payments", secret="a-secret-for-tests", actor="system:test", now=now
        )
    assert warned() == []
    with signed_in("apply"):
        monkeypatch.setattr(env.read(), "credentials_private_key", None)
        (message,) = [m.msg for m in system_checks.can_be_opened(databases=["default"]) if str(cast.ws) in m.msg]
    assert "CREDENTIALS_PRIVATE_KEY is not set" in message
    assert system_checks.can_be_opened() == []
    assert django_settings.PROCESS_ROLE == "apply"


def test_a_pair_can_be_printed() -> None:
    command = [sys.executable, "-m", "portal.sealing"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [line.partition("=")[0] for line in done.stdout.splitlines()]
    assert names == ["CREDENTIALS_PUBLIC_KEY", "CREDENTIALS_PRIVATE_KEY"]
