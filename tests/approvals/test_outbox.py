"""Work that is due: repeated until it is done, counted when it ends its worker, dead after three, never lost."""

import threading
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from approvals import execution, gate, outbox, proposals, tasks
from approvals.models import Handoff, Outbox, Proposal
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def put(cast: Cast, object_id: int = 7, task: str = proposals.SETTLE) -> Outbox:
    with workspace.within(cast.ws) as now:
        outbox.put(
            workspace=cast.ws, task=task, queue="apply", object_id=object_id, not_before=now + timedelta(hours=1),
            now=now,
        )  # fmt: skip
        return Outbox.objects.get(object_id=object_id, task=task)


def begin(cast: Cast, monkeypatch: pytest.MonkeyPatch, process: str, object_id: int = 7) -> bool:
    """A worker process takes the message and, as far as the table knows, never comes back."""
    monkeypatch.setattr(outbox, "_ME", process)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        return outbox.take(workspace=cast.ws, task=proposals.SETTLE, object_id=object_id, now=now)


def test_the_third_worker_that_work_has_ended_leaves_it_dead(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cast)
    assert begin(cast, monkeypatch, "a")
    assert begin(cast, monkeypatch, "b")
    assert not begin(cast, monkeypatch, "c"), "the first message was not counted: it had no process before it"
    with workspace.within(cast.ws):
        assert Outbox.objects.get().dead_at is not None
        assert Entry.objects.filter(event="work.died").count() == 1


def test_an_exception_is_not_a_death(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same process takes it again: the database was away, or the record; the worker still lives."""
    put(cast)
    assert all(begin(cast, monkeypatch, "a") for _ in range(10))


def test_work_that_ends_well_is_not_held_against_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cast)
    begin(cast, monkeypatch, "a")
    begin(cast, monkeypatch, "b")
    with signed_in("apply"), workspace.within(cast.ws) as now:
        outbox.later(workspace=cast.ws, task=proposals.SETTLE, object_id=7, at=now)
    assert begin(cast, monkeypatch, "c")


def test_dead_work_is_not_repeated_until_a_person_lets_it(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    row = put(cast)
    for process in "abc":
        begin(cast, monkeypatch, process)
    sent: list[int] = []
    monkeypatch.setattr(outbox, "send", lambda task, queue, ws, key, **_: sent.append(key))
    with signed_in("apply"), workspace.within(cast.ws) as now:
        outbox.relay(workspace=cast.ws, now=now + timedelta(hours=2))
    assert sent == []
    with workspace.within(cast.ws, cast.id("mara")) as now:
        assert outbox.revive(workspace=cast.ws, outbox=row.pk, person=cast.id("mara"), now=now)
        assert not outbox.revive(workspace=cast.ws, outbox=row.pk, person=cast.id("mara"), now=now)
    assert sent == [7]
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="work.revived").count() == 1


def test_what_ends_the_worker_that_applies_it_fails_without_effect(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    steps.approve(cast, row, "rosa")
    with signed_in("apply"):
        execution.give_up(workspace=cast.ws, proposal=row.pk)
        execution.give_up(workspace=cast.ws, proposal=row.pk)
    assert steps.fresh(cast, row).state == "failed"
    with workspace.within(cast.ws):
        assert not Outbox.objects.filter(task=proposals.APPLY).exists()


def test_what_ends_the_gate_becomes_a_hand_off(cast: Cast) -> None:
    target = steps.ticket(cast)
    handed_in = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P1"})
    with signed_in("apply"):
        gate.give_up(workspace=cast.ws, submission=handed_in.pk)
        gate.pass_through(workspace=cast.ws, submission=handed_in.pk)
    with workspace.within(cast.ws):
        assert Handoff.objects.get().reason == "cannot_check"
        assert not Proposal.objects.exists()
        assert not Outbox.objects.filter(task=proposals.GATE).exists()


def test_what_was_said_often_is_said_less_often_but_never_not_at_all(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, sent = put(cast), []
    monkeypatch.setattr(outbox, "send", lambda task, queue, ws, key, **_: sent.append(key))
    with signed_in("apply"), workspace.within(cast.ws) as now:
        moment = now + timedelta(hours=1)
        pauses = []
        for _ in range(6):
            start = moment
            while not outbox.relay(workspace=cast.ws, now=moment):
                moment += timedelta(seconds=1)
            pauses.append((moment - start).seconds)
    assert pauses == [0, 5, 9, 17, 17, 17], "2, 4, 8 and 16 seconds are over, by a clock of whole seconds"
    assert sent == [row.object_id] * 6


@pytest.mark.parametrize(("again", "at_once"), [(True, 1), (False, 4)])
def test_what_was_begun_before_is_worked_one_at_a_time(
    monkeypatch: pytest.MonkeyPatch, again: bool, at_once: int
) -> None:
    monkeypatch.setattr(tasks, "fit", lambda *_: True)
    at_work: set[int] = set()
    most = 0

    def work(*, workspace: int, proposal: int) -> None:
        nonlocal most
        at_work.add(proposal)
        most = max(most, len(at_work))
        if again:
            time.sleep(0.02)  # long enough for another to begin, if it could
        else:
            together.wait(30)  # they can only meet where nothing keeps them apart
        at_work.remove(proposal)

    together = threading.Barrier(4)
    task: Any = SimpleNamespace(request={"again": again}, name="approvals.tasks.apply")
    threads = [threading.Thread(target=tasks._begin, args=(task, 1, n, work, work)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == at_once
