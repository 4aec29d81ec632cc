"""What was kept long enough goes, batch by batch; killed anywhere it goes on; holds keep what is theirs."""

import json
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection

from agents import retention
from agents.evals import throwaway
from agents.models import Run, Step, Transcript
from audit import holds, periods
from audit.models import Entry
from portal import workspace
from tests.agents import erasing
from tests.agents.erasing import manage
from tests.approvals import steps
from tests.audit.test_audit_seal import seal
from tests.audit.test_verify import check
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def transcripts(cast: Cast, run: Run, count: int, *, days: int) -> None:
    """Written so long ago."""
    with signed_in("agents"), workspace.within(cast.ws) as now:
        then = now - timedelta(days=days)
        Transcript.objects.bulk_create(
            Transcript(
                workspace_id=cast.ws, run=run, step="reply", prompt="x", answer="y", created_at=then
            )
            for _ in range(count)
        )  # fmt: skip


def left(cast: Cast) -> int:
    with signed_in("owner"), workspace.within(cast.ws):
        return Transcript.objects.filter(workspace=cast.ws).count()


def said(cast: Cast) -> Counter[str]:
    """What the entries say was taken away."""
    total: Counter[str] = Counter()
    with workspace.within(cast.ws):
        for text in Entry.objects.filter(event="retention.ran").values_list("canonical", flat=True):
            total.update(json.loads(text)["body"]["counts"])
    return total


def run_job(cast: Cast, **more: Any) -> dict[str, int]:
    with signed_in("apply"):
        return retention.run(workspace=cast.ws, **more)


def test_what_is_over_its_time_goes_and_each_batch_has_its_entry(cast: Cast) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    transcripts(cast, run, 25, days=181)
    transcripts(cast, run, 5, days=179)
    assert run_job(cast, batch=10) == {"agents_transcript": 25}
    assert left(cast) == 5
    assert said(cast) == {"agents_transcript": 25}
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="retention.ran").count() == 3
    assert run_job(cast) == {}


def test_an_admins_period_counts_from_the_next_run_on(cast: Cast) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    transcripts(cast, run, 3, days=40)
    with signed_in("agents"), workspace.within(cast.ws) as now:
        Step.objects.create(workspace_id=cast.ws, run=run, seq=9, name="old", created_at=now - timedelta(days=40))
    with workspace.within(cast.ws) as now:
        for kind in ("transcripts", "traces"):
            periods.set_days(workspace=cast.ws, kind=kind, days=30, actor=f"person:{cast.id('ada')}", now=now)
    assert run_job(cast) == {"agents_step": 1, "agents_transcript": 3}
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="retention.set").count() == 2


@pytest.mark.parametrize(
    ("kind", "days"), [("full_transcripts", 29), ("full_transcripts", 91), ("traces", 0), ("x", 9)]
)
def test_no_period_out_of_bounds_is_set(cast: Cast, kind: str, days: int) -> None:
    with pytest.raises(periods.PeriodError), workspace.within(cast.ws) as now:
        periods.set_days(workspace=cast.ws, kind=kind, days=days, actor="system:test", now=now)


def test_a_hold_keeps_what_is_theirs_and_one_on_all_keeps_everything(cast: Cast) -> None:
    person = erasing.Person()
    steps.order(cast, customer=person.customer)
    theirs = steps.begin_run(cast, steps.ticket(cast, customer=person.customer))
    other = steps.begin_run(cast, steps.ticket(cast))
    transcripts(cast, theirs, 2, days=200)
    transcripts(cast, other, 3, days=200)
    common: dict[str, Any] = {"workspace": cast.ws, "actor": "system:test", "reason": "A court asked"}
    with workspace.within(cast.ws) as now:
        holds.place(about="", now=now, **common)
    assert run_job(cast) == {}
    with workspace.within(cast.ws) as now:
        holds.lift(about="", now=now, **common)
        who = erasing.service.find(workspace=cast.ws, name=f"customer:{person.customer}")
        holds.place(about=who, now=now, **common)
    assert run_job(cast) == {"agents_transcript": 3}
    assert left(cast) == 2


def test_nothing_goes_without_the_entry_and_nobody_else_has_the_function(cast: Cast) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    transcripts(cast, run, 1, days=200)
    for role, code in (("apply", "CS001"), ("web", "42501"), ("agents", "42501")):
        with signed_in(role), pytest.raises(DatabaseError) as caught, workspace.within(cast.ws) as now:
            _call(cast, now)
        assert getattr(caught.value.__cause__, "sqlstate", "") == code
    assert left(cast) == 1


def _call(cast: Cast, now: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_retain(%s, 'transcripts', %s, 10, false)", [cast.ws, now])


@pytest.mark.timeout(600)
def test_61_killed_midway_and_run_twice_the_counts_are_right_and_all_verifies(live: None, tmp_path: Path) -> None:
    """Killed between entry and taking, and again after a batch; then twice at once to the end."""
    with throwaway.database():
        throwaway.sign_in("web")
        cast = gather()
        run = steps.begin_run(cast, steps.ticket(cast))
        transcripts(cast, run, 1_300, days=200)
        transcripts(cast, run, 70, days=1)
        words, found = ["retain", "--workspace", cast.workspace.slug, "--json"], []
        for place in ("retention.before_taking", "retention.after_batch"):
            died = manage(*words, FAILPOINTS=f"{place}=kill@{tmp_path / place}", SECRET_KEY="only-for-tests")
            assert died.returncode == -9
            found.append((left(cast), said(cast)["agents_transcript"]))
        assert found == [(1_370, 0), (870, 500)]
        assert json.loads(manage(*words).stdout)["taken"] == {"agents_transcript": 800}
        assert json.loads(manage(*words).stdout)["taken"] == {}
        assert (left(cast), said(cast)) == (70, {"agents_transcript": 1_300})
        assert seal("--once").returncode == 0
        out = tmp_path / "bundle"
        assert manage("audit_export", "--out", str(out), role="sealer").returncode == 0
    sign_in("web")
    code, words_of = check(out)
    assert code == 0, words_of
    print(f"killed twice: 1,300 taken away, 1,300 on the log, 70 young ones kept; {words_of.strip()}")
