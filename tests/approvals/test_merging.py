"""`contact.merge`: which values survive, what moves along, and the way back under the real roles."""

import threading
from typing import Any

import psycopg
import pytest
from django.db import connection

from approvals import actions, reversal, thresholds
from approvals.actions import BadArguments
from approvals.models import Handoff, Proposal
from audit import log
from portal import models, workspace
from portal.systems import connections
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

ONE = {"full_name": "Cleo Marsh", "email": "cleo@example.com", "phone": "+4930123456"}
OTHER = {"full_name": "Cleo Marsch", "email": "cleo@example.com", "city": "Ulm", "phone": "+4930999999"}


@pytest.fixture
def cast(live: None) -> Cast:
    """What silence asks for, but for its hold of fifteen minutes."""
    cast = gather()
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="", actor="system:test", now=now, action="contact.merge", tier="high",
            people="two", second_role="manager", hold_seconds=0,
        )  # fmt: skip
    return cast


def customer(cast: Cast, key: str, contact: str) -> None:
    """A customer of the shop who is this contact, with an order."""
    steps.order(cast, customer=key)
    with workspace.within(cast.ws):
        log.attribute("test")
        row = models.Contact.objects.get(contact_id=contact.removeprefix("contact:"))
        models.Customer.objects.filter(customer_id=key).update(contact=row)


def books(cast: Cast, *targets: str) -> dict[str, Any]:
    """Every contact as it stands, and whose each customer is."""
    with workspace.within(cast.ws):
        rows = models.Contact.objects.filter(contact_id__in=[t.removeprefix("contact:") for t in targets])
        found = {
            f"contact:{row.contact_id}": (row.fields, row.locked_fields, row.merged_into and row.merged_into.contact_id)
            for row in rows.select_related("merged_into")
        }
        owners = models.Customer.objects.exclude(contact=None).values_list("customer_id", "contact__contact_id")
        return found | dict(owners)


def other_of(target: str) -> str:
    return target.removeprefix("contact:")


def merge(cast: Cast, keep: str, other: str, **more: Any) -> Proposal:
    """Proposed by the agent, not decided."""
    return steps.propose(cast, keep, "contact.merge", keep, {"other": other_of(other), **more}, agent="contacts")


def carry_out(cast: Cast, proposal: Proposal) -> Proposal:
    steps.approve(cast, proposal, "rosa")
    steps.approve(cast, proposal, "mara")
    return steps.apply(cast, proposal)


def start_undo(cast: Cast, proposal: Proposal, name: str = "ravi") -> Proposal:
    with workspace.within(cast.ws, cast.id(name)):
        row = Proposal.objects.get(pk=proposal.pk)
        seen = reversal.undo_preview(proposal=row)
        submission = reversal.undo(proposal=row, person=cast.id(name), seen_content=seen.content, key=f"undo:{row.pk}")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=submission)


def undo(cast: Cast, proposal: Proposal) -> Proposal:
    back = start_undo(cast, proposal)
    carry_out(cast, back)
    return steps.fresh(cast, back)


def preview(cast: Cast, keep: str, other: str, **more: Any) -> Any:
    with workspace.within(cast.ws):
        chosen = actions.named("contact.merge")
        args = chosen.parse({"other": other_of(other), **more})
        return chosen.preview(keep, args, "", actions.reader(cast.ws)).diff.changes


def test_two_people_decide_where_no_threshold_speaks(live: None) -> None:
    cast = gather()
    row = merge(cast, steps.contact(cast, ONE), steps.contact(cast, OTHER))
    assert (row.state, row.people, row.tier) == ("pending", 2, "high")


def test_a_merge_and_its_undo_leave_every_record_and_reference_as_it_was(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER, locked=("city",))
    customer(cast, "cu-1", keep)
    customer(cast, "cu-2", other)
    customer(cast, "cu-3", other)
    before = books(cast, keep, other)
    done = carry_out(cast, merge(cast, keep, other))
    assert done.state == "applied"
    after = books(cast, keep, other)
    assert after[keep] == ({**ONE, "city": "Ulm"}, ["city"], None)
    assert after[other] == (OTHER, ["city"], other_of(keep))
    assert {after[key] for key in ("cu-1", "cu-2", "cu-3")} == {other_of(keep)}
    assert undo(cast, done).state == "applied"
    assert books(cast, keep, other) == before


def test_an_undo_is_undone(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    customer(cast, "cu-2", other)
    done = carry_out(cast, merge(cast, keep, other))
    merged = books(cast, keep, other)
    back = undo(cast, done)
    assert undo(cast, back).state == "applied"
    assert books(cast, keep, other) == merged


def test_what_was_chosen_of_the_other_survives_and_what_was_left_stays_there(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    fields = {c.field: c.after for c in preview(cast, keep, other, take=["phone"], leave=["city"])}
    assert fields == {"phone": OTHER["phone"], f"contact:{other_of(other)}": other_of(keep)}


@pytest.mark.parametrize(
    ("mine", "theirs", "more", "said"),
    [
        (("phone",), ("phone",), {}, "phone: a person locked it on"),
        (("phone",), (), {"take": ["phone"]}, "phone: a person locked it on"),
        ((), ("phone",), {}, "name it in `take`"),
        ((), (), {"take": ["fax"]}, "has no 'fax'"),
    ],
)
def test_a_locked_value_is_neither_overwritten_nor_lost(
    cast: Cast, mine: tuple[str, ...], theirs: tuple[str, ...], more: dict[str, Any], said: str
) -> None:
    keep, other = steps.contact(cast, ONE, locked=mine), steps.contact(cast, OTHER, locked=theirs)
    with pytest.raises(BadArguments, match=said):
        preview(cast, keep, other, **more)


def test_a_locked_value_of_the_staying_one_stays_and_a_locked_one_taken_over_stays_locked(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE, locked=("phone",)), steps.contact(cast, OTHER)
    assert "phone" not in {change.field for change in preview(cast, keep, other)}
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER, locked=("phone",))
    fields = {c.field: c.after for c in preview(cast, keep, other, take=["phone"])}
    assert (fields["phone"], fields["locked:"]) == (OTHER["phone"], ["phone"])


def test_who_proves_who_they_are_is_not_for_an_agent_to_say(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, {**OTHER, "date_of_birth": "1970-01-01"})
    assert merge(cast, keep, other).state == "denied"
    assert merge(cast, keep, other, leave=["date_of_birth"]).state == "pending"


@pytest.mark.parametrize("other", ["c-nobody", ""])
def test_nobody_is_merged_with_whom_there_is_not(cast: Cast, other: str) -> None:
    keep = steps.contact(cast, ONE)
    with pytest.raises(BadArguments, match="there is no contact"):
        preview(cast, keep, other)
    with pytest.raises(BadArguments, match="the same contact"):
        preview(cast, keep, keep)


def test_a_retired_contact_is_merged_no_more_and_changed_no_more(cast: Cast) -> None:
    a, b, c = (steps.contact(cast, {**ONE, "notes": n}) for n in "abc")
    waiting = steps.propose(cast, a, "contact.update", a, {"changes": {"full_name": "C. Marsh"}}, agent="contacts")
    steps.approve(cast, waiting, "rosa")
    assert carry_out(cast, merge(cast, b, a)).state == "applied"
    for keep, other in ((a, c), (c, a)):
        with pytest.raises(BadArguments, match="was merged into"):
            preview(cast, keep, other)
    assert steps.apply(cast, waiting).state == "stale"
    assert books(cast, a)[a][0]["full_name"] == ONE["full_name"]


def test_a_chain_is_undone_newest_first(cast: Cast) -> None:
    a, b, c = (steps.contact(cast, {**ONE, "notes": n}) for n in "abc")
    customer(cast, "cu-a", a)
    before = books(cast, a, b, c)
    first = carry_out(cast, merge(cast, b, a))
    between = books(cast, a, b, c)
    second = carry_out(cast, merge(cast, c, b))
    assert books(cast, a, b, c)["cu-a"] == other_of(c)
    with pytest.raises(reversal.NothingLeft, match=f"{b} was merged into {c}; undo that first"):
        start_undo(cast, first)
    undo(cast, second)
    assert books(cast, a, b, c) == between
    undo(cast, first)
    assert books(cast, a, b, c) == before


def test_two_merged_into_one_are_taken_out_in_any_order(cast: Cast) -> None:
    a, b, c = (steps.contact(cast, {**ONE, "notes": n}) for n in "abc")
    customer(cast, "cu-a", a)
    customer(cast, "cu-b", b)
    before = books(cast, a, b, c)
    first, second = (carry_out(cast, merge(cast, c, other)) for other in (a, b))
    undo(cast, first)
    assert books(cast, a, b, c)["cu-b"] == other_of(c)
    undo(cast, second)
    assert books(cast, a, b, c) == before


def test_what_changed_since_stays_and_the_rest_goes_back(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    customer(cast, "cu-1", other)
    customer(cast, "cu-2", other)
    third = steps.contact(cast, {"full_name": "Somebody else"})
    done = carry_out(cast, merge(cast, keep, other))
    changed = steps.propose(cast, keep, "contact.update", keep, {"changes": {"city": "Bonn"}}, agent="contacts")
    steps.approve(cast, changed, "rosa")
    steps.apply(cast, changed)
    customer(cast, "cu-2", third)  # somebody found out whose it is
    back = undo(cast, done)
    after = books(cast, keep, other)
    assert back.flags == [reversal.PARTIAL]
    assert after[keep] == ({**ONE, "city": "Bonn"}, [], None)
    assert after[other] == (OTHER, [], None)
    assert (after["cu-1"], after["cu-2"]) == (other_of(other), other_of(third))


def test_the_other_record_changed_between_proposal_and_approval(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    row = merge(cast, keep, other)
    changed = steps.propose(cast, other, "contact.update", other, {"changes": {"city": "Bonn"}}, agent="contacts")
    steps.approve(cast, changed, "rosa")
    steps.apply(cast, changed)
    steps.approve(cast, row, "rosa")
    assert steps.fresh(cast, row).state == "stale"
    assert books(cast, other)[other][2] is None


def at_once(cast: Cast, *rows: Proposal) -> list[str]:
    """Both applied in the same moment, by two workers."""
    start = threading.Barrier(len(rows))

    def work(row: Proposal) -> None:
        from approvals import execution

        start.wait()
        try:
            execution.apply(workspace=cast.ws, proposal=row.pk)
        finally:
            connection.close()

    with signed_in("apply"):
        threads = [threading.Thread(target=work, args=(row,)) for row in rows]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return sorted(steps.fresh(cast, row).state for row in rows)


def approved(cast: Cast, keep: str, other: str) -> Proposal:
    row = merge(cast, keep, other)
    steps.approve(cast, row, "rosa")
    return steps.approve(cast, row, "mara")


def test_what_is_refused_halfway_writes_nothing(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    row = approved(cast, keep, other)
    customer(cast, "cu-late", other)  # became known after the last vote
    before = books(cast, keep, other)
    assert steps.apply(cast, row).state == "failed"
    assert books(cast, keep, other) == before


@pytest.mark.parametrize("turn", range(3))
def test_a_into_b_and_b_into_a_at_once_leave_one_of_them(cast: Cast, turn: int) -> None:
    a, b = (steps.contact(cast, {**ONE, "notes": n}) for n in "ab")
    customer(cast, "cu-a", a)
    customer(cast, "cu-b", b)
    states = at_once(cast, approved(cast, a, b), approved(cast, b, a))
    assert states[0] == "applied"
    assert states[1] in ("failed", "stale")
    after = books(cast, a, b)
    stays = next(name for name in (a, b) if after[name][2] is None)
    assert [after[name][2] for name in (a, b)].count(None) == 1
    assert after["cu-a"] == after["cu-b"] == other_of(stays)


@pytest.mark.parametrize("turn", range(3))
def test_one_contact_into_two_at_once_goes_into_one(cast: Cast, turn: int) -> None:
    a, b, c = (steps.contact(cast, {**ONE, "notes": n}) for n in "abc")
    customer(cast, "cu-a", a)
    states = at_once(cast, approved(cast, b, a), approved(cast, c, a))
    assert states[0] == "applied"
    assert states[1] in ("failed", "stale")
    after = books(cast, a, b, c)
    assert after["cu-a"] == after[a][2] in (other_of(b), other_of(c))


@pytest.mark.parametrize("turn", range(3))
def test_a_chain_at_once_ends_in_one_of_its_orders(cast: Cast, turn: int) -> None:
    a, b, c = (steps.contact(cast, {**ONE, "notes": n}) for n in "abc")
    customer(cast, "cu-a", a)
    at_once(cast, approved(cast, b, a), approved(cast, c, b))
    after = books(cast, a, b, c)
    into = {other_of(name): after[name][2] for name in (a, b, c)}
    assert into in ({other_of(a): other_of(b), other_of(b): None, other_of(c): None},
                    {other_of(a): None, other_of(b): other_of(c), other_of(c): None})  # fmt: skip
    assert into[after["cu-a"]] is None  # nobody's customer is a contact that was retired


def test_an_outside_crm_that_cannot_merge_leaves_it_to_a_person(cast: Cast) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    with workspace.within(cast.ws) as now:
        connections.choose(
            workspace=cast.ws, part="contacts", system="http", config={"base_url": "https://crm.example.com"},
            actor="system:test", now=now,
        )  # fmt: skip
    submission = steps.submit_as_agent(cast, keep, "contact.merge", keep, {"other": other_of(other)}, agent="contacts")
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        handoff = Handoff.objects.get(submission=submission)
        assert not Proposal.objects.filter(submission=submission).exists()
    assert handoff.reason == "not_there"
    assert "please do it there by hand" in handoff.summary
    update = steps.propose(cast, keep, "contact.update", keep, {"changes": {"city": "Ulm"}}, agent="contacts")
    assert update.state == "pending"  # what it can do is proposed as ever


@pytest.mark.parametrize("role", ["agents", "web"])
def test_no_other_process_retires_a_contact(cast: Cast, role: str) -> None:
    keep, other = steps.contact(cast, ONE), steps.contact(cast, OTHER)
    with signed_in(role), workspace.within(cast.ws):
        keys = dict(models.Contact.objects.values_list("contact_id", "pk"))
        statement = "UPDATE portal_contact SET merged_into_id = %s WHERE id = %s"
        with pytest.raises(Exception) as refused, connection.cursor() as cursor:
            cursor.execute(statement, [keys[other_of(keep)], keys[other_of(other)]])
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)
    with signed_in("apply"), workspace.within(cast.ws), connection.cursor() as cursor:
        log.attribute("test")
        cursor.execute(statement, [keys[other_of(keep)], keys[other_of(other)]])
    assert books(cast, other)[other][2] == other_of(keep)
