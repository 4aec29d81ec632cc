"""After erasing: pages say so calmly, the command tells what went, and what is exported still verifies alone."""

import json
import logging
from pathlib import Path

import pytest
from django.db import connection

from agents import erasing as service
from agents.evals import throwaway
from agents.models import Run
from approvals.models import Case, Handoff, Proposal
from portal import workspace
from tests.agents import erasing
from tests.agents.erasing import manage
from tests.approvals.desk import sit_down, text
from tests.audit.test_audit_seal import seal
from tests.audit.test_verify import check
from tests.cast import Cast, gather
from tests.conftest import sign_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_its_pages_open_offer_nothing_and_say_what_happened(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        rows = list(Proposal.objects.all())
        cases = list(Case.objects.values_list("pk", flat=True))
        handoffs = list(Handoff.objects.values_list("pk", flat=True))
        runs = list(Run.objects.values_list("pk", flat=True))
    mara, odile = sit_down(cast, "mara"), sit_down(cast, "odile")
    pages = {f"/proposals/{row.pk}/": mara for row in rows} | {f"/cases/{pk}/": mara for pk in cases}
    pages |= {f"/handoffs/{pk}/": mara for pk in handoffs} | {f"/audit/?case={pk}": odile for pk in cases}
    pages |= {f"/runs/{pk}/": odile for pk in runs}
    for path, desk in pages.items():
        answer = desk.get(path)
        assert answer.status_code == 200, path
        shown = text(answer).lower()
        assert [value for value in person.values if value in shown] == [], path
        if path.startswith(("/proposals", "/cases", "/handoffs")):
            assert "personal data was erased here" in shown, path
    for row in rows:
        assert f"/proposals/{row.pk}/undo/" not in text(mara.get(f"/proposals/{row.pk}/"))
    done = next(row for row in rows if row.action == "contact.update")
    assert "personal data was erased" in text(mara.get(f"/proposals/{done.pk}/undo/"))
    for verb in ("approve", "reject", "reopen", "redo", "withdraw"):
        assert mara.decide(done, verb).status_code in (403, 409, 422), verb


def test_nothing_erased_can_move_again(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        rows = list(Proposal.objects.values_list("pk", "state"))
    assert {state for _, state in rows} <= {"withdrawn", "applied", "rejected", "expired", "denied", "failed"}


def test_59_the_command_erases_tells_counts_and_the_bundle_still_verifies(
    live: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    out = tmp_path / "bundle"
    with caplog.at_level(logging.DEBUG), throwaway.database():
        throwaway.sign_in("web")
        cast = gather()
        person = erasing.history(cast)
        erasing.end(cast)
        assert seal("--once").returncode == 0
        words = ["erase", f"customer:{person.customer}", "--workspace", cast.workspace.slug]
        done = manage(*words, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["counts"]["portal_customer"] == 1
        assert manage(*words).returncode == 2  # nobody of that name is here any more
        assert seal("--once").returncode == 0
        assert erasing.found(person.values, erasing.dumped(cast.ws)) == []
        exported = manage("audit_export", "--out", str(out), role="sealer")
        assert exported.returncode == 0, exported.stderr
    sign_in("web")
    code, said = check(out)
    assert code == 0, said
    lines = "".join(path.read_text() for path in out.rglob("*") if path.is_file()).lower()
    said_elsewhere = (done.stdout + done.stderr + caplog.text).lower()
    assert [value for value in person.values if value in lines or value in said_elsewhere] == []
    print(f"{len(lines.splitlines())} lines verify; none of {len(person.values)} values is left in {COUNT} tables")


COUNT = len(erasing.walls.tables())


def test_who_is_unknown_is_one_clear_line(cast: Cast) -> None:
    for name in ("customer:nobody", "contact:", "ticket:T-1", "x"):
        with pytest.raises(service.NoSuchPerson, match="customer:ID or contact:ID"), workspace.within(cast.ws):
            service.find(workspace=cast.ws, name=name)
    assert connection.connection is not None
