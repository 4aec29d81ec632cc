"""A batch is a group of equivalent proposals: each is decided by itself, two are opened, one call takes all back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals import batches, claims, decisions, revising, switches, thresholds, votes
from approvals.models import Decision, Proposal, Submission
from audit.models import Entry
from portal import models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

Seen = tuple[int, int, str]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def proposed(cast: Cast, count: int = 3, **args: Any) -> list[Proposal]:
    """Ticket updates of the triage agent, equivalent to each other."""
    return [_ticket(cast, args or {"priority": "P1 P2 P4".split()[number % 3]}) for number in range(count)]


def _ticket(cast: Cast, args: dict[str, Any], **more: Any) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, args, **more)


def refund(cast: Cast, customer: str, amount: int) -> Proposal:
    order = steps.order(cast, customer=customer, amount=amount)
    target = steps.ticket(cast, customer=customer)
    args = steps.refund_args(order, customer=customer, amount=amount)
    return steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")


def seen(rows: Sequence[Proposal]) -> list[Seen]:
    return [(row.pk, row.revision, row.digest) for row in rows]


def decide(cast: Cast, members: Sequence[Seen], name: str = "rosa", opened: set[int] | None = None) -> batches.Answer:
    person = cast.id(name)
    if opened is None:
        opened = set(batches.draw(workspace=cast.ws, person=person, members=members))
    return batches.decide(workspace=cast.ws, members=members, opened=opened, person=person)


def groups(cast: Cast, name: str = "rosa") -> tuple[batches.Group, ...]:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return batches.groups(workspace=cast.ws, person=cast.id(name), now=now)


def states(cast: Cast, rows: Sequence[Proposal]) -> list[str]:
    return [steps.fresh(cast, row).state for row in rows]


def undo(cast: Cast, answer: batches.Answer, name: str = "rosa") -> batches.Undone:
    return batches.undo(workspace=cast.ws, batch=answer.batch, person=cast.id(name))


def ids(lines: Sequence[batches.Line]) -> set[int]:
    return {line.proposal for line in lines}


# Groups --------------------------------------------------------------------------------------------------


def test_what_changes_the_same_fields_under_the_same_rules_is_one_group(cast: Cast) -> None:
    priorities, queues = proposed(cast, 3), proposed(cast, 2, queue="refunds_returns")
    proposed(cast, 1, status="waiting")  # alone, so in no group
    first, second = groups(cast)
    assert {m.proposal.pk for m in first.members} == {row.pk for row in priorities}
    assert {m.proposal.pk for m in second.members} == {row.pk for row in queues}
    assert (first.template.fields, first.template.action, first.template.tier) == (
        ("priority:set",), "ticket.update", "low",
    )  # fmt: skip
    assert (first.differs, second.differs) == (("priority",), ())
    assert len(first.drawn) == 2
    assert first.drawn <= {row.pk for row in priorities}
    members = [member.seen for member in first.members]
    assert batches.draw(workspace=cast.ws, person=cast.id("rosa"), members=members) == first.drawn


def test_a_flag_a_deceptive_text_high_tier_and_what_one_may_not_decide_are_in_no_group(cast: Cast) -> None:
    kept = proposed(cast, 2)
    _ticket(cast, {"priority": "P1"}, flags=("injection",))
    voted, held, edited = proposed(cast, 3)
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{held.pk}", person=cast.id("ravi"), now=now)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws, proposal=edited.pk, seen=steps.seen(edited), person=cast.id("rosa"),
            args={"priority": "P2", "status": "waiting"}, now=now,
        )  # fmt: skip
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="medium", people="two",
        )  # fmt: skip
    two = proposed(cast, 3)
    steps.approve(cast, two[0], "rosa")
    low, medium = sorted(groups(cast), key=lambda group: group.template.tier)
    assert {m.proposal.pk for m in low.members} == {row.pk for row in (*kept, voted)}
    assert {m.proposal.pk for m in medium.members} == {row.pk for row in two[1:]}
    for name in ("first", "second"):
        target = steps.contact(cast, {"full_name": name})
        steps.propose(
            cast, target, "contact.update", target, {"changes": {"full_name": "P\u0430ul Pay"}}, agent="contacts"
        )
    assert [(group.template.action, group.template.tier) for group in groups(cast)] == [
        ("ticket.update", low.template.tier), ("ticket.update", medium.template.tier),
    ]  # fmt: skip


def test_a_group_stops_at_25_and_at_the_limit_of_one_decision(cast: Cast) -> None:
    proposed(cast, 27)
    (group,) = groups(cast)
    assert (len(group.members), group.more, group.limit_minor) == (25, True, None)
    for number in range(4):
        refund(cast, f"cu-{number}", 3_000)
    money = next(group for group in groups(cast) if group.template.action == "refund.create")
    assert money.limit_minor == thresholds.LIMITS["EUR"][0]
    assert money.total_minor == 3_000 * len(money.members) <= money.limit_minor
    assert money.more


def test_what_is_switched_off_is_offered_to_nobody(cast: Cast) -> None:
    proposed(cast, 3)
    assert len(groups(cast)) == 1
    with workspace.within(cast.ws, cast.id("mara")) as now:
        switches.throw(
            workspace=cast.ws, kind="halt", subject="triage", reason="x", actor=f"person:{cast.id('mara')}", now=now
        )
    assert groups(cast) == ()


def test_groups_cost_a_fixed_number_of_statements(cast: Cast) -> None:
    counts = []
    for _ in range(2):
        proposed(cast, 4)
        with workspace.within(cast.ws, cast.id("rosa")) as now, CaptureQueriesContext(connection) as captured:
            batches.groups(workspace=cast.ws, person=cast.id("rosa"), now=now)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 6


# Deciding ------------------------------------------------------------------------------------------------


def test_each_member_is_approved_by_a_decision_that_names_the_batch_and_held_longer(cast: Cast) -> None:
    rows = proposed(cast, 3)
    answer = decide(cast, seen(rows))
    assert (ids(answer.approved), answer.changed, answer.refused) == ({row.pk for row in rows}, (), ())
    assert states(cast, rows) == ["approved"] * 3
    with workspace.within(cast.ws) as now:
        for decision in Decision.objects.filter(batch=answer.batch):
            assert (decision.person_id, decision.kind) == (cast.id("rosa"), "approve")
            entry = Entry.objects.get(subject=f"decision:{decision.pk}")
            assert answer.batch in entry.canonical
        assert Decision.objects.filter(batch=answer.batch).count() == 3
        held = [row.hold_until - now for row in Proposal.objects.all() if row.hold_until]
    assert all(timedelta(minutes=4) < hold <= timedelta(minutes=5) for hold in held)
    assert len(held) == 3
    alone = steps.approve(cast, _ticket(cast, {"priority": "P1"}), "rosa")
    assert alone.hold_until is not None
    assert alone.decided_at is not None
    assert alone.hold_until - alone.decided_at < timedelta(minutes=5)


def test_the_two_that_were_drawn_must_have_been_opened(cast: Cast) -> None:
    rows = proposed(cast, 4)
    members = seen(rows)
    drawn = batches.draw(workspace=cast.ws, person=cast.id("rosa"), members=members)
    assert len(drawn) == 2
    others = {row.pk for row in rows} - drawn
    for opened in (set[int](), others, {*others, min(drawn)}):
        with pytest.raises(batches.NotOpened, match=f"proposal {min(drawn)} and proposal {max(drawn)}") as refused:
            decide(cast, members, opened=opened)
        assert refused.value.drawn == drawn
    assert states(cast, rows) == ["pending"] * 4
    assert batches.draw(workspace=cast.ws, person=cast.id("rosa"), members=members[::-1]) == drawn
    assert len(decide(cast, members, opened=drawn).approved) == 4


def test_nobody_can_tell_the_draw_without_the_secret_of_the_server(cast: Cast, settings: Any) -> None:
    members = seen(proposed(cast, 12))
    draws = set()
    for secret in ("one", "two", "three", "four"):
        settings.SECRET_KEY = secret * 10
        draws.add(batches.draw(workspace=cast.ws, person=cast.id("rosa"), members=members))
    assert len(draws) > 1
    assert (
        len(
            {
                batches.draw(workspace=cast.ws, person=cast.id(name), members=members)
                for name in ("rosa", "ravi", "mara")
            }
        )
        > 1
    )


def test_a_batch_with_changed_forged_and_foreign_members_decides_only_what_stands(cast: Cast) -> None:
    other = gather()
    foreign = proposed(other, 1)[0]
    good, edited, forged, rejected, unborn, flagged = (
        *proposed(cast, 5),
        _ticket(cast, {"priority": "P1"}, flags=("repeat",)),
    )
    members = seen([good, edited, forged, rejected, unborn, flagged, foreign])
    members[2] = (forged.pk, forged.revision, "f" * 64)
    members[4] = (unborn.pk, unborn.revision + 1, unborn.digest)
    members.append((2**62, 1, "0" * 64))
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        what = {"workspace": cast.ws, "person": cast.id("ravi"), "now": now}
        revising.edit(proposal=edited.pk, seen=steps.seen(edited), args={"priority": "P4"}, **what)
        decisions.reject(proposal=rejected.pk, seen=steps.seen(rejected), reason="other", note="", **what)
    answer = decide(cast, members)
    assert ids(answer.approved) == {good.pk}
    assert ids(answer.changed) == {edited.pk, rejected.pk}
    assert {line.proposal: line.words for line in answer.refused} == {
        forged.pk: "This is not what stands there.",
        unborn.pk: "This is not what stands there.",
        flagged.pk: "It carries a flag; look at it by itself.",
        foreign.pk: "There is no such proposal here.",
        2**62: "There is no such proposal here.",
    }
    assert states(cast, [good, edited, forged, rejected, unborn, flagged]) == [
        "approved", "pending", "pending", "rejected", "pending", "pending",
    ]  # fmt: skip
    assert steps.fresh(other, foreign).state == "pending"


def test_own_work_and_what_somebody_has_in_hand_is_refused_and_the_rest_goes_on(cast: Cast) -> None:
    first, held, edited = proposed(cast, 3)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        row = revising.edit(
            workspace=cast.ws, proposal=edited.pk, seen=steps.seen(edited), person=cast.id("rosa"),
            args={"priority": "P4"}, now=now,
        )  # fmt: skip
        claims.claim(workspace=cast.ws, item=f"proposal:{held.pk}", person=cast.id("rosa"), now=now)
    del row
    members = seen([steps.fresh(cast, one) for one in (first, held, edited)])
    answer = decide(cast, members, "ravi")
    assert ids(answer.approved) == {first.pk, edited.pk}
    assert ids(answer.changed) == {held.pk}
    assert "in hand" in answer.changed[0].words


def test_high_tier_is_refused_member_by_member(cast: Cast) -> None:
    low = proposed(cast, 2)
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="high", people="two",
        )  # fmt: skip
    high = proposed(cast, 2)
    answer = decide(cast, seen([*low, *high]))
    assert ids(answer.approved) == {row.pk for row in low}
    assert {line.words for line in answer.refused} == {"High tier is decided one by one."}
    assert states(cast, high) == ["pending", "pending"]


@pytest.mark.parametrize("wrong", ["many", "one", "none", "twice", "digest", "id", "revision"])
def test_what_is_no_batch_is_refused_whole(cast: Cast, wrong: str) -> None:
    rows = proposed(cast, 2)
    members = {
        "many": [(number + 1, 1, "0" * 64) for number in range(26)],
        "one": seen(rows)[:1],
        "none": [],
        "twice": [*seen(rows), (rows[0].pk, 1, "0" * 64)],
        "digest": [*seen(rows), (1, 1, "\ud800" * 64)],
        "id": [*seen(rows), (2**63, 1, "0" * 64)],
        "revision": [*seen(rows), (1, -1, "0" * 64)],
    }[wrong]
    with pytest.raises(batches.WrongMembers):
        decide(cast, members, opened={row.pk for row in rows})
    assert states(cast, rows) == ["pending", "pending"]
    assert len(decide(cast, seen(rows)).approved) == 2


def test_proposals_that_are_not_equivalent_are_refused_whole(cast: Cast) -> None:
    rows = [*proposed(cast, 2), *proposed(cast, 1, queue="refunds_returns")]
    with pytest.raises(batches.NotEquivalent):
        decide(cast, seen(rows))
    assert states(cast, rows) == ["pending"] * 3


def test_together_they_move_no_more_than_one_decision_of_their_tier(cast: Cast) -> None:
    limit = thresholds.LIMITS["EUR"][0]
    rows = [refund(cast, f"cu-{number}", limit // 3) for number in range(4)]
    with pytest.raises(batches.OverLimit, match="Together they move"):
        decide(cast, seen(rows))
    assert states(cast, rows) == ["pending"] * 4
    answer = decide(cast, seen(rows[:3]))
    assert len(answer.approved) == 3
    with workspace.within(cast.ws):
        batch_of = {d.proposal_id: d.batch for d in Decision.objects.all()}
    assert set(batch_of.values()) == {answer.batch}


@pytest.mark.parametrize("name", ["odile", "ada", "otto"])
def test_who_decides_nothing_decides_no_batch(cast: Cast, name: str) -> None:
    rows = proposed(cast, 2)
    with pytest.raises(batches.NotAllowed):
        decide(cast, seen(rows), name)
    assert states(cast, rows) == ["pending"] * 2


def test_a_member_that_needs_two_people_counts_one_vote_and_holds_longer_once_both_are_there(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="medium", people="two",
        )  # fmt: skip
    rows = proposed(cast, 2)
    answer = decide(cast, seen(rows))
    assert {line.words for line in answer.approved} == {"Your approval counts; it needs 2 people and waits."}
    assert states(cast, rows) == ["pending", "pending"]
    done = steps.approve(cast, rows[0], "ravi")
    assert done.state == "approved"
    assert done.hold_until is not None
    assert done.decided_at is not None
    assert done.hold_until - done.decided_at == timedelta(minutes=5)
    undone = undo(cast, answer)
    assert (ids(undone.stopped), undone.kept) == ({row.pk for row in rows}, ())  # the vote that still waited too
    assert states(cast, rows) == ["pending", "pending"]
    with workspace.within(cast.ws):
        assert not any(votes.approvals_of(row) for row in Proposal.objects.all())


def test_the_same_batch_posted_twice_counts_once(cast: Cast) -> None:
    rows = proposed(cast, 3)
    first, second = decide(cast, seen(rows)), decide(cast, seen(rows))
    assert (len(first.approved), len(second.approved), len(second.changed)) == (3, 0, 3)
    with workspace.within(cast.ws):
        assert Decision.objects.count() == 3


def test_a_member_whose_record_moved_goes_stale_and_the_rest_is_approved(cast: Cast) -> None:
    rows = proposed(cast, 3, priority="P1")
    _change_under(cast, rows[1])
    answer = decide(cast, seen(rows))
    assert ids(answer.approved) == {rows[0].pk, rows[2].pk}
    assert ids(answer.changed) == {rows[1].pk}
    assert states(cast, rows) == ["approved", "stale", "approved"]


def _change_under(cast: Cast, row: Proposal) -> None:
    """Another change of the same field is proposed, approved and applied meanwhile."""
    other = steps.propose(cast, row.target, "ticket.update", row.target, {"priority": "P4"})
    steps.approve(cast, other, "ravi")
    assert steps.apply(cast, other).state == "applied"


# Taking it back ------------------------------------------------------------------------------------------


def test_one_call_stops_what_is_on_hold_and_undoes_what_was_carried_out(cast: Cast) -> None:
    rows = proposed(cast, 4, priority="P1")
    answer = decide(cast, seen(rows))
    carried_out, touched_since = rows[0], rows[1]
    for row in (carried_out, touched_since):
        release(cast, row)
        assert steps.apply(cast, row).state == "applied"
    _change_under(cast, touched_since)
    undone = undo(cast, answer)
    assert ids(undone.stopped) == {rows[2].pk, rows[3].pk}
    assert ids(undone.started) == {carried_out.pk}
    assert ids(undone.kept) == {touched_since.pk}
    with workspace.within(cast.ws):
        submission = Submission.objects.get(undoes=carried_out)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        back = Proposal.objects.get(submission=submission)
    assert back.state == "approved"
    assert steps.apply(cast, back).state == "applied"
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get(ticket_id=carried_out.target.partition(":")[2])
        assert ticket.priority != "P1"
    assert states(cast, rows) == ["applied", "applied", "pending", "pending"]
    again = undo(cast, answer)
    assert (again.stopped, again.started, len(again.kept)) == ((), (), 4)


def release(cast: Cast, row: Proposal) -> None:
    """As if the hold were over: only its owner can turn the clock, past the trigger."""
    with signed_in("owner"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE approvals_proposal DISABLE TRIGGER checked")
        cursor.execute(
            "UPDATE approvals_proposal SET hold_until = hold_until - interval '10 minutes' WHERE id = %s", [row.pk]
        )
        cursor.execute("ALTER TABLE approvals_proposal ENABLE ALWAYS TRIGGER checked")


def test_only_who_decided_it_or_a_manager_takes_a_batch_back(cast: Cast) -> None:
    rows = proposed(cast, 2)
    answer = decide(cast, seen(rows))
    for name in ("ravi", "odile"):
        with pytest.raises(batches.NotAllowed):
            undo(cast, answer, name)
    assert states(cast, rows) == ["approved", "approved"]
    assert len(undo(cast, answer, "mara").stopped) == 2
    assert states(cast, rows) == ["pending", "pending"]


def test_what_was_decided_anew_since_is_not_of_the_batch_any_more(cast: Cast) -> None:
    rows = proposed(cast, 2)
    answer = decide(cast, seen(rows))
    with workspace.within(cast.ws, cast.id("mara")) as now:
        row = steps.Proposal.objects.get(pk=rows[0].pk)
        decisions.stop(workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("mara"), now=now)
    steps.approve(cast, rows[0], "ravi")
    undone = undo(cast, answer)
    assert (ids(undone.stopped), ids(undone.kept)) == ({rows[1].pk}, {rows[0].pk})
    assert steps.fresh(cast, rows[0]).state == "approved"


@pytest.mark.parametrize("batch", ["", "0" * 32])
def test_a_batch_that_is_not_here_is_refused(cast: Cast, batch: str) -> None:
    other = gather()
    answer = decide(other, seen(proposed(other, 2)))
    for name in (batch, answer.batch):
        with pytest.raises(batches.BatchError, match="no such batch"):
            batches.undo(workspace=cast.ws, batch=name, person=cast.id("mara"))
