"""`audit_verify` and `audit_export` as an operator runs them, and the line at the foot of the pages."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from agents.evals import throwaway
from audit import log, verifications
from audit.events import Event
from audit.models import Entry, Verification
from portal import log_key, workspace
from tests.audit.seals import SIGNER
from tests.audit.test_audit_seal import ROOT, environment, seal
from tests.audit.test_sealing_entries import put
from tests.cast import Cast, gather
from tests.conftest import sign_in


@pytest.fixture(scope="module")
def _desk(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cast]:
    with django_db_blocker.unblock():
        with throwaway.database():
            throwaway.sign_in("web")
            cast = gather()
            with workspace.within(cast.ws) as now:
                put(cast.ws, "verified", 20, now)
                log.record(
                    workspace=cast.ws, subject="told:1", event=Event.BOOKS_IMPORTED, actor="system:test", now=now,
                    personal={"note": "Änna", "more": {"b": [1, None], "a": True}},
                )  # fmt: skip
            with pytest.MonkeyPatch.context() as patch:  # anchors of this log, beside those of other tests' logs
                patch.setenv("ANCHOR_DIR", str(tmp_path_factory.mktemp("kept") / "anchors"))
                assert seal("--once").returncode == 0
                yield cast
        sign_in("web")


@pytest.fixture
def cast(_desk: Cast, django_db_blocker: Any) -> Iterator[Cast]:
    with django_db_blocker.unblock():
        throwaway.sign_in("web")
        yield _desk
        connection.close()


def manage(*words: str, **extra: str) -> tuple[int, str]:
    command = [sys.executable, "manage.py", *words]
    given = {name: value for name, value in environment(**extra).items() if value}
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_the_database_is_verified_and_the_result_is_kept(cast: Cast) -> None:
    code, said = manage("audit_verify", "--replay", "--json")
    assert code == 0, said
    message = json.loads(said.splitlines()[-1])["message"]
    assert message.startswith("sound: ")
    assert "1 anchors kept elsewhere, 1 anchors told of" in message
    kept = Verification.objects.order_by("pk").last()
    assert kept is not None
    assert (kept.code, kept.size > 20, kept.who) == (0, True, "system:operator")


def test_a_wrong_key_and_a_missing_one_have_their_codes(cast: Cast, tmp_path: Path) -> None:
    other = "countersign.local/other+3c7d0d1f+AbcdAbcdAbcdAbcdAbcdAbcdAbcdAbcdAbcdAbcdAbcd"
    assert manage("audit_verify", "--key", other)[0] == 64
    code, said = manage("audit_verify", "--key", str(log_key.fresh(SIGNER.name).verifier))
    assert (code, "signed by no key" in said) == (4, True), said
    code, said = manage("audit_verify", LOG_SIGNING_KEY="", VAR_DIR=str(tmp_path))
    assert (code, "--key" in said) == (64, True), said


def test_what_is_exported_verifies_with_its_values_and_each_export_is_on_the_log(cast: Cast, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    code, said = manage("audit_export", "--out", str(out))
    assert code == 0, said
    assert manage("audit_export", "--out", str(out))[0] == 2  # something lies there
    assert sorted(path.name for path in out.iterdir()) == ["anchors.jsonl", "checkpoints", "entries.jsonl", "log.vkey"]
    code, said = manage("audit_export", "--out", str(out), "--payloads", PROCESS_ROLE="web", LOG_SIGNING_KEY="")
    assert code == 0, said
    code, said = manage("audit_verify", str(out))
    assert (code, "2 values opened" in said) == (0, True), said
    with workspace.within(cast.ws):
        told = Entry.objects.filter(event=Event.LOG_EXPORTED).order_by("pk")
        assert [json.loads(one.canonical)["body"]["what"] for one in told] == ["entries", "values"]
    lines = (out / "payloads.jsonl").read_text().replace("Änna", "Berta")
    (out / "payloads.jsonl").write_text(lines)
    code, said = manage("audit_verify", str(out))
    assert (code, "the opened note is not what" in said) == (1, True), said


def test_values_are_opened_by_those_who_may(cast: Cast) -> None:
    code, said = manage("audit_verify", "--payloads", PROCESS_ROLE="web", LOG_SIGNING_KEY="")
    assert (code, "2 personal values" in said) == (0, True), said


def test_the_sealer_writes_no_entry_but_of_an_export(cast: Cast) -> None:
    throwaway.sign_in("sealer")
    told = {"workspace": cast.ws, "subject": "log:export", "event": Event.LOG_EXPORTED, "actor": "system:operator"}
    for changed in ({"event": Event.BOOKS_IMPORTED}, {"subject": "proposal:1"}, {"actor": "person:1"}, {"state": "x"}):
        with pytest.raises(DatabaseError) as caught, workspace.within(cast.ws) as now:
            log.record(**{**told, **changed}, now=now)
        assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    with workspace.within(cast.ws) as now:
        log.record(**told, now=now)


@pytest.mark.parametrize("role", ["web", "sealer"])
def test_nobody_changes_what_a_verification_came_to(cast: Cast, role: str) -> None:
    throwaway.sign_in("sealer")
    verifications.keep(verifications.Result(0, 1, "sound"), who="system:test")
    throwaway.sign_in(role)
    for statement in ("UPDATE audit_verification SET code = 0", "DELETE FROM audit_verification"):
        with pytest.raises(DatabaseError) as caught, transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
        assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]


def test_what_nobody_seals_for_ten_seconds_is_incomplete(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    with workspace.within(cast.ws) as now:
        put(cast.ws, "waiting", 1, now - timedelta(seconds=60))
    waited: list[float] = []
    monkeypatch.setattr(verifications.time, "sleep", waited.append)
    throwaway.sign_in("sealer")
    found = verifications.of_database([SIGNER.verifier])
    assert (found.code, "under no checkpoint" in found.message, waited) == (2, True, [10.0])
    assert seal("--once").returncode == 0
    assert verifications.of_database([SIGNER.verifier]).code == 0


def test_every_page_says_how_the_log_stands(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.people["mara"], backend="allauth.account.auth_backends.AuthenticationBackend")
    for code, message, red in ((0, "sound", False), (1, "entry 7 is not what was sealed", True)):
        throwaway.sign_in("sealer")
        verifications.keep(verifications.Result(code, 20, message), who="system:test")
        throwaway.sign_in("web")
        page = client.get(f"/w/{cast.workspace.slug}/").content.decode()
        foot = page.partition('class="log-status')[2].partition("</footer>")[0]
        assert ("entries sealed" in foot, message in foot, foot.startswith(" bad")) == (True, True, red), foot
