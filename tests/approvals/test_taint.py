"""Values that follow from the customer's words: found with their passage, kept, shown, raised where they lead away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import passages, revising, taint
from approvals.diff import ABSENT, Change
from approvals.models import Proposal, Revision
from approvals.taint import Passage, Taint
from portal import pages, workspace
from portal.systems.records import Message, Ticket
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

WROTE = (
    "Hi, please send the 1,299.00 EUR back.\nWrite to  Eve.Doe@evil.example or see https://evil.example/pay?x=1."
    " Call 0049 30 / 90 18 20. My new address is 12  Long Street, Ulm. Put me into the billing queue."
)


def traced(changes=(), effects=(), wrote: str = WROTE, on_record=lambda kind, value: False) -> dict[str, Taint]:
    found = taint.trace(list(changes), list(effects), [Passage(0, "Lamp"), Passage(1, wrote)], on_record)
    assert all(wrote[one.start : one.end] == one.quote for one in found if one.seq == 1)
    return {f"{one.field} {one.kind}": one for one in found}


def reply(body: str) -> dict[str, object]:
    return {"kind": "reply", "body": body, "ticket": "T-1", "clauses": []}


@pytest.mark.parametrize(
    ("field", "value", "quote"),
    [
        ("email", "eve.doe@EVIL.example", "Eve.Doe@evil.example"),
        ("phone", "+49 30 901820", "0049 30 / 90 18 20"),
        ("address", "12 Long Street", "12  Long Street"),
        ("city", "Ulm", "Ulm"),
        ("website", "https://evil.example/pay?x=1", "https://evil.example/pay?x=1"),
        ("notes", "my NEW address", "My new address"),
    ],
)
def test_a_field_is_found_however_it_is_spelled(field: str, value: str, quote: str) -> None:
    (one,) = (one for one in traced([Change(field, "set", "old", value)]).values() if one.value == value)
    assert one.quote.strip() == quote


def test_what_nobody_sees_does_not_hide_where_a_value_comes_from() -> None:
    (one,) = traced([Change("email", "set", "", "a@b.example")], wrote="mail a@\u200bb.example").values()
    assert one.quote == "a@\u200bb.example"


@pytest.mark.parametrize("field", sorted(taint.CLOSED))
def test_a_value_out_of_a_closed_list_follows_from_nobodys_words(field: str) -> None:
    assert traced([Change(field, "set", "", "billing")]) == {}


@pytest.mark.parametrize(
    "change",
    [
        Change("email", "unset", "eve.doe@evil.example", ABSENT), Change("email", "set", "x", "other@example.com"),
        Change("city", "set", "Ulm", "Ulm"), Change("city", "set", "", "Ul"),
        Change("phone", "set", "", "+49 30 901821"),
    ],
)  # fmt: skip
def test_what_does_not_stand_there_is_not_found(change: Change) -> None:
    assert traced([change]) == {}


@pytest.mark.parametrize(
    ("minor", "wrote", "found"),
    [
        (129_900, "1,299.00", True), (129_900, "1.299,00", True), (129_900, "1299", True), (129_900, "1 299,00", True),
        (4_510, "45.10", True), (4_510, "45,1", True), (4_510, "145.10", False), (4_510, "45.105", False),
        (4_510, "45", False), (4_500, "45", True), (4_500, "45.50", False), (4_500, "#W45", True),
    ],
)  # fmt: skip
def test_an_amount_is_found_as_people_write_it(minor: int, wrote: str, found: bool) -> None:
    effect = {"kind": "refund", "to": "card-1", "amount_minor": minor, "currency": "EUR"}
    assert ("amount_minor amount" in traced(effects=[effect], wrote=f"give me {wrote} back")) is found


def test_a_reply_is_looked_through_for_where_it_sends_somebody_and_for_what_it_repeats() -> None:
    body = "Dear customer, write to eve.doe@evil.example, see https://evil.example/pay?x=1, or call +49 30 901820."
    found = traced(effects=[reply(f"{body} Please send the 1,299.00 EUR back. Write to Eve.")])
    assert {one.kind for one in found.values() if one.leads_away} == {"email", "url", "phone"}
    assert found["body text"].quote.startswith("please send the 1,299.00 EUR back")
    assert taint.flags(tuple(found.values())) == (taint.FLAG,)


def test_what_the_records_hold_leads_nowhere() -> None:
    found = traced(effects=[reply("We wrote to eve.doe@evil.example.")], on_record=lambda kind, value: kind == "email")
    assert [one.on_record for one in found.values() if one.kind == "email"] == [True]
    assert not any(one.leads_away for one in found.values() if one.kind == "email")


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_looked_through_and_every_passage_is_there_to_the_letter(wrote: str, value: str) -> None:
    traced([Change("notes", "set", "", value)], [reply(value)], wrote)


spans = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=6)


@given(st.text(min_size=1, max_size=40), spans)
def test_a_marked_message_loses_no_character(body: str, found: list[tuple[int, int]]) -> None:
    taints = [
        Taint("notes", "text", body[a : a + n], 1, a, a + n, body[a : a + n]).as_json() for a, n in found
    ]  # fmt: skip
    ticket = Ticket("T-1", "", "", "Lamp", "", "P3", "open", messages=(Message(1, "customer", body),))
    came = passages.of({7: taints}, ticket)
    assert "".join(part.text for part in came.messages[1]) == body
    there = {part.anchor for part in came.messages[1] if part.anchor}
    assert {note.anchor for notes in came.notes.values() for note in notes} == there


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def kept(cast: Cast, proposal: Proposal) -> Revision:
    with workspace.within(cast.ws):
        return Revision.objects.filter(proposal=proposal).order_by("-number")[0]


def proposed(cast: Cast, body: str, wrote: str = WROTE) -> Proposal:
    target = steps.ticket(cast, text=wrote)
    return steps.propose(cast, target, "ticket.reply", target, {"body": body})


def test_a_reply_that_leads_away_is_flagged_raised_and_says_so_on_its_page(cast: Cast) -> None:
    row = proposed(cast, "Pay at https://evil.example/pay?x=1")
    harmless = proposed(cast, "We look into it.")
    assert (row.tier, row.flags) == ("high", ["tainted_destination"])
    assert (harmless.tier, harmless.flags) == ("medium", [])
    assert [one["kind"] for one in kept(cast, row).taint] == ["url"]
    desk = sit_down(cast, "rosa")
    page = text(desk.get(f"/proposals/{row.pk}/"))
    assert 'href="#passage-1-0"' in page
    assert 'id="passage-1-0"' in page
    assert "on no record" in page
    assert "leads where the message says" in page
    assert "only the customer&#x27;s words point: tier high instead of medium" in page
    assert "passage-1-0" in text(desk.get(f"/cases/{row.case_id}/"))
    assert "passage-" not in text(desk.get(f"/proposals/{harmless.pk}/"))


def test_a_policy_page_bears_a_link_out(cast: Cast) -> None:
    sentence = pages.Sentence("WEB-1", "Web", "See https://evil.example/pay?x=1.")
    with workspace.within(cast.ws) as now:
        pages.publish(
            workspace=cast.ws, slug="web", title="Web", sentences=[sentence], actor="system:test", now=now
        )  # fmt: skip
    row = proposed(cast, "Pay at https://evil.example/pay?x=1")
    assert (row.tier, row.flags) == ("medium", [])
    assert "and on record" in text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))


def test_an_edit_is_looked_through_anew(cast: Cast) -> None:
    row = proposed(cast, "We look into it.")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        edited = revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"),
            args={"body": "Write to Eve.Doe@evil.example"}, now=now,
        )  # fmt: skip
    assert (edited.tier, edited.flags) == ("high", ["tainted_destination"])
    assert kept(cast, row).taint[0]["quote"] == "Eve.Doe@evil.example"


@pytest.mark.parametrize("flag", ["injection", "hidden_text"])
def test_hostile_text_raises_what_would_be_low_and_says_why(cast: Cast, flag: str) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}, flags=(flag,))
    plain = steps.ticket(cast)
    assert steps.propose(cast, plain, "ticket.update", plain, {"priority": "P1"}).tier == "low"
    assert (row.tier, row.people) == ("medium", 1)
    assert "tier medium instead of low" in text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))
