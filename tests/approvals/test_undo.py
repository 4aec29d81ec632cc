"""Undo as people meet it: what comes back, what stays because it changed since, what is not pretended to come back."""

import json
import secrets
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import decisions, gate, proposals, reversal, sending, thresholds, votes
from approvals.diff import ABSENT, Fit
from approvals.models import Attempt, Handoff, Proposal, Receipt, Submission
from audit import log
from audit.events import Event
from portal import models, roles, workspace
from portal.systems import outside
from tests.approvals import steps
from tests.approvals.test_races import as_apply
from tests.approvals.test_second_wall import vote
from tests.approvals.test_transition import refused
from tests.audit.seals import seal
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def applied(cast: Cast, target: str, args: dict[str, Any], action: str = "", **more: Any) -> Proposal:
    """Proposed by an agent, approved by Rosa and carried out; its case is the record's own."""
    action = action or ("contact.update" if target.startswith("contact:") else "ticket.update")
    row = steps.propose(cast, target, action, target, args, **more)
    if row.state == "pending":
        steps.approve(cast, row, "rosa")
    row = steps.apply(cast, row)
    assert row.state == "applied"
    return row


def contact_of(cast: Cast, target: str) -> dict[str, str]:
    with workspace.within(cast.ws):
        return dict(models.Contact.objects.get(contact_id=target.partition(":")[2]).fields)


def by_hand(cast: Cast, target: str, **fields: str | None) -> None:
    """Somebody changes the contact in the other system: no proposal, and nothing that undo could know of."""
    with signed_in("apply"), workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.get(contact_id=target.partition(":")[2])
        kept = {name: value for name, value in {**row.fields, **fields}.items() if value is not None}
        models.Contact.objects.filter(pk=row.pk).update(fields=kept, version=F("version") + 1)


def look(cast: Cast, row: Proposal) -> reversal.Undo:
    with workspace.within(cast.ws):
        return reversal.undo_preview(proposal=Proposal.objects.get(pk=row.pk))


def start(cast: Cast, row: Proposal, name: str = "rosa", key: str = "", seen: str = "") -> Submission:
    """What the page of an undo posts."""
    seen = seen or look(cast, row).content
    with workspace.within(cast.ws, cast.id(name)):
        row = Proposal.objects.get(pk=row.pk)
        key = key or secrets.token_hex(4)
        return reversal.undo(proposal=row, person=cast.id(name), seen_content=seen, key=key)


def gated(cast: Cast, submission: Submission) -> Proposal:
    """The proposal that the gate makes of it."""
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=submission)


def undone(cast: Cast, row: Proposal, name: str = "rosa") -> Proposal:
    """Start an undo, gate it and carry it out."""
    made = steps.apply(cast, gated(cast, start(cast, row, name)))
    assert made.state == "applied"
    return made


def fates(found: reversal.Undo) -> dict[str, str]:
    return {part.change.field: part.fate.value for part in found.parts}


def test_an_undo_tells_field_by_field_what_is_clean_what_changed_and_what_is_back(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com", "phone": "1"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b@example.com", "phone": None}})
    by_hand(cast, target, email="c@example.com", phone="1")
    found = look(cast, row)
    assert fates(found) == {"city": "clean", "email": "conflict", "phone": "already"}
    by_name = {part.change.field: part for part in found.parts}
    assert (by_name["email"].change.after, by_name["email"].now, by_name["email"].change.before) == (
        "b@example.com", "c@example.com", "a@example.com",
    )  # fmt: skip
    assert by_name["phone"].change.after is ABSENT
    assert by_name["email"].because == "changed since, by no proposal"
    assert found.partial
    assert [(change.field, change.after) for change in found.changes] == [("city", "graz")]


def test_a_partial_undo_writes_the_clean_part_alone_and_its_starter_does_not_approve_it(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b@example.com"}})
    by_hand(cast, target, email="c@example.com", fax="9")
    part = gated(cast, start(cast, row))
    assert (part.state, part.flags, part.undoes_id) == ("pending", [reversal.PARTIAL], row.pk)
    with workspace.within(cast.ws):
        why = votes.why_not(part, cast.id("rosa"), roles.of(cast.id("rosa"), cast.ws), votes.current(part))
        assert "somebody else" in why
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS010", "web"):
        vote(cast, part, "rosa")
    steps.approve(cast, part, "ravi")
    assert steps.apply(cast, part).state == "applied"
    assert contact_of(cast, target) == {"city": "graz", "email": "c@example.com", "fax": "9"}


def test_after_an_undo_the_record_is_as_it_was_field_by_field(cast: Cast) -> None:
    before = {"city": "graz", "email": "a@example.com"}
    target = steps.contact(cast, before)
    row = applied(cast, target, {"changes": {"city": "Graz", "email": None, "phone": "+43 1"}})
    assert contact_of(cast, target) == {"city": "Graz", "phone": "+43 1"}
    undone(cast, row)
    assert contact_of(cast, target) == before


def test_tags_that_others_added_since_stay(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = applied(cast, target, {"tags": ["kettle", "loud"]})
    applied(cast, target, {"tags": ["kettle", "loud", "vip"]})
    undone(cast, row)
    with workspace.within(cast.ws):
        assert models.Ticket.objects.get().tags == ["vip"]


# Newest first -----------------------------------------------------------------------------------------


def test_an_older_change_waits_for_the_newer_one_of_the_same_field_to_be_undone(cast: Cast) -> None:
    target = steps.ticket(cast)
    older = applied(cast, target, {"priority": "P2", "status": "waiting"})
    newer = applied(cast, target, {"priority": "P1"})
    found = look(cast, older)
    assert fates(found) == {"priority": "conflict", "status": "clean"}
    (conflict,) = found.conflicts
    assert conflict.because == f"proposal {newer.pk} changed it since: undo proposal {newer.pk} first"
    undone(cast, newer)
    assert fates(look(cast, older)) == {"priority": "clean", "status": "clean"}
    undone(cast, older)
    with workspace.within(cast.ws):
        ticket = models.Ticket.objects.get()
        assert (ticket.priority, ticket.status) == ("P3", "open")


def test_the_same_value_again_does_not_hide_the_writes_between(cast: Cast) -> None:
    target = steps.ticket(cast)
    first = applied(cast, target, {"priority": "P2"})
    applied(cast, target, {"priority": "P1"})
    last = applied(cast, target, {"priority": "P2"})
    found = look(cast, first)
    assert found.nothing
    assert found.conflicts[0].first == last.pk
    with pytest.raises(reversal.NothingLeft, match=f"undo proposal {last.pk} first"):
        start(cast, first)


def test_an_undo_can_itself_be_undone_and_the_change_undone_again(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    undo = undone(cast, row)
    again = undone(cast, undo)
    assert (again.undoes_id, contact_of(cast, target)) == (undo.pk, {"city": "Graz"})
    undone(cast, row)
    assert contact_of(cast, target) == {"city": "graz"}


# Twice, too early, too late ---------------------------------------------------------------------------


def test_a_second_undo_is_refused_while_the_first_waits_and_after_it(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    seen = look(cast, row).content
    submission = start(cast, row, key="k")
    assert start(cast, row, key="k", seen=seen).pk == submission.pk  # the same form again is the same undo
    with pytest.raises(reversal.UnderWay, match="the gate checks it"):
        start(cast, row, "ravi", seen=seen)
    undo = gated(cast, submission)
    with pytest.raises(reversal.UnderWay, match=f"Proposal {undo.pk} undoes this already") as caught:
        start(cast, row, "ravi", seen=seen)
    assert caught.value.proposal == undo.pk
    steps.apply(cast, undo)
    with pytest.raises(reversal.NothingLeft, match=f"taken back by proposal {undo.pk}"):
        start(cast, row, "ravi", seen=seen)


def test_what_was_taken_back_and_set_again_by_hand_is_not_taken_back_twice(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    undone(cast, row)
    by_hand(cast, target, city="Graz")
    assert "and changed again since" in look(cast, row).nothing


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Threads that start together; what each came to, by name of its result or refusal."""
    barrier, results = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int, act: Callable[[], object]) -> None:
        connection.settings_dict = dict(connection.settings_dict)  # Django shares it between threads
        sign_in(getattr(act, "role", "web"))
        barrier.wait()
        try:
            results[number] = type(act()).__name__
        except (reversal.UndoError, decisions.DecisionError) as error:
            results[number] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, act)) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def starter(cast: Cast, row: Proposal, name: str) -> Callable[[], object]:
    seen = look(cast, row).content
    return lambda: start(cast, row, name, seen=seen)


def test_two_undos_at_once_are_one(cast: Cast) -> None:
    for _ in range(10):
        target = steps.contact(cast, {"city": "graz"})
        row = applied(cast, target, {"changes": {"city": "Graz"}})
        results = at_once(*(starter(cast, row, name) for name in ("rosa", "ravi", "mara")))
        assert sorted(results) == ["Submission", "UnderWay", "UnderWay"]
        with workspace.within(cast.ws):
            assert Submission.objects.filter(undoes=row).count() == 1


def test_two_recovery_cases_at_once_are_one(cast: Cast) -> None:
    row = sent_refund(cast)

    def opener(name: str) -> Callable[[], object]:
        return lambda: recover(cast, row, name)

    assert sorted(at_once(opener("rosa"), opener("ravi"))) == ["AlreadyOpen", "Submission"]


def test_a_later_edit_between_start_and_gate_goes_to_a_person_and_nothing_is_written(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a@example.com"})
    row = applied(cast, target, {"changes": {"city": "Graz", "email": "b@example.com"}})
    submission = start(cast, row)
    by_hand(cast, target, email="c@example.com")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        assert not Proposal.objects.filter(undoes=row).exists()
        handoff = Handoff.objects.get(submission=submission)
    assert (handoff.reason, "changed since" in handoff.summary) == ("no_undo", True)
    assert contact_of(cast, target) == {"city": "Graz", "email": "c@example.com"}


def test_a_later_edit_between_gate_and_apply_makes_the_undo_stale(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    undo = gated(cast, start(cast, row))
    assert undo.state == "approved"
    by_hand(cast, target, city="Wien")
    assert steps.apply(cast, undo).state == "stale"
    assert contact_of(cast, target) == {"city": "Wien"}
    with pytest.raises(reversal.UnderWay):  # it is open: a person rejects it or has it worked out anew
        look(cast, row)


def test_an_undo_against_a_later_change_at_the_same_moment_loses_neither(cast: Cast) -> None:
    ends = set()
    for _ in range(10):
        target = steps.contact(cast, {"city": "graz"})
        row = applied(cast, target, {"changes": {"city": "Graz"}})
        later = steps.propose(cast, target, "contact.update", target, {"changes": {"city": "Wien"}})
        steps.approve(cast, later, "rosa")
        submission = start(cast, row)

        def take_back(submission: Submission = submission) -> None:
            gate.pass_through(workspace=cast.ws, submission=submission.pk)

        def carry_out(later: Proposal = later) -> None:
            from approvals import execution

            execution.apply(workspace=cast.ws, proposal=later.pk)

        at_once(as_apply(take_back), as_apply(carry_out))
        with workspace.within(cast.ws):
            undo = Proposal.objects.filter(undoes=row).first()
        state = steps.apply(cast, undo).state if undo else "none"
        assert steps.fresh(cast, later).state == "applied"
        assert (state, contact_of(cast, target)["city"]) in {("none", "Wien"), ("stale", "Wien")}
        ends.add(state)
    assert ends <= {"none", "stale"}


def put(cast: Cast, row: Proposal, event: Event) -> None:
    """Leave it in a state that an outside system would leave it in."""
    with signed_in("apply"), workspace.within(cast.ws) as now:
        held = proposals.locked(workspace=cast.ws, proposal=row.pk)
        proposals.transition(held, event, actor="system:apply", now=now)


def test_what_is_not_carried_out_cannot_be_undone_and_is_told_what_to_do_instead(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    with pytest.raises(reversal.NotYet, match="reject or withdraw it"):
        look(cast, row)
    steps.approve(cast, row, "rosa")
    with pytest.raises(reversal.NotYet, match="on hold and not carried out yet: stop it"):
        look(cast, row)
    put(cast, row, Event.PROPOSAL_APPLYING)
    for name in ("rosa", "mara"):
        with pytest.raises(reversal.NotYet, match="being carried out just now"):
            start(cast, row, name, seen="0" * 64)
    put(cast, row, Event.PROPOSAL_UNKNOWN)
    with pytest.raises(reversal.NotYet, match="Nobody knows yet whether it happened"):
        look(cast, row)
    put(cast, row, Event.PROPOSAL_FAILED)
    with pytest.raises(reversal.NotYet, match="never carried out"):
        look(cast, row)


def test_only_what_the_receipt_says_passes_as_an_undo(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "iban": "DE1"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    for args in (
        {"changes": {"iban": "DE2"}},
        {"changes": {"city": "graz", "iban": "DE2"}},
        {"changes": {"city": "x"}},
    ):
        with workspace.within(cast.ws, cast.id("rosa")):
            forged = proposals.submit(
                workspace=cast.ws, case=row.case_id, kind="action", proposer=f"person:{cast.id('rosa')}",
                key=secrets.token_hex(4), undoes=row.pk, seen_content="0" * 64,
                payload={"action": row.action, "target": target, "args": args, "confidence": 1, "evidence": []},
            )  # fmt: skip
        steps.pass_gate(cast, forged)
        with workspace.within(cast.ws):
            assert not Proposal.objects.filter(submission=forged).exists()
            assert Handoff.objects.get(submission=forged).reason == "no_undo"
    assert gated(cast, start(cast, row)).state == "approved"


def test_an_auditor_undoes_nothing(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = applied(cast, target, {"priority": "P1"})
    for name in ("odile", "ada", "otto"):
        with pytest.raises(reversal.NotAllowed):
            start(cast, row, name)


# Its own tier -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tier", "people", "approved"),
    [("low", "one", True), ("medium", "one", True), ("high", "one", False), ("medium", "two", False)],
)
def test_the_starter_approves_a_conflict_free_undo_below_high_that_one_person_decides(
    cast: Cast, tier: str, people: str, approved: bool
) -> None:
    target = steps.ticket(cast)
    row = applied(cast, target, {"priority": "P1"})
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="undo", actor="t", now=now, action="ticket.update", proposer_kind="person",
            tier=tier, people=people,
        )  # fmt: skip
    undo = gated(cast, start(cast, row))
    assert (undo.tier, undo.state) == (tier, "approved" if approved else "pending")
    if approved:
        return
    with workspace.within(cast.ws):
        why = votes.why_not(undo, cast.id("rosa"), roles.of(cast.id("rosa"), cast.ws), votes.current(undo))
        assert "somebody else" in why
    for name in ("ravi", "mara")[: undo.people]:
        steps.approve(cast, undo, name)
    assert steps.apply(cast, undo).state == "applied"


def test_a_starter_whose_screen_was_another_one_is_not_counted(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = applied(cast, target, {"priority": "P1"})
    with pytest.raises(reversal.Moved):
        start(cast, row, seen="0" * 64)


# What went out ----------------------------------------------------------------------------------------


def sent_refund(cast: Cast, settled: str = "") -> Proposal:
    """A refund of 45.10 EUR that went out: booked here, or by another system that says how its money stands."""
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    steps.approve(cast, row, "rosa")
    if not settled:
        return steps.apply(cast, row)
    put(cast, row, Event.PROPOSAL_APPLYING)
    seal()
    with signed_in("apply"), workspace.within(cast.ws) as now:
        row = proposals.locked(workspace=cast.ws, proposal=row.pk)
        attempt = Attempt.objects.create(
            workspace_id=cast.ws, proposal=row, revision=1, number=1, fence=1, key="0" * 32, part="payments",
            system="stripe", request={}, lease_until=now,
        )  # fmt: skip
        sending.succeed(row, attempt, outside.Answer("re_1", "settled" if settled == "settled" else "pending"), now=now)
        Attempt.objects.filter(pk=attempt.pk).update(follow=settled)
    return steps.fresh(cast, row)


def recover(cast: Cast, row: Proposal, name: str = "rosa", key: str = "") -> Submission:
    with workspace.within(cast.ws, cast.id(name)):
        row = Proposal.objects.get(pk=row.pk)
        return reversal.open_recovery(proposal=row, person=cast.id(name), key=key or secrets.token_hex(4))


@pytest.mark.parametrize(
    ("settled", "words"),
    [
        ("", "nothing here can call it back"),
        ("pending", "on its way"),
        ("settled", "has arrived"),
        ("bounced", "came back"),
    ],
)
def test_a_refund_that_was_sent_has_no_undo_but_a_recovery_case(cast: Cast, settled: str, words: str) -> None:
    row = sent_refund(cast, settled)
    assert row.state == "applied"
    with pytest.raises(reversal.Outward, match="open a recovery case"):
        look(cast, row)
    with pytest.raises(reversal.Outward):
        start(cast, row, seen="0" * 64)
    with workspace.within(cast.ws):
        assert (reversal.offered(row), words in reversal.sent(row)) == ("recover", True)
    submission = recover(cast, row)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
        receipt = Receipt.objects.get(proposal=row)
    assert (handoff.reason, handoff.proposer, handoff.case_id) == ("recovery", f"person:{cast.id('rosa')}", row.case_id)
    assert words in handoff.summary
    found = handoff.found
    assert (found["amount_minor"], found["currency"], found["receipt"]) == (4_510, "EUR", receipt.pk)
    assert "card-cu-1" in found["to"]
    assert (found.get("outside_id"), found.get("money")) == (("re_1", settled) if settled else (None, None))


def test_one_recovery_case_is_open_at_a_time(cast: Cast) -> None:
    row = sent_refund(cast)
    submission = recover(cast, row, key="k")
    assert recover(cast, row, key="k").pk == submission.pk
    with pytest.raises(reversal.UndoError, match="the gate opens it just now"):
        recover(cast, row, "ravi")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
        assert reversal.open_case(row) == handoff
    with pytest.raises(reversal.UndoError, match=f"hand-off {handoff.pk}"):
        recover(cast, row, "ravi")
    with signed_in("web"), workspace.within(cast.ws, cast.id("ravi")) as now:
        from approvals import handoffs

        handoffs.resolve(
            workspace=cast.ws, handoff=handoff.pk, person=cast.people["ravi"], outcome="Cleo sent it back", now=now
        )
    assert recover(cast, row, "ravi").pk != submission.pk


def test_what_can_be_undone_gets_no_recovery_case(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = applied(cast, target, {"priority": "P1"})
    with pytest.raises(reversal.UndoError, match="It can be undone"):
        recover(cast, row)
    waiting = steps.propose(cast, target, "ticket.reply", target, {"body": "Hello"})
    with pytest.raises(reversal.NotYet):
        recover(cast, waiting)


# No values from before --------------------------------------------------------------------------------


def test_what_wrote_nothing_has_nothing_to_undo(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = steps.propose(cast, target, "contact.update", target, {"changes": {"city": "Graz"}})
    steps.approve(cast, row, "rosa")
    by_hand(cast, target, city="Graz")
    assert steps.apply(cast, row).state == "applied"
    with pytest.raises(reversal.Unrecorded, match="It wrote nothing"):
        look(cast, row)


def erase(cast: Cast, row: Proposal) -> None:
    """What erasing a person's data does to a receipt."""
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE approvals_receipt DISABLE TRIGGER append_only")
        cursor.execute("UPDATE approvals_receipt SET changed = '[]' WHERE proposal_id = %s", [row.pk])
        assert cursor.rowcount == 1
        cursor.execute("ALTER TABLE approvals_receipt ENABLE ALWAYS TRIGGER append_only")


def test_erased_data_takes_its_undo_with_it(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    with workspace.within(cast.ws):
        assert reversal.offered(row) == "undo"
    erase(cast, row)
    row = steps.fresh(cast, row)
    with pytest.raises(reversal.Unrecorded, match="no longer kept"):
        look(cast, row)
    with workspace.within(cast.ws):
        assert (reversal.offered(row), "no longer kept" in reversal.way_back(row)) == ("", True)


# The whole --------------------------------------------------------------------------------------------

EDIT = st.dictionaries(st.sampled_from(["city", "email", "fax"]), st.sampled_from(["a", "b", "c", None]), min_size=1)
TICKET_EDIT = st.fixed_dictionaries(
    {},
    optional={
        "priority": st.sampled_from(["P1", "P2", "P3"]),
        "status": st.sampled_from(["open", "waiting"]),
        "tags": st.lists(st.sampled_from(["x", "y", "z"]), unique=True),
    },
)
STORY = st.lists(
    st.one_of(
        st.tuples(st.just("contact"), EDIT),
        st.tuples(st.just("ticket"), TICKET_EDIT.filter(bool)),
        st.tuples(st.just("undo"), st.integers(0, 20)),
        st.tuples(st.just("undo"), st.integers(0, 20)),
    ),
    min_size=2,
    max_size=9,
)


def folded(cast: Cast) -> dict[str, dict[str, Any]]:
    """Every record out of its receipts alone: nothing in the books but what the receipts say."""
    records: dict[str, dict[str, Any]] = {}
    with workspace.within(cast.ws):
        for target, changed in Receipt.objects.order_by("pk").values_list("proposal__target", "changed"):
            record = records.setdefault(target, {})
            for change in changed:
                if "before" in change and change["field"] in record:
                    assert record[change["field"]] == change["before"], (target, change)
                if change["op"] == "unset":
                    record.pop(change["field"], None)
                else:
                    record[change["field"]] = change["after"]
    return records


def test_over_random_stories_the_record_is_the_fold_of_its_receipts_and_no_later_edit_is_lost(cast: Cast) -> None:
    @settings(max_examples=12, deadline=None, database=None, derandomize=True)
    @given(story=STORY)
    def holds(story: list[tuple[str, Any]]) -> None:
        target = steps.contact(cast, {"city": "0", "email": "0"})
        ticket = steps.ticket(cast)
        done: list[Proposal] = []
        for kind, what in story:
            if kind == "undo":
                done += undo_one(done[what % len(done)]) if done else []
            else:
                done += edit(target if kind == "contact" else ticket, {"changes": what} if kind == "contact" else what)
            check(target, ticket)

    def edit(target: str, args: dict[str, Any]) -> list[Proposal]:
        action = "contact.update" if target.startswith("contact:") else "ticket.update"
        submission = steps.submit_as_agent(cast, target, action, target, args)
        steps.pass_gate(cast, submission)
        with workspace.within(cast.ws):
            row = Proposal.objects.filter(submission=submission).first()
        if row is None:
            return []  # the record is so already
        steps.approve(cast, row, "ravi")
        return [steps.apply(cast, row)]

    def undo_one(row: Proposal) -> list[Proposal]:
        found = look(cast, row)
        before = record_of(row.target)
        if found.nothing:
            with pytest.raises(reversal.NothingLeft):
                start(cast, row, seen="0" * 64)
            return []
        made = gated(cast, start(cast, row))
        if made.state == "pending":
            steps.approve(cast, made, "ravi")
        made = steps.apply(cast, made)
        after = record_of(row.target)
        written = {part.change.field for part in found.parts if part.fate is Fit.CLEAN}
        for part in found.parts:
            if part.fate is Fit.CLEAN and part.change.op != "set_members":
                assert after.get(part.change.field, ABSENT) == part.change.before
        assert {n: v for n, v in before.items() if n not in written} == {
            n: v for n, v in after.items() if n not in written
        }
        return [made]

    def record_of(target: str) -> dict[str, Any]:
        if target.startswith("contact:"):
            return contact_of(cast, target)
        with workspace.within(cast.ws):
            row = models.Ticket.objects.get(ticket_id=target.partition(":")[2])
            return {"priority": row.priority, "status": row.status, "tags": sorted(row.tags)}

    def check(*targets: str) -> None:
        records = folded(cast)
        for target in targets:
            now = record_of(target)
            for name, value in records.get(target, {}).items():
                assert now.get(name, ABSENT) == value, (target, name)

    holds()


def test_the_log_tells_of_an_undo_as_of_every_change(cast: Cast) -> None:
    from audit.models import Entry

    target = steps.contact(cast, {"city": "graz"})
    undo = undone(cast, applied(cast, target, {"changes": {"city": "Graz"}}))
    with workspace.within(cast.ws):
        entries = Entry.objects.filter(subject=f"proposal:{undo.pk}").order_by("version")
        assert [json.loads(entry.canonical)["event"] for entry in entries] == [
            "proposal.proposed", "proposal.approved", "proposal.applying", "proposal.applied",
        ]  # fmt: skip
