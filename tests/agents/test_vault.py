"""The vault: sealed by an agents process that reads nothing back, opened by an auditor alone, each time an entry."""

from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from agents import vault
from agents.models import FullTranscript, Run
from audit.models import Entry, Payload
from portal import stepup, workspace
from tests.agents import erasing
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in
from tests.presence import Codes, confirm, passed

SECRET = "Wilhelmine, +43 664 5550143, wants her samovar back"
WHY = "A complaint about the answer"


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def keep(cast: Cast, run: Run, prompt: str = SECRET) -> None:
    with signed_in("agents"), workspace.within(cast.ws):
        vault.keep(run=Run.objects.get(pk=run.pk), step="reply", number=1, prompt=prompt, answer=f"About: {prompt}")


@pytest.fixture
def run(cast: Cast) -> Run:
    made = steps.begin_run(cast, steps.ticket(cast))
    keep(cast, made)
    return made


def openings(cast: Cast) -> list[Entry]:
    with workspace.within(cast.ws):
        return list(Entry.objects.filter(event="vault.opened"))


def test_an_auditor_opens_it_with_reason_and_presence_and_it_is_on_the_log(cast: Cast, run: Run) -> None:
    odile = sit_down(cast, "odile")
    codes = Codes(cast, "odile")
    assert f"/runs/{run.pk}/vault/" in text(odile.get(f"/runs/{run.pk}/"))
    assert SECRET not in text(odile.get(f"/runs/{run.pk}/vault/"))
    assert odile.post(f"/runs/{run.pk}/vault/", {"reason": "  "}).status_code == 422
    asked = odile.post(f"/runs/{run.pk}/vault/", {"reason": WHY})
    assert openings(cast) == []
    shown = confirm(odile.client, asked, codes)
    assert shown.status_code == 200
    assert SECRET in text(shown)
    assert "no-store" in shown["Cache-Control"]
    (entry,) = openings(cast)
    assert entry.actor == f"person:{cast.id('odile')}"
    with workspace.within(cast.ws):
        assert Payload.objects.get(entry=entry, name="reason").value == WHY
    assert odile.post(f"/runs/{run.pk}/vault/", {"reason": WHY}).status_code == 303  # a proof serves once


@pytest.mark.parametrize("name", ["rosa", "mara", "ada"])
def test_nobody_else_opens_it_in_page_service_and_database(cast: Cast, run: Run, name: str) -> None:
    desk = sit_down(cast, name)
    assert "vault" not in text(desk.get(f"/runs/{run.pk}/")).lower()
    for answer in (desk.get(f"/runs/{run.pk}/vault/"), desk.post(f"/runs/{run.pk}/vault/", {"reason": WHY})):
        assert answer.status_code == 403
    with workspace.within(cast.ws, cast.id(name)) as now:
        proof = passed(cast, vault.ask(run, WHY), name, now)
        with pytest.raises(vault.NotAllowed):
            vault.open_run(run=run, person=cast.id(name), reason=WHY, proof=proof, now=now)
        _forge_entry(cast, run, name)
        assert list(FullTranscript.objects.all()) == []
    with workspace.within(cast.ws, cast.id("odile")):
        _forge_entry(cast, run, "odile", version=2)
        assert FullTranscript.objects.count() == 1  # the control: an auditor, beside an entry


def _forge_entry(cast: Cast, run: Run, name: str, version: int = 1) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            'INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at,'
            " canonical) VALUES (%s, %s, %s, 'vault.opened', '', %s, '', '', now(), '{}')",
            [cast.ws, f"vault:{run.pk}", version, f"person:{cast.id(name)}"],
        )


def test_without_an_entry_row_security_shows_nothing_even_to_an_auditor(cast: Cast, run: Run) -> None:
    with workspace.within(cast.ws, cast.id("odile")):
        assert vault.held(run.pk) == 1
        assert FullTranscript.objects.count() == 0


def test_a_proof_for_another_run_or_reason_does_not_open_it(cast: Cast, run: Run) -> None:
    with workspace.within(cast.ws, cast.id("odile")) as now:
        other = passed(cast, vault.ask(run, "Something else"), "odile", now)
        with pytest.raises(stepup.WrongDigest), transaction.atomic():
            vault.open_run(run=run, person=cast.id("odile"), reason=WHY, proof=other, now=now)
        with pytest.raises(stepup.Needed):
            vault.open_run(run=run, person=cast.id("odile"), reason=WHY, proof=None, now=now)
    assert openings(cast) == []


def test_the_process_that_seals_reads_nothing_back_and_nothing_lies_in_the_open(cast: Cast, run: Run) -> None:
    with signed_in("agents"), pytest.raises(DatabaseError) as caught, workspace.within(cast.ws):
        list(FullTranscript.objects.values_list("sealed", flat=True))
    assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    tables = erasing.dumped(cast.ws)
    assert tables["agents_fulltranscript"]
    assert erasing.found([SECRET.lower(), "samovar"], tables) == []


@pytest.mark.parametrize("role", ["web", "owner"])
def test_nobody_changes_what_lies_in_it(cast: Cast, run: Run, role: str) -> None:
    for statement in ("UPDATE agents_fulltranscript SET step = 'x'", "DELETE FROM agents_fulltranscript"):
        with signed_in(role), workspace.within(cast.ws), connection.cursor() as cursor:
            with pytest.raises(DatabaseError) as caught, transaction.atomic():
                cursor.execute(statement)
            assert caught.value.__cause__.sqlstate == ("CS001" if role == "owner" else "42501")  # type: ignore[union-attr]


def test_without_its_key_nothing_is_kept_and_the_page_says_so(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "VAULT_PUBLIC_KEY", "")
    run = steps.begin_run(cast, steps.ticket(cast))
    keep(cast, run)
    odile = sit_down(cast, "odile")
    assert "No full transcript is kept" in text(odile.get(f"/runs/{run.pk}/"))
    assert "VAULT_PUBLIC_KEY" in text(odile.get(f"/runs/{run.pk}/vault/"))


def test_erasing_takes_what_lies_in_it(cast: Cast) -> None:
    person = erasing.Person()
    steps.order(cast, customer=person.customer)
    run = steps.begin_run(cast, steps.ticket(cast, customer=person.customer))
    keep(cast, run)
    erasing.end(cast)
    done = erasing.erase(cast, f"customer:{person.customer}")
    assert done.counts["agents_fulltranscript"] == 1
    with workspace.within(cast.ws):
        assert vault.held(run.pk) == 0
