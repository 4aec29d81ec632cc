"""A person stops a sweep: what was handed in stays, no worker goes on, and the next sweep finds the rest again."""

from datetime import timedelta

import psycopg
import pytest
from django.db.models.functions import Now

from agents.models import Finding, Run, Sweep
from agents.sweeps import planning, reading, working
from audit import log
from audit.models import Entry
from portal import models, workspace
from tests.agents import sweeping
from tests.agents.test_sweep_pages import client, path
from tests.agents.test_sweeps import plan
from tests.approvals.test_races import at_once
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def stop(cast: Cast, sweep: Sweep, name: str = "mara") -> Sweep:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return planning.stop(workspace=cast.ws, sweep=sweep.pk, actor=f"person:{cast.id(name)}", now=now)


def one_batch(cast: Cast, monkeypatch: pytest.MonkeyPatch, pairs: int = 3) -> Sweep:
    """A sweep that has put one pair before people, and whose worker then died."""
    sweeping.take_in(cast, sweeping.twins(pairs))
    sweep = sweeping.begin(cast)

    class Killed(BaseException):
        pass

    def dies(name: str, *_: object) -> None:
        if name == "sweep.after_batch":
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(working, "BATCH", 1)
        patched.setattr(working.failpoints, "hit", dies)
        with signed_in("agents"), pytest.raises(Killed):
            working.work(workspace=cast.ws, sweep=sweep.pk)
    with signed_in("agents"), workspace.within(cast.ws) as now:
        Sweep.objects.filter(pk=sweep.pk).update(lease_until=now - timedelta(seconds=1))
    return sweeping.fresh(cast, sweep)


def test_nothing_more_is_put_before_people_and_the_log_says_who(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = one_batch(cast, monkeypatch)
    (proposal,) = sweeping.work_runs(cast)
    with signed_in("web"):
        stop(cast, sweep)
    done = sweeping.work(cast, sweep)
    assert (done.state, done.stopped_by, done.proposed, done.lease_until) == (
        "stopped", f"person:{cast.id('mara')}", 1, None
    )  # fmt: skip
    assert [row.pk for row in sweeping.work_runs(cast)] == [proposal.pk], "what was handed in stays"
    with workspace.within(cast.ws):
        last = Entry.objects.filter(subject=f"sweep:{sweep.pk}").order_by("-version")[0]
        assert (last.event, last.actor) == ("sweep.stopped", f"person:{cast.id('mara')}")
        with pytest.raises(planning.Over):
            planning.stop(workspace=cast.ws, sweep=sweep.pk, actor="person:1", now=last.at)


def test_runs_that_nobody_began_come_to_nothing_and_the_next_sweep_finds_their_pairs(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = one_batch(cast, monkeypatch)
    stop(cast, sweep)
    assert sweeping.work_runs(cast) == []
    with workspace.within(cast.ws):
        (run,) = Run.objects.filter(sweep=sweep)
        assert (run.state, run.outcome) == ("done", "stopped")
        assert b'"stopped"' in bytes(Entry.objects.get(subject=f"run:{run.pk}").canonical.encode())
    plan(cast, per_day=3)  # what came to nothing is not counted into the day
    again = sweeping.work(cast, sweeping.begin(cast))
    assert (again.found, again.known, again.proposed) == (3, 0, 3)
    assert len(sweeping.work_runs(cast)) == 3


def test_a_contact_whose_repair_was_not_begun_is_looked_at_again(cast: Cast) -> None:
    sweeping.take_in(cast, {"s-1": sweeping.person(1)})
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.get(contact_id="s-1")
        models.Contact.objects.filter(pk=row.pk).update(
            fields={**row.fields, "full_name": " shouted  NAME "}, changed_at=Now()
        )
    sweep = sweeping.begin(cast)
    with signed_in("agents"), workspace.within(cast.ws):
        Sweep.objects.filter(pk=sweep.pk).update(state="proposing")
    with signed_in("agents"):
        assert working._repair(sweeping.fresh(cast, sweep))
    stop(cast, sweep)
    sweeping.work_runs(cast)
    assert sweeping.work(cast, sweeping.begin(cast)).repairs == 1


@pytest.mark.parametrize("round_", range(5))
def test_a_stop_and_a_worker_at_once_leave_what_is_counted(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, round_: int
) -> None:
    monkeypatch.setattr(working, "BATCH", 1)
    sweeping.take_in(cast, sweeping.twins(6))
    sweep = sweeping.begin(cast)

    def works() -> object:
        return working.work(workspace=cast.ws, sweep=sweep.pk)

    def stops() -> object:
        try:
            return stop(cast, sweep).state
        except planning.Over:
            return "over"

    works.role = "agents"  # type: ignore[attr-defined]
    result = at_once(works, stops)[1]
    row = sweeping.fresh(cast, sweep)
    assert (result, row.state) in {("stopped", "stopped"), ("over", "done")}
    with workspace.within(cast.ws):
        ends = Entry.objects.filter(subject=f"sweep:{sweep.pk}", event__in=["sweep.stopped", "sweep.finished"])
        assert [end.event for end in ends] == ["sweep.stopped" if row.state == "stopped" else "sweep.finished"]
        begun = Run.objects.filter(sweep=sweep)
        assert begun.count() == Finding.objects.exclude(run=None).count() == row.proposed, "what was begun is counted"
    before = len(sweeping.merges(cast))
    assert sweeping.work(cast, sweep).proposed == row.proposed, "no worker goes on"
    expected = before + (0 if row.state == "stopped" else row.proposed)
    assert len(sweeping.work_runs(cast)) == expected


def test_web_stops_and_changes_nothing_else_of_one(cast: Cast) -> None:
    sweep = sweeping.begin(cast)
    for change in ({"state": "done"}, {"proposed": 9}, {"state": "stopped", "stopped_by": "agent:contacts"}):
        with signed_in("web"), workspace.within(cast.ws), pytest.raises(Exception) as refused:
            Sweep.objects.filter(pk=sweep.pk).update(**change)
        assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege), change
    stop(cast, sweep)
    with signed_in("web"), workspace.within(cast.ws):
        assert not Sweep.objects.filter(pk=sweep.pk).update(state="stopped"), "what has ended stays"


def test_the_page_says_how_far_it_is_and_who_may_begin_may_stop(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = one_batch(cast, monkeypatch)
    mara, at = client(cast, "mara"), path(cast, f"sweeps/{sweep.pk}/stop/")
    with workspace.within(cast.ws):
        assert reading.progress(sweep) == reading.Progress(proposed=1, pairs=3, looked=0)
    page = mara.get(path(cast, "sweeps/")).content.decode()
    assert "1 of 3 new pairs put before people, 0 changed contacts looked at for repairs." in page
    assert f'action="{at}"' in page
    for name in ("rosa", "odile"):
        assert client(cast, name).post(at).status_code == 403
    other = gather()
    assert client(other, "mara").post(path(other, f"sweeps/{sweep.pk}/stop/")).status_code == 404
    assert sweeping.fresh(cast, sweep).finished_at is None
    assert mara.post(at).status_code == 302
    page = mara.get(path(cast, "sweeps/")).content.decode()
    assert f"<b>stopped</b> by {cast.people['mara'].name}" in page
    assert at not in page
    again = mara.post(at)
    assert (again.status_code, b"has ended already" in again.content) == (409, True)
    assert mara.post(path(cast, "sweeps/begin/")).status_code == 302, "the next one may begin"
