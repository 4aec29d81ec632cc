"""The sealer as a process: it alone signs, it ends when told to, and it does not start without the right key."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from audit import notes
from audit.models import Leaf
from portal import checks, env, log_key
from tests.audit.seals import SIGNER, prove
from tests.audit.test_sealing_entries import write
from tests.cast import Cast, gather
from tests.conftest import KEYS, signed_in
from tests.faults.ground import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def environment(**extra: str) -> dict[str, str]:
    """What the process needs to work on the test database."""
    host = settings.DATABASES["default"]
    url = f"postgresql:///{connection.settings_dict['NAME']}?host={host['HOST']}"
    url += f"&port={host['PORT']}" if host["PORT"] else ""
    given = {"DATABASE_URL": url, "PROCESS_ROLE": "sealer", "LOG_SIGNING_KEY": SIGNER.text()}
    # Each of the session's databases has anchors of its own: the log of one is not that of another.
    given["ANCHOR_DIR"] = str(settings.VAR_DIR / "anchors-of" / str(connection.settings_dict["NAME"]))
    return {**os.environ, **given, **extra}


def seal(*options: str, **extra: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "audit_seal", *options]
    return subprocess.run(command, cwd=ROOT, env=environment(**extra), capture_output=True, text=True, timeout=60)


def sealed(cast: Cast, name: str) -> bool:
    with signed_in("sealer"):
        return Leaf.objects.filter(entry__workspace_id=cast.ws, entry__subject__startswith=name).exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_seals_until_it_is_told_to_end(cast: Cast, number: signal.Signals) -> None:
    command = [sys.executable, "manage.py", "audit_seal"]
    running = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True)
    try:
        for name in ("first", "second"):
            write(cast.ws, name)
            until(lambda name=name: sealed(cast, name), 30)
        assert seal("--once").returncode == 1  # while this one leads
        running.send_signal(number)
        _, said = running.communicate(timeout=10)
    finally:
        running.kill()
        running.wait()
    assert running.returncode == 0, said
    assert SIGNER.text() not in said
    with signed_in("sealer"):
        assert prove().missed == 0


def test_once_seals_what_is_there_and_ends(cast: Cast) -> None:
    write(cast.ws, "all", 3)
    done = seal("--once")
    assert (done.returncode, done.stdout.split()[0]) == (0, "sealed"), done.stderr
    assert sealed(cast, "all")
    assert seal("--once").stdout == "sealed 0\n"


@pytest.mark.parametrize("key", ["", "not a key", str(SIGNER.verifier)])
def test_without_a_key_of_the_right_form_nothing_starts(cast: Cast, key: str) -> None:
    done = seal("--once", LOG_SIGNING_KEY=key)
    assert (done.returncode, "LOG_SIGNING_KEY" in done.stderr) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1


def test_with_another_key_nothing_is_signed(cast: Cast) -> None:
    assert seal("--once").returncode == 0
    write(cast.ws, "meanwhile")
    other = log_key.fresh(SIGNER.name).text()
    for options in ((), ("--once",)):
        done = seal(*options, LOG_SIGNING_KEY=other)
        assert (done.returncode, "signed by no key that is trusted" in done.stderr) == (1, True), done.stderr
        assert other not in done.stderr
    assert not sealed(cast, "meanwhile")


@pytest.mark.parametrize("role", ["web", "agents", "apply", "sealer"])
def test_no_other_process_may_hold_the_key(monkeypatch: pytest.MonkeyPatch, settings: Any, role: str) -> None:
    given = environment(PROCESS_ROLE=role)
    done = subprocess.run([sys.executable, "manage.py", "check"], cwd=ROOT, env=given, capture_output=True, text=True)
    assert (done.returncode == 0, "portal.E008" in done.stderr) == (role == "sealer", role != "sealer"), done.stderr
    assert SIGNER.text() not in done.stderr + done.stdout


def test_a_process_without_the_key_is_in_order() -> None:
    assert env.read().log_signing_key is None
    assert checks.signing_key() == []


def test_the_key_is_made_once_and_for_nobody_else_to_read(tmp_path: Path) -> None:
    first = log_key.keep(tmp_path / "keys")
    assert log_key.keep(tmp_path / "keys") == first == log_key.kept(tmp_path / "keys")
    kept = sorted((tmp_path / "keys").iterdir())
    assert [(path.name, path.stat().st_mode & 0o777) for path in kept] == [("log-signing", 0o600), ("log.vkey", 0o600)]
    assert notes.Verifier.parse(kept[1].read_text()) == notes.Signer.parse(first).verifier
    (tmp_path / "keys" / "log-signing").write_text("something else")
    with pytest.raises(log_key.NotOurs, match="log-signing"):
        log_key.keep(tmp_path / "keys")
    assert (KEYS / "log-signing").read_text() == SIGNER.text()


def test_a_key_can_be_printed() -> None:
    command = [sys.executable, "-m", "portal.log_key"]
    done = subprocess.run([*command, "desk.example.com/log"], cwd=ROOT, capture_output=True, text=True, check=True)
    private, public = done.stdout.splitlines()
    signer = notes.Signer.parse(private.removeprefix("LOG_SIGNING_KEY="))
    assert signer.name == "desk.example.com/log"
    assert public.endswith(str(signer.verifier))
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 1
