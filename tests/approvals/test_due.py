"""Relay and sweep go where something is due and nowhere else, and what is due at once is done together."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError

from approvals import claims, gate, opening, outbox, proposals, sweeper, tasks, thresholds
from approvals.models import Claim, Outbox, Proposal, Submission
from approvals.sitting import Sitting
from audit.models import Entry
from portal import models, standing_in, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def proposed(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def swept(cast: Cast) -> bool:
    """Whether a sweep would come by, and none is due after it."""
    with signed_in("apply"):
        due = cast.ws in sweeper.due_in()
        sweeper.visit(cast.ws)
        assert cast.ws not in sweeper.due_in()
    return due


def test_work_that_is_due_brings_the_relay_and_work_for_later_does_not(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        later = now + timedelta(hours=1)
        outbox.put(workspace=cast.ws, task=proposals.SETTLE, queue="apply", object_id=7, not_before=later, now=now)
    with signed_in("apply"):
        assert cast.ws not in outbox.due_in()
        with workspace.within(cast.ws) as now:
            Outbox.objects.filter(object_id=7).update(not_before=now, sent_at=None)
        assert cast.ws in outbox.due_in()
        outbox.visit(cast.ws)
        assert cast.ws not in outbox.due_in(), "said again just now"


def test_a_clock_brings_the_sweep_once(cast: Cast) -> None:
    proposed(cast)
    assert swept(cast)
    assert not swept(cast)


def test_a_lease_that_is_over_brings_the_sweep(cast: Cast) -> None:
    row = proposed(cast)
    swept(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{row.pk}", person=cast.id("rosa"), now=now - timedelta(hours=1))
    assert swept(cast)
    with workspace.within(cast.ws):
        assert Claim.objects.get(item=f"proposal:{row.pk}").person_id is None


def test_an_absence_with_something_in_hand_brings_the_sweep(cast: Cast) -> None:
    row = proposed(cast)
    swept(cast)
    rosa = cast.id("rosa")
    with workspace.within(cast.ws, rosa) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{row.pk}", person=rosa, now=now)
        standing_in.set_out(
            workspace=cast.ws, person=rosa, stand_in=cast.id("ravi"), starts=now, ends=now + timedelta(days=1),
            reason="", actor=rosa, now=now,
        )  # fmt: skip
    assert swept(cast)


def test_a_stray_write_brings_the_sweep(cast: Cast) -> None:
    key = steps.ticket(cast).partition(":")[2]
    with signed_in("apply"), workspace.within(cast.ws):
        models.Ticket.objects.filter(ticket_id=key).update(priority="P1")
    assert swept(cast)


def test_what_is_wrong_in_one_workspace_does_not_hold_up_the_others() -> None:
    seen: list[int] = []

    def visit(number: int) -> None:
        seen.append(number)
        if number == 2:
            raise ValueError(number)

    tasks._in_each([1, 2, 3], visit)
    assert sorted(seen) == [1, 2, 3]


def handed_in(cast: Cast, count: int = 3) -> list[int]:
    """Submissions of agents that wait for the gate; no worker is there."""
    targets = [steps.ticket(cast) for _ in range(count)]
    return [steps.submit_as_agent(cast, one, "ticket.update", one, {"priority": "P1"}).pk for one in targets]


def gated(cast: Cast) -> dict[int, str]:
    with workspace.within(cast.ws):
        return dict(Submission.objects.filter(status="gated").values_list("pk", "outcome"))


def test_what_waits_for_the_gate_goes_through_together_and_each_has_its_own_entry(cast: Cast) -> None:
    due = handed_in(cast)
    with signed_in("apply"):
        assert gate.pass_due(workspace=cast.ws) == 3
        assert gate.pass_due(workspace=cast.ws) == 0
    assert list(gated(cast)) == due
    with workspace.within(cast.ws):
        for row in Proposal.objects.all():
            entry = Entry.objects.get(subject=f"proposal:{row.pk}")
            assert (entry.version, entry.state) == (row.version, row.state) == (1, "pending")
        assert not Outbox.objects.filter(task=proposals.GATE).exists()


def test_the_like_of_what_is_opened_together_is_a_duplicate(cast: Cast) -> None:
    target = steps.ticket(cast)
    for _ in range(2):
        steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P1"})
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    outcomes = sorted(outcome.partition(":")[0] for outcome in gated(cast).values())
    assert outcomes == ["handoff", "proposal"]


def test_caps_are_reserved_exactly_where_many_go_through_together(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_cap(
            workspace=cast.ws, series="agent-writes", actor="system:test", now=now, scope="agent", writes=2
        )  # fmt: skip
    handed_in(cast, 4)
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    outcomes = sorted(outcome.partition(":")[0] for outcome in gated(cast).values())
    assert outcomes == ["handoff", "handoff", "proposal", "proposal"]


def test_one_that_cannot_be_checked_does_not_hold_up_those_beside_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, *_ = handed_in(cast)
    whole = opening.begin

    def begin(asked: opening.Asked, *more: Any) -> Proposal:
        if asked.submission.pk == broken:
            raise ValueError("nobody thought of this")
        return whole(asked, *more)

    monkeypatch.setattr(opening, "begin", begin)
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    outcomes = gated(cast)
    assert outcomes.pop(broken).startswith("handoff:")
    assert [one.partition(":")[0] for one in outcomes.values()] == ["proposal", "proposal"]


def test_where_writing_together_fails_each_is_written_by_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    handed_in(cast)
    whole = Sitting.write

    def write(sitting: Sitting) -> None:
        if len(sitting._opened) > 1:
            raise IntegrityError("one of them cannot be written")
        whole(sitting)

    monkeypatch.setattr(Sitting, "write", write)
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    assert [one.partition(":")[0] for one in gated(cast).values()] == ["proposal"] * 3


def test_what_a_gate_began_and_never_ended_is_said_again_by_itself(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    due, told = handed_in(cast), []
    monkeypatch.setattr(outbox, "send", lambda task, queue, ws, key, **more: told.append((task, key, more["again"])))
    monkeypatch.setattr(outbox, "wake", lambda *of: told.append(of))
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert outbox.begin(workspace=cast.ws, task=proposals.GATE, most=2, now=now) == due[:2]
        later = now + timedelta(minutes=1)
        outbox.relay(workspace=cast.ws, now=later)
    said = [one for one in told if one[0] == proposals.GATE]
    assert said == [(proposals.GATE, "apply", cast.ws), (proposals.GATE, due[0], True), (proposals.GATE, due[1], True)]
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert outbox.take(workspace=cast.ws, task=proposals.GATE, object_id=due[0], now=now)
        assert Outbox.objects.get(object_id=due[0], task=proposals.GATE).tries == 0, "one of many is not blamed"


def drained(monkeypatch: pytest.MonkeyPatch, *found: int, full: int = 9) -> list[str]:
    """What a drain does where its looks find so much, one after the other."""
    seen, left = [], list(found)
    monkeypatch.setattr(outbox.broker, "hold", lambda mark: seen.append("hold"))
    monkeypatch.setattr(outbox.broker, "let_go", lambda mark: seen.append("let go"))
    monkeypatch.setattr(outbox, "wake", lambda *of: seen.append("wake"))

    def work(begun: Callable[[], None]) -> int:
        seen.append("look")
        if left[0]:
            begun()
        return left.pop(0)

    outbox.drain("x", "apply", 1, work, full=full)
    return seen


def test_a_drain_lets_go_before_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed while the mark is held sends no message: a look must come after it."""
    assert drained(monkeypatch, 2, 0) == ["let go", "look", "hold", "let go", "look"]


def test_a_full_round_calls_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drained(monkeypatch, 9, 0) == ["let go", "look", "hold", "let go", "wake", "let go", "look"]


def test_a_drain_gives_others_in_the_queue_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "ROUNDS", 2)
    assert drained(monkeypatch, 1, 1)[-3:] == ["hold", "let go", "wake"], "its own mark would keep the message back"
