"""The clocks of items: marks each once, expiry into a person's hands, waiting for the customer, working hours."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from approvals import (
    conversations,
    deadlines,
    decisions,
    execution,
    handoffs,
    manual,
    proposals,
    sweeper,
    tasks,
    thresholds,
    waiting,
)
from approvals.models import CapUse, Case, Handoff, Mark, Outbox, Proposal, Timer
from audit.events import Event
from audit.models import Entry, Unattributed
from portal import hours as working
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

EVERY = {day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def look(cast: Cast, later: timedelta) -> None:
    """One sweep as if it were so much later."""
    with signed_in("apply"), workspace.within(cast.ws) as now:
        sweeper.look(workspace=cast.ws, now=now + later)


def look_at(cast: Cast, moment: datetime) -> None:
    with signed_in("apply"), workspace.within(cast.ws):
        sweeper.look(workspace=cast.ws, now=moment)


def triage(cast: Cast) -> Proposal:
    """A change of a ticket: low, due after 24 hours."""
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def refund(cast: Cast, amount: int = 4_510, **more: Any) -> Proposal:
    order = steps.order(cast, amount=amount)
    target = steps.ticket(cast, customer="cu-1")
    args = steps.refund_args(order, amount=amount)
    return steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds", **more)


def percents(cast: Cast, item: str) -> list[int]:
    """The marks on the log, in order."""
    with workspace.within(cast.ws):
        entries = Entry.objects.filter(workspace_id=cast.ws, event="mark.reached").order_by("pk")
        rows = {f"mark:{mark.pk}": mark for mark in Mark.objects.filter(item=item)}
        return [rows[entry.subject].percent for entry in entries if entry.subject in rows]


def item_of(row: Any) -> str:
    return f"{'handoff' if isinstance(row, Handoff) else 'proposal'}:{row.pk}"


def hand_over(cast: Cast) -> Handoff:
    """A hand-off that an agent's mistake opened, due after eight hours."""
    target = steps.ticket(cast)
    steps.pass_gate(cast, steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"}))
    with workspace.within(cast.ws):
        return Handoff.objects.latest("pk")


def test_each_mark_is_said_once_when_its_share_is_used_up(cast: Cast) -> None:
    item = item_of(triage(cast))
    for later, said in ((0, []), (11.9, []), (12, [50]), (13, [50]), (17.9, [50]), (18, [50, 75]), (23.9, [50, 75])):
        look(cast, timedelta(hours=later, minutes=1 if later in (12, 18) else 0))
        assert percents(cast, item) == said, later


def test_after_hours_of_silence_all_that_passed_is_said_in_order_and_once(cast: Cast) -> None:
    row = hand_over(cast)
    look(cast, timedelta(hours=9))
    assert percents(cast, item_of(row)) == [50, 75, 100]
    look(cast, timedelta(hours=30))
    assert percents(cast, item_of(row)) == [50, 75, 100]
    with workspace.within(cast.ws):
        assert Handoff.objects.get(pk=row.pk).state == "open"  # late ones never vanish
        assert Timer.objects.get(item=item_of(row)).look_at is None
        entry = Entry.objects.filter(event="mark.reached").latest("pk")
    assert entry.case == f"case:{row.case_id}"


def test_a_look_before_anything_is_due_only_sets_the_next_one(cast: Cast) -> None:
    row = triage(cast)
    with signed_in("apply"):
        assert sweeper.sweep(workspace=cast.ws) == 1
        assert sweeper.sweep(workspace=cast.ws) == 0
    with workspace.within(cast.ws) as now:
        look_again = Timer.objects.get(item=item_of(row)).look_at
    assert look_again is not None
    assert timedelta(minutes=59) < look_again - now <= deadlines.LOOK_AGAIN


def test_two_sweepers_at_once_say_and_end_each_thing_once(cast: Cast) -> None:
    for _ in range(3):
        triage(cast)
    rows = [hand_over(cast) for _ in range(3)]
    gate, faults = threading.Barrier(2), []

    def sweep() -> None:
        try:
            gate.wait()
            with workspace.within(cast.ws) as now:
                sweeper.look(workspace=cast.ws, now=now + timedelta(hours=25))
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    with signed_in("apply"):
        threads = [threading.Thread(target=sweep) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert not faults
    look(cast, timedelta(hours=25))
    for row in rows:
        assert percents(cast, item_of(row)) == [50, 75, 100]
    with workspace.within(cast.ws):
        expired = Proposal.objects.filter(state="expired")
        assert expired.count() == 3
        assert Handoff.objects.filter(reason="expired").count() == 3
        assert Entry.objects.filter(event="proposal.expired").count() == 3
        assert Entry.objects.filter(event="mark.reached").count() == 3 * 3 + 3 * 3


def test_a_breach_never_approves_even_with_one_of_two_votes(cast: Cast) -> None:
    order = steps.order(cast, amount=60_000)
    target = steps.ticket(cast, customer="cu-1")
    with workspace.within(cast.ws, cast.id("ravi")):
        case = Case.objects.get(subject=target)
        made = manual.hand_in(
            workspace=cast.ws, case=case, action="refund.create", target=f"order:{order}", why="x", key="k",
            args=steps.refund_args(order, amount=60_000), person=cast.id("ravi"),
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        row = Proposal.objects.get(submission=made)
    assert (row.tier, row.people) == ("high", 2)
    look(cast, timedelta(hours=5))
    ended = steps.fresh(cast, row)
    assert ended.state == "expired"
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"proposal:{row.pk}", event="proposal.expired")
        assert not Entry.objects.filter(subject=f"proposal:{row.pk}", event="proposal.approved").exists()
        assert not models.Payment.objects.filter(type="refund").exists()
    assert entry.actor == "system:apply"
    with pytest.raises(decisions.Gone):
        steps.approve(cast, row, "mara")


def test_a_refund_nobody_decided_goes_to_a_person_with_all_that_was_worked_out(cast: Cast) -> None:
    row = refund(cast)
    with workspace.within(cast.ws):
        assert CapUse.objects.filter(proposal=row, released=False).exists()
    look(cast, deadlines.DUE[row.tier] + timedelta(minutes=1))
    assert percents(cast, item_of(row)) == [50, 75, 100]
    assert steps.fresh(cast, row).state == "expired"
    with workspace.within(cast.ws) as now:
        handed = Handoff.objects.get(reason="expired")
        args = manual.found_args(handed, "refund.create")
        assert handed.urgency <= now.timestamp() + 25 * 3600
        assert Outbox.objects.filter(task="approvals.tasks.settle", object_id=row.pk).exists()
    assert args == [steps.refund_args(row.target.partition(":")[2])]
    assert (handed.case_id, handed.found["target"], handed.state) == (row.case_id, row.target, "open")
    with signed_in("apply"):
        execution.settle(workspace=cast.ws, proposal=row.pk)
    with workspace.within(cast.ws):
        assert not CapUse.objects.filter(proposal=row, released=False).exists()
    look(cast, timedelta(days=3))
    assert percents(cast, item_of(handed)) == []  # it was late when it came: its breach was the proposal's
    with workspace.within(cast.ws):
        assert Handoff.objects.get(pk=handed.pk).state == "open"


def test_a_person_goes_on_from_an_expired_one_by_hand(cast: Cast) -> None:
    row = refund(cast)
    look(cast, timedelta(hours=25))
    with workspace.within(cast.ws, cast.id("rosa")):
        handed = Handoff.objects.get(reason="expired")
        made = manual.hand_in(
            workspace=cast.ws, case=handed.case, action="refund.create", target=handed.found["target"], why="x",
            args=manual.found_args(handed, "refund.create")[0], person=cast.id("rosa"), key="again",
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        assert Proposal.objects.get(submission=made).state == "pending"
    assert steps.fresh(cast, row).state == "expired"


def test_what_waits_for_another_ends_with_it_and_not_before(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    run = steps.begin_run(cast, target, "refunds")
    first = steps.submit_as_agent(
        cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds", run=run,
        key="refund",
    )  # fmt: skip
    reply = steps.submit_as_agent(
        cast, target, "ticket.reply", target, {"body": "It is on its way."}, agent="refunds", run=run, key="reply",
        depends_on=("refund",),
    )  # fmt: skip
    steps.pass_gate(cast, first)
    with workspace.within(cast.ws):
        money, words = Proposal.objects.get(submission=first), Proposal.objects.get(submission=reply)
    assert words.urgency < money.urgency
    look_at(cast, deadlines.moment(words.urgency) + timedelta(minutes=1))
    assert [steps.fresh(cast, row).state for row in (money, words)] == ["pending", "pending"]
    assert percents(cast, item_of(words)) == [50, 75, 100]
    look_at(cast, deadlines.moment(money.urgency) + timedelta(minutes=1))
    assert [steps.fresh(cast, row).state for row in (money, words)] == ["expired", "expired"]
    with workspace.within(cast.ws):
        handed = Handoff.objects.get(reason="expired")
        assert manual.found_args(handed, "ticket.reply") == [{"body": "It is on its way."}]
        assert manual.found_args(handed, "refund.create") == [steps.refund_args(order)]


def test_a_reply_whose_refund_was_rejected_still_ends(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    run = steps.begin_run(cast, target, "refunds")
    first = steps.submit_as_agent(
        cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds", run=run,
        key="refund",
    )  # fmt: skip
    reply = steps.submit_as_agent(
        cast, target, "ticket.reply", target, {"body": "It is on its way."}, agent="refunds", run=run, key="reply",
        depends_on=("refund",),
    )  # fmt: skip
    steps.pass_gate(cast, first)
    with workspace.within(cast.ws):
        money, words = Proposal.objects.get(submission=first), Proposal.objects.get(submission=reply)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=money.pk, seen=steps.seen(money), person=cast.id("rosa"), reason="other",
            note="", now=now,
        )  # fmt: skip
    with signed_in("apply"):
        execution.settle(workspace=cast.ws, proposal=money.pk)
    assert steps.fresh(cast, words).state == "stale"
    look_at(cast, deadlines.moment(words.urgency) + timedelta(minutes=1))
    assert steps.fresh(cast, words).state == "expired"


def test_what_nobody_waits_for_ends_a_week_after_its_breach_without_a_call(cast: Cast) -> None:
    target = steps.contact(cast, {"full_name": "ada lovelace"})
    row = steps.propose(
        cast, target, "contact.update", target, {"changes": {"full_name": "Ada Lovelace"}}, agent="contacts"
    )
    look_at(cast, deadlines.moment(row.urgency) + timedelta(days=6, hours=23))
    assert steps.fresh(cast, row).state == "pending"
    look_at(cast, deadlines.moment(row.urgency) + timedelta(days=7, minutes=1))
    assert steps.fresh(cast, row).state == "expired"
    assert percents(cast, item_of(row)) == [50, 75, 100]
    with workspace.within(cast.ws):
        assert not Handoff.objects.exists()


def test_what_was_decided_and_comes_back_has_its_whole_time_again(cast: Cast) -> None:
    row = triage(cast)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), reason="other", note="",
            now=now,
        )  # fmt: skip
    with workspace.within(cast.ws):
        assert not Timer.objects.filter(item=item_of(row)).exists()
    with workspace.within(cast.ws, cast.id("mara")) as now:
        later = now + timedelta(days=3)
        decisions.reopen(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), now=later
        )  # fmt: skip
    assert steps.fresh(cast, row).urgency == int((later + timedelta(hours=24)).timestamp())
    look_at(cast, later + timedelta(hours=1))
    assert steps.fresh(cast, row).state == "pending"
    assert percents(cast, item_of(row)) == []


def pause(cast: Cast, case: int, later: timedelta, name: str = "rosa") -> datetime:
    with workspace.within(cast.ws, cast.id(name)) as now:
        waiting.pause(
            workspace=cast.ws, case=case, actor=f"person:{cast.id(name)}", now=now + later, because="asked by hand"
        )
        return now + later


def resume(cast: Cast, case: int, moment: datetime) -> None:
    with workspace.within(cast.ws, cast.id("rosa")):
        waiting.end(workspace=cast.ws, case=case, actor=f"person:{cast.id('rosa')}", now=moment, because="it was clear")
    work_off(cast)


def work_off(cast: Cast) -> None:
    """What the apply worker does with the outbox rows of waiting."""
    with workspace.within(cast.ws):
        due = list(Outbox.objects.filter(task__in=["approvals.tasks.pause", "approvals.tasks.resume"]))
    with signed_in("apply"):
        for row in due:
            act: Callable[..., None] = waiting.begin if row.task.endswith("pause") else waiting.resume
            named = {"proposal" if row.task.endswith("pause") else "entry": row.object_id}
            act(workspace=cast.ws, **named)
            act(workspace=cast.ws, **named)  # a message may come twice


def test_while_we_wait_no_mark_is_reached_and_nothing_expires_and_then_the_time_is_added(cast: Cast) -> None:
    row, handed = triage(cast), hand_over(cast)
    with workspace.within(cast.ws):
        case, other = Case.objects.get(pk=row.case_id), Case.objects.get(pk=handed.case_id)
    look(cast, timedelta(hours=12, minutes=30))
    assert percents(cast, item_of(row)) == [50]
    since = pause(cast, case.pk, timedelta(hours=13))
    look(cast, timedelta(days=30))
    assert steps.fresh(cast, row).state == "pending"
    assert percents(cast, item_of(row)) == [50]
    assert percents(cast, item_of(handed)) == [50, 75, 100]  # of another case
    resume(cast, case.pk, since + timedelta(days=30))
    later = steps.fresh(cast, row)
    assert later.urgency == row.urgency + 30 * 86_400
    assert later.version == row.version + 1
    look_at(cast, since + timedelta(days=30, hours=4))
    assert percents(cast, item_of(row)) == [50]  # said for the time before: the clock only stood still
    look_at(cast, since + timedelta(days=30, hours=6))
    assert percents(cast, item_of(row)) == [50, 75]
    look_at(cast, since + timedelta(days=30, hours=12))
    assert steps.fresh(cast, row).state == "expired"
    with workspace.within(cast.ws):
        assert Case.objects.get(pk=case.pk).waiting_since is None
        assert Case.objects.get(pk=other.pk).waiting_since is None
        story = Entry.objects.filter(subject__in=[f"case:{case.pk}", f"proposal:{row.pk}"]).order_by("pk")
        assert [entry.event for entry in story] == [
            "proposal.proposed", "case.paused", "case.resumed", "proposal.rescheduled", "proposal.expired",
        ]  # fmt: skip


def test_a_hand_off_waits_as_well_and_its_entries_stay_in_order(cast: Cast) -> None:
    handed = hand_over(cast)
    since = pause(cast, handed.case_id, timedelta(hours=1))
    resume(cast, handed.case_id, since + timedelta(hours=10))
    with workspace.within(cast.ws):
        row = Handoff.objects.get(pk=handed.pk)
    assert (row.urgency, row.version) == (handed.urgency + 36_000, 2)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        handoffs.resolve(workspace=cast.ws, handoff=row.pk, person=cast.people["rosa"], outcome="Done.", now=now)
    with workspace.within(cast.ws):
        entries = Entry.objects.filter(subject=f"handoff:{row.pk}").order_by("version")
        assert [(e.version, e.event) for e in entries] == [
            (1, "handoff.opened"), (2, "handoff.rescheduled"), (3, "handoff.resolved"),
        ]  # fmt: skip


def test_a_stale_one_is_moved_too_and_stays_stale(cast: Cast) -> None:
    row = triage(cast)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        locked = proposals.locked(workspace=cast.ws, proposal=row.pk)
        proposals.transition(locked, Event.PROPOSAL_STALE, actor="system:apply", now=now, body={"because": "x"})
    since = pause(cast, row.case_id, timedelta(hours=1))
    resume(cast, row.case_id, since + timedelta(hours=2))
    moved = steps.fresh(cast, row)
    assert (moved.state, moved.urgency, moved.version) == ("stale", row.urgency + 7_200, 3)


def test_what_came_while_we_waited_counts_from_then(cast: Cast) -> None:
    row = triage(cast)
    since = pause(cast, row.case_id, timedelta(hours=-2))
    resume(cast, row.case_id, since + timedelta(hours=3))  # it came two of these three hours after the beginning
    moved = steps.fresh(cast, row).urgency - row.urgency
    assert 3_500 < moved <= 3_600


def test_pausing_and_going_on_twice_is_once(cast: Cast) -> None:
    row = triage(cast)
    since = pause(cast, row.case_id, timedelta())
    assert pause(cast, row.case_id, timedelta(hours=1)) > since
    with workspace.within(cast.ws):
        assert Case.objects.get(pk=row.case_id).waiting_since == since
    with workspace.within(cast.ws, cast.id("rosa")):
        for hour in (1, 2):
            waiting.end(workspace=cast.ws, case=row.case_id, actor="x", now=since + timedelta(hours=hour), because="y")
        with pytest.raises(waiting.JustAnswered):
            waiting.pause(workspace=cast.ws, case=row.case_id, actor="x", now=since + timedelta(hours=3), because="y")
    work_off(cast)
    assert steps.fresh(cast, row).urgency == row.urgency + 3_600
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="case.paused").count() == 1
        assert Entry.objects.filter(event="case.resumed").count() == 1
        assert not Outbox.objects.filter(task="approvals.tasks.resume").exists()


def hold_nothing(cast: Cast) -> None:
    """Replies go out as soon as they are approved."""
    with workspace.within(cast.ws, cast.id("ada")) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-reply", actor="system:test", now=now, action="ticket.reply",
            tier="medium", people="one", fresh_minutes=480,
        )  # fmt: skip


def ask(cast: Cast) -> tuple[Proposal, str]:
    """A reply that asks something, approved."""
    hold_nothing(cast)
    target = steps.ticket(cast, text="It broke.")
    with workspace.within(cast.ws, cast.id("rosa")):
        case = Case.objects.get(subject=target)
        made = manual.hand_in(
            workspace=cast.ws, case=case, action="ticket.reply", target=target, args={"body": "What broke?"}, why="x",
            person=cast.id("rosa"), key="ask", asks=True,
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        row = Proposal.objects.get(submission=made)
    steps.approve(cast, row, "ravi")
    return row, target


def send(cast: Cast, row: Proposal) -> None:
    applied = steps.apply(cast, row)
    assert applied.state == "applied"


def test_a_reply_that_asks_pauses_its_case_and_the_answer_ends_it(cast: Cast) -> None:
    row, target = ask(cast)
    handed = triage_of(cast, target)
    send(cast, row)
    work_off(cast)
    with workspace.within(cast.ws):
        case = Case.objects.get(subject=target)
        ticket = models.Ticket.objects.get(ticket_id=target.partition(":")[2])
    assert case.waiting_since is not None
    with workspace.within(cast.ws, cast.id("ada")):
        got = conversations.receive(
            workspace=cast.ws, ticket=ticket.external_id, external_id="m-1", text="The lid.",
            actor=f"person:{cast.id('ada')}", now=case.waiting_since + timedelta(hours=5),
        )  # fmt: skip
    assert (got.new, got.seq) == (True, 3)
    work_off(cast)
    assert steps.fresh(cast, handed).urgency == handed.urgency + 5 * 3_600
    with workspace.within(cast.ws):
        assert Case.objects.get(subject=target).waiting_since is None
        assert not Unattributed.objects.exists()


def triage_of(cast: Cast, target: str) -> Proposal:
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def test_a_reply_that_asks_nothing_leaves_the_clocks_alone(cast: Cast) -> None:
    hold_nothing(cast)
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.reply", target, {"body": "It is on its way."})
    steps.approve(cast, row, "rosa")
    send(cast, row)
    with workspace.within(cast.ws):
        assert not Outbox.objects.filter(task="approvals.tasks.pause").exists()
        assert Case.objects.get(subject=target).waiting_since is None


def test_an_answer_that_came_before_the_pause_was_worked_off_is_not_waited_for(cast: Cast) -> None:
    row, target = ask(cast)
    send(cast, row)
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get(ticket_id=target.partition(":")[2])
    with workspace.within(cast.ws, cast.id("ada")) as now:
        conversations.receive(
            workspace=cast.ws, ticket=ticket.external_id, external_id="m-1", text="The lid.", actor="x", now=now
        )
    work_off(cast)
    with workspace.within(cast.ws):
        assert Case.objects.get(subject=target).waiting_since is None
        assert not Entry.objects.filter(event="case.paused").exists()


def test_the_same_message_twice_is_one_and_shows_on_what_waits(cast: Cast) -> None:
    row = refund(cast)
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get(ticket_id=row.case.subject.partition(":")[2])
    for new in (True, False):
        with workspace.within(cast.ws, cast.id("ada")) as now:
            got = conversations.receive(
                workspace=cast.ws, ticket=ticket.external_id, external_id="m/1", text="Forget it.", actor="x", now=now
            )
        assert (got.new, got.seq) == (new, 2)
    with workspace.within(cast.ws):
        assert ticket.messages.count() == 2
        assert Entry.objects.filter(event="message.received").count() == 1


def set_hours(cast: Cast, **hours: Any) -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        working.set_hours(
            workspace=cast.workspace, time_zone=hours.pop("zone", "UTC"), hours=hours.pop("hours", EVERY),
            closed_on=hours.pop("closed", ()), actor=f"person:{cast.id('ada')}", now=now,
        )  # fmt: skip


def test_due_time_and_freshness_count_working_time_and_holds_do_not(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        today = now.astimezone(UTC).date()
    closed = [(today + timedelta(days=number)).isoformat() for number in range(3)]
    set_hours(cast, closed=closed)
    opening = datetime.combine(today + timedelta(days=3), datetime.min.time(), UTC)
    row = refund(cast)
    handed = hand_over(cast)
    assert deadlines.moment(row.urgency) == opening + timedelta(hours=24)
    assert row.fresh_until == opening + timedelta(hours=4)
    assert deadlines.moment(handed.urgency) == opening + timedelta(hours=8)
    approved = steps.approve(cast, row, "rosa")
    assert approved.hold_until is not None
    assert approved.hold_until < opening
    with workspace.within(cast.ws):
        assert not Unattributed.objects.exists()
        entry = Entry.objects.get(event="hours.set")
    assert entry.actor == f"person:{cast.id('ada')}"


def test_marks_follow_the_working_day_over_a_change_of_the_clocks(cast: Cast) -> None:
    """Nights of Berlin: on 28 March 2027 an hour is missing, which nobody may be said to have had."""
    days = {day: ["00:00", "04:00"] for day in EVERY}
    set_hours(cast, zone="Europe/Berlin", hours=days)
    with workspace.within(cast.ws):
        hours = working.of(cast.ws)
    eve = datetime(2027, 3, 26, 23, tzinfo=UTC)  # midnight in Berlin
    due = hours.after(eve, timedelta(hours=8))
    assert due == datetime(2027, 3, 28, 23, tzinfo=UTC) + timedelta(hours=-1 + 1)  # 4 h, 3 h, and one more
    length = timedelta(hours=8)
    assert deadlines.reached(hours, datetime(2027, 3, 27, 2, 59, tzinfo=UTC), due, length) == ()
    assert deadlines.reached(hours, datetime(2027, 3, 27, 3, 0, tzinfo=UTC), due, length) == (50,)
    assert deadlines.next_mark(hours, datetime(2027, 3, 27, 3, tzinfo=UTC), due, length) == datetime(
        2027, 3, 28, 1, tzinfo=UTC
    )


def test_a_write_of_the_hours_past_the_service_is_noted(cast: Cast) -> None:
    with workspace.within(cast.ws):
        models.Workspace.objects.filter(pk=cast.ws).update(time_zone="Europe/Paris")
    with workspace.within(cast.ws):
        assert Unattributed.objects.get().table == "portal_workspace"


def test_one_item_that_cannot_be_looked_at_does_not_hold_up_the_others(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = hand_over(cast), hand_over(cast)
    real = sweeper._say

    def fail(item: Any, percent: int, batch: sweeper.Batch) -> None:
        if item.pk == bad.pk:
            raise RuntimeError("a fault of ours")
        real(item, percent, batch)

    monkeypatch.setattr(sweeper, "_say", fail)
    look(cast, timedelta(hours=9))
    assert (percents(cast, item_of(bad)), percents(cast, item_of(good))) == ([], [50, 75, 100])
    monkeypatch.undo()
    look(cast, timedelta(hours=9, minutes=11))
    assert percents(cast, item_of(bad)) == [50, 75, 100]


def test_an_item_somebody_just_decides_is_left_to_them(cast: Cast) -> None:
    row = refund(cast)
    held, go_on = threading.Event(), threading.Event()

    def decide() -> None:
        try:
            with workspace.within(cast.ws, cast.id("rosa")):
                Proposal.objects.select_for_update().get(pk=row.pk)
                held.set()
                assert go_on.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=decide)
    thread.start()
    assert held.wait(20)
    try:
        with workspace.within(cast.ws) as now:
            later = now + timedelta(hours=25)
        look_at(cast, later)
        assert steps.fresh(cast, row).state == "pending"
    finally:
        go_on.set()
        thread.join(20)
    look_at(cast, later)
    assert steps.fresh(cast, row).state == "expired"


def test_a_case_that_goes_on_while_it_is_swept_is_swept_again(cast: Cast) -> None:
    """The sweeper has the item and takes its case for waiting; the wake-up comes after that, not before."""
    row = triage(cast)
    since = pause(cast, row.case_id, timedelta(hours=1))
    with workspace.within(cast.ws, cast.id("rosa")):
        waiting.end(
            workspace=cast.ws, case=row.case_id, actor="x", now=since + timedelta(hours=1), because="it was clear"
        )
    with workspace.within(cast.ws):
        entry = Outbox.objects.get(task="approvals.tasks.resume").object_id
    looked, go_on, faults = threading.Event(), threading.Event(), []

    def sweep() -> None:
        try:
            with workspace.within(cast.ws) as now:
                assert sweeper.look(workspace=cast.ws, now=now) == 1
                looked.set()
                assert go_on.wait(20)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    def resume_it() -> None:
        try:
            waiting.resume(workspace=cast.ws, entry=entry)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    with signed_in("apply"):
        one, other = threading.Thread(target=sweep), threading.Thread(target=resume_it)
        one.start()
        assert looked.wait(20)
        other.start()
        other.join(0.5)
        assert other.is_alive()  # it waits for the item
        go_on.set()
        one.join(20)
        other.join(20)
    assert not faults
    assert steps.fresh(cast, row).urgency == row.urgency + 3_600
    with workspace.within(cast.ws) as now:
        woken = Timer.objects.get(item=item_of(row)).look_at
    assert woken is not None
    assert woken <= now


@pytest.mark.filterwarnings("ignore::celery.exceptions.CDeprecationWarning")
def test_the_beat_sweeps_every_workspace(cast: Cast) -> None:
    row = triage(cast)
    with signed_in("apply"):
        tasks.sweep()
    with workspace.within(cast.ws) as now:
        seen = Timer.objects.get(item=item_of(row)).look_at
    assert seen is not None
    assert seen > now
