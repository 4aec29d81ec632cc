"""Sweeps: found, proposed, merged, undone, under the roles of service; never two, never twice, never too many."""

from datetime import time, timedelta
from typing import Any

import psycopg
import pytest

from agents.models import Finding, Run, Sweep
from agents.sweeps import finding, planning, working
from approvals import decisions, reversal, switches, thresholds
from approvals.models import Handoff, Proposal
from audit import log
from audit.models import Entry
from portal import models, workspace
from tests.agents import sweeping
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    cast = gather()
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="", actor="system:test", now=now, action="contact.merge", tier="high",
            people="two", second_role="manager", hold_seconds=0,
        )  # fmt: skip
    return cast


def plan(cast: Cast, **more: Any) -> None:
    wanted = {"on": True, "at": time(0, 0), "per_sweep": 50, "per_day": 100, **more}
    with workspace.within(cast.ws, cast.id("ada")) as now:
        planning.plan(workspace=cast.ws, actor=f"person:{cast.id('ada')}", now=now, **wanted)


def books(cast: Cast) -> dict[str, Any]:
    with workspace.within(cast.ws):
        contacts = models.Contact.objects.values_list("contact_id", "fields", "locked_fields", "merged_into")
        customers = models.Customer.objects.values_list("customer_id", "contact__contact_id")
        return {key: rest for key, *rest in contacts} | dict(customers)


def test_a_sweep_finds_two_that_people_merge_and_take_apart_again(cast: Cast) -> None:
    steps.order(cast, customer="cu-1")
    steps.order(cast, customer="cu-2")
    records = sweeping.twins(1)
    records["t-0000-a"]["customer_id"], records["t-0000-b"]["customer_id"] = "cu-1", "cu-2"
    sweeping.take_in(cast, records)
    before = books(cast)
    assert (before["cu-1"], before["cu-2"]) == ("t-0000-a", "t-0000-b")
    done = sweeping.work(cast, sweeping.begin(cast))
    assert (done.state, done.total, done.found, done.proposed, done.left) == ("done", 32, 1, 1, 0)
    (proposal,) = sweeping.work_runs(cast)
    with workspace.within(cast.ws):
        paper = Proposal.objects.get(pk=proposal.pk).submission.payload
    claims = [piece["claim"] for piece in paper["evidence"]]
    assert "Email agrees" in claims
    assert any(claim.startswith("Address nearly agrees: ") for claim in claims)
    for name in ("rosa", "mara"):
        steps.approve(cast, proposal, name)
    assert steps.apply(cast, proposal).state == "applied"
    after = books(cast)
    assert after["cu-1"] == after["cu-2"] == proposal.target.partition(":")[2]
    with workspace.within(cast.ws, cast.id("ravi")):
        row = Proposal.objects.get(pk=proposal.pk)
        wanted = reversal.undo_preview(proposal=row)
        back = reversal.undo(proposal=row, person=cast.id("ravi"), seen_content=wanted.content, key="undo")
    steps.pass_gate(cast, back)
    with workspace.within(cast.ws):
        undone = Proposal.objects.get(submission=back)
    for name in ("rosa", "mara"):
        steps.approve(cast, undone, name)
    assert steps.apply(cast, undone).state == "applied"
    assert books(cast) == before


def test_what_is_found_is_what_is_proposed(cast: Cast) -> None:
    sweeping.take_in(cast, sweeping.twins(3))
    sweep = sweeping.work(cast, sweeping.begin(cast))
    proposals = sweeping.work_runs(cast)
    with workspace.within(cast.ws):
        found = {(one.keep, one.other) for one in Finding.objects.filter(sweep=sweep)}
        args = {
            (row.target.partition(":")[2], row.submission.payload["args"]["other"])
            for row in Proposal.objects.filter(pk__in=[p.pk for p in proposals]).select_related("submission")
        }
    assert found == args
    assert len(found) == 3


def test_people_said_no_and_are_not_asked_again(cast: Cast) -> None:
    sweeping.take_in(cast, sweeping.twins(2))
    sweeping.work(cast, sweeping.begin(cast))
    one, _ = sweeping.work_runs(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=one.pk, seen=steps.seen(one), person=cast.id("rosa"), reason="wrong_record",
            note="", now=now,
        )  # fmt: skip
    again = sweeping.work(cast, sweeping.begin(cast))
    assert (again.found, again.known, again.proposed) == (2, 2, 0)
    assert len(sweeping.work_runs(cast)) == 1


def test_caps_hold_back_and_tell_what_they_hold_back(cast: Cast) -> None:
    plan(cast, per_sweep=3, per_day=4)
    sweeping.take_in(cast, sweeping.twins(6))
    first = sweeping.work(cast, sweeping.begin(cast))
    assert (first.found, first.proposed, first.left) == (6, 3, 3)
    second = sweeping.work(cast, sweeping.begin(cast))
    assert (second.found, second.known, second.proposed, second.left) == (6, 3, 1, 2)
    third = sweeping.work(cast, sweeping.begin(cast))
    assert (third.proposed, third.left) == (0, 2)
    assert len(sweeping.work_runs(cast)) == 4


def test_there_are_never_two_at_once_and_a_second_worker_leaves_it(cast: Cast) -> None:
    sweep = sweeping.begin(cast)
    with pytest.raises(planning.UnderWay):
        sweeping.begin(cast)
    with signed_in("agents"):
        held = working._lease(cast.ws, sweep.pk)
        assert held is not None
        assert not working.work(workspace=cast.ws, sweep=sweep.pk)


def test_a_killed_sweep_goes_on_where_it_was(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sweeping.take_in(cast, sweeping.twins(4))
    monkeypatch.setattr(working, "BATCH", 1)
    sweep = sweeping.begin(cast)

    class Killed(BaseException):
        pass

    def dies(name: str, *_: object) -> None:
        if name == where:
            raise Killed

    monkeypatch.setattr(working.failpoints, "hit", dies)
    for where in ("sweep.found", "sweep.after_batch"):  # noqa: B007  # read by `dies`
        with signed_in("agents"), pytest.raises(Killed):
            working.work(workspace=cast.ws, sweep=sweep.pk)
        with signed_in("agents"), workspace.within(cast.ws) as now:
            Sweep.objects.filter(pk=sweep.pk).update(lease_until=now - timedelta(seconds=1))
    monkeypatch.undo()
    done = sweeping.work(cast, sweep)
    assert (done.state, done.attempts, done.found, done.proposed) == ("done", 3, 4, 4)
    assert len(sweeping.work_runs(cast)) == 4


def test_a_frozen_worker_writes_nothing_for_another(cast: Cast) -> None:
    sweeping.take_in(cast, sweeping.twins(1))
    sweep = sweeping.begin(cast)
    with signed_in("agents"):
        frozen = working._lease(cast.ws, sweep.pk)
        assert frozen is not None
        with workspace.within(cast.ws) as now:
            Sweep.objects.filter(pk=sweep.pk).update(lease_until=now - timedelta(seconds=1))
        assert working.work(workspace=cast.ws, sweep=sweep.pk)
        with pytest.raises(working.Fenced):
            working._find(frozen)
    with workspace.within(cast.ws):
        assert Finding.objects.filter(sweep=sweep).count() == 1


def test_what_ends_its_worker_three_times_is_given_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = sweeping.begin(cast)
    monkeypatch.setattr(finding, "read", lambda _: 1 / 0)
    states = [sweeping.work(cast, sweep).state for _ in range(4)]
    assert states == ["queued", "queued", "queued", "failed"]
    monkeypatch.undo()
    assert sweeping.work(cast, sweeping.begin(cast)).state == "done"


def test_a_switch_stops_a_sweep(cast: Cast) -> None:
    sweeping.take_in(cast, sweeping.twins(1))
    sweep = sweeping.begin(cast)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        switches.throw(
            workspace=cast.ws,
            kind="halt",
            subject="contacts",
            reason="Looks wrong",
            actor=f"person:{cast.id('mara')}",
            now=now,
        )
    done = sweeping.work(cast, sweep)
    assert (done.state, done.proposed) == ("failed", 0)
    assert "Looks wrong" in done.because


def test_only_contacts_that_changed_are_looked_at_for_repairs(cast: Cast) -> None:
    sweeping.take_in(cast, {f"s-{n}": sweeping.person(n) for n in range(5)})
    assert sweeping.work(cast, sweeping.begin(cast)).done == 0
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.get(contact_id="s-3")
        models.Contact.objects.filter(pk=row.pk).update(
            fields={**row.fields, "full_name": " shouted  NAME "}, changed_at=sweeping.models_now()
        )
    done = sweeping.work(cast, sweeping.begin(cast))
    assert (done.done, done.repairs) == (1, 1)
    sweeping.work_runs(cast)
    with workspace.within(cast.ws):
        proposed = Proposal.objects.filter(action="contact.update", target="contact:s-3")
        assert proposed.count() + Handoff.objects.filter(case__subject="contact:s-3").count() == 1
    assert sweeping.work(cast, sweeping.begin(cast)).repairs == 0


def test_a_finding_the_records_no_longer_bear_out_goes_to_a_person(cast: Cast) -> None:
    sweeping.take_in(cast, sweeping.twins(1))
    sweeping.work(cast, sweeping.begin(cast))
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        models.Contact.objects.filter(contact_id__startswith="t-0000-b").update(fields=sweeping.person(77))
        models.Contact.objects.filter(contact_id__startswith="t-0000-a").update(fields=sweeping.person(78))
    assert sweeping.work_runs(cast) == []
    with workspace.within(cast.ws):
        assert Handoff.objects.get(reason="verification_failed").proposer == "agent:contacts"


def test_its_time_of_day_begins_one_a_day_however_many_clocks_ask(cast: Cast) -> None:
    plan(cast)
    with signed_in("agents"):
        begun = [planning.begin_due() for _ in range(2)]
    with workspace.within(cast.ws):
        row = Sweep.objects.get()
        started = Entry.objects.get(subject=f"sweep:{row.pk}", event="sweep.started")
    assert begun[1] == 0
    assert (row.started_by, started.actor) == (planning.SCHEDULE, "agent:contacts")


def test_a_plan_that_is_off_or_not_yet_begins_nothing(cast: Cast) -> None:
    late = gather()
    plan(cast, on=False)
    plan(late, at=time(23, 59, 59))
    with signed_in("agents"):
        planning.begin_due()
    for one in (cast, late):
        with workspace.within(one.ws):
            assert not Sweep.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("per_sweep", 0), ("per_day", 1_001)])
def test_a_plan_without_bounds_is_refused(cast: Cast, field: str, value: int) -> None:
    with pytest.raises(planning.BadPlan, match=field):
        plan(cast, **{field: value})


def test_an_agents_process_begins_no_run_without_a_sweep_and_no_sweep_of_its_own(cast: Cast) -> None:
    sweeping.take_in(cast, {"s-1": sweeping.person(1)})
    sweep = sweeping.begin(cast)
    with workspace.within(cast.ws):
        case = Run.objects.get().case_id

    def begin_run(sweep: Sweep | None) -> None:
        Run.objects.create(
            workspace_id=cast.ws, case_id=case, agent="contacts", agent_version="2", trace_id="0" * 32, sweep=sweep
        )

    def begin_sweep() -> None:
        Sweep.objects.create(workspace_id=cast.ws, started_by="agent:contacts", per_sweep=1_000, per_day=1_000)

    with signed_in("agents"):
        for forbidden in (lambda: begin_run(None), lambda: begin_run(sweep), begin_sweep):
            with workspace.within(cast.ws), pytest.raises(Exception) as refused:
                forbidden()
            assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
        with workspace.within(cast.ws):
            Sweep.objects.filter(pk=sweep.pk).update(state="proposing")
            begin_run(sweep)
