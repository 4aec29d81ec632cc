"""What an item shows of an edit, of a customer's history, of the verifier, of its run, and of what it cites."""

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.conf import settings

from approvals import anchors, decisions, grounds, marks, passages, rerun, revising, showing, votes
from approvals.diff import ABSENT, Change
from approvals.models import Handoff, Proposal, Revision
from approvals.templatetags.desk import marked as desk_marks
from portal import workspace
from portal.systems.records import Message, Ticket
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

LINES = [f"Line {n}\n" for n in range(20)]


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def routed(cast: Cast, target: str, **more: Any) -> Proposal:
    return steps.propose(cast, target, "ticket.update", target, {"queue": "fees_billing", "priority": "P3"}, **more)


def edit(cast: Cast, row: Proposal, args: dict[str, Any], name: str = "rosa") -> Proposal:
    seen = steps.seen(steps.fresh(cast, row))
    with workspace.within(cast.ws, cast.id(name)) as now:
        return revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=seen, person=cast.id(name), args=args, now=now
        )  # fmt: skip


def page(cast: Cast, row: Proposal, query: str = "") -> str:
    return unescape(text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/{query}")))


# --- an edit -----------------------------------------------------------------------------------------------------


def revision(tier: str, people: int, rule: str, second_role: str = "") -> Revision:
    return Revision(verdict={"tier": tier, "rules": [rule]}, people=people, second_role=second_role)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        (revision("low", 1, "a v1"), revision("low", 1, "a v1"), "Tier, people and rules are unchanged."),
        (
            revision("medium", 1, "a v1"), revision("high", 2, "b v2"),
            "Tier from medium to high: 2 people now (before: 1); rule b v2 instead of a v1.",
        ),
        (
            revision("low", 1, "a v1"), revision("low", 2, "a v1", "manager"),
            "2 people now, one of them a manager (before: 1).",
        ),
        (revision("high", 2, "a v1"), revision("low", 1, "a v1"), "Tier from high to low: 1 person now (before: 2)."),
    ],
)  # fmt: skip
def test_what_the_rerun_changed_is_said(before: Revision, now: Revision, words: str) -> None:
    assert rerun.words(before, now) == words


def test_saving_an_edit_says_what_was_checked_again_and_fields_show_what_stood_there(cast: Cast) -> None:
    row = routed(cast, steps.ticket(cast))
    assert "Before the edit" not in page(cast, row)
    edit(cast, row, {"queue": "refunds_returns", "priority": "P3"})
    shown = page(cast, row, f"?done={row.pk}")
    assert "Saved. Tier, people and rules are unchanged. It waits for a decision." in shown
    assert "Checked again" in shown
    assert shown.count("Before the edit") == 1
    assert "Fees" in shown[shown.index("Before the edit") :]


def test_an_edit_that_raises_the_tier_says_so_in_the_toast_and_on_the_item(cast: Cast) -> None:
    order = steps.order(cast, amount=4_510, besides=40_000)
    target = steps.ticket(cast, customer="cu-1")
    row = steps.propose(cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    args = {**steps.refund_args(order), "item_ids": ["i-1", "i-2"], "amount_minor": 44_510}
    again = edit(cast, row, args)
    assert again.tier != row.tier
    shown = page(cast, row, f"?done={row.pk}")
    assert shown.count(f"Tier from {row.tier} to {again.tier}") == 2
    assert "Before the edit: Amount 45.10 EUR" in shown


def test_what_an_edit_left_out_again_is_a_row_that_says_what_stood_there() -> None:
    old = (Change("queue", "set", "a", "b"), Change("priority", "set", "P3", "P1"), Change("tags", "set", ABSENT, "x"))
    new = (Change("queue", "set", "a", "b"), Change("status", "set", "open", "closed"))
    rows = {row.name: row for row in showing.fields(new, showing.Books(), earlier=old)}
    assert rows["queue"].earlier is None
    assert [showing.joined(rows[name].earlier or ()) for name in ("priority", "status", "tags")] == ["P1", "open", "x"]
    assert showing.joined(rows["priority"].after) == "P3"


def test_a_hand_off_names_the_action_that_was_found_by_its_title(cast: Cast) -> None:
    target = steps.ticket(cast)
    paper = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"})
    steps.pass_gate(cast, paper)
    with workspace.within(cast.ws):
        handed = Handoff.objects.get(submission=paper)
    shown = text(sit_down(cast, "rosa").get(f"/handoffs/{handed.pk}/"))
    assert ("<dt>Action</dt><dd" in shown, ">Update a ticket</dd>" in shown) == (True, True)


# --- spaces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "shows"),
    [
        ("20359 ", "20359", ("20359[-␣]", "20359")),
        ("  Greta", "Greta", ("[-␣␣]Greta", "Greta")),
        ("a  b c", "a b c", ("a[-␣␣]b c", "a[+␣]b c")),
        ("one two", "one\ntwo", ("one[-␣]two", "one[+↵]two")),
        ("a\u00a0b", "a b", ("a[-[U+00A0]]b", "a[+␣]b")),
        ("ab\u2028", "ab", ("ab[-U+2028]", "ab")),
        ("old word here", "new word here", ("[-old] word here", "[+new] word here")),
    ],
)
def test_a_change_of_spaces_alone_is_seen(before: str, after: str, shows: tuple[str, str]) -> None:
    sides = marks.compare(before, after)
    assert tuple("".join(piece.text for piece in side) for side in sides) == (before, after)
    said = {"same": "{}", "gone": "[-{}]", "new": "[+{}]"}
    for side, shown in zip(sides, shows, strict=True):
        assert "".join(said[one.mark].format(one.label or one.text) for one in side) == shown
    assert desk_marks(marks.compare("20359 ", "20359")[0]) == (
        '20359<del><span class="space" title="space that changed">␣</span></del>'
    )


# --- what is folded ----------------------------------------------------------------------------------------------


def test_a_long_unchanged_stretch_of_a_changed_text_is_folded_with_two_lines_around_the_change_in_sight() -> None:
    after = [*LINES[:10], "Another line\n", *LINES[11:]]
    _left, right = marks.compare("".join(LINES), "".join(after))
    parts = marks.fold(right)
    folds = [part for part in parts if isinstance(part, marks.Fold)]
    assert [fold.lines for fold in folds] == [8, 7]
    assert "".join(part.text for part in parts) == "".join(after)
    in_sight = "".join(part.text for part in parts if isinstance(part, marks.Piece))
    assert all(LINES[n] in in_sight for n in (8, 9, 11, 12))


def test_a_new_text_stays_whole_and_an_unseen_character_is_never_folded() -> None:
    assert not any(isinstance(part, marks.Fold) for part in marks.fold(marks.spell("".join(LINES))))
    hidden = [*LINES[:4], "a\u200bb\n", *LINES[5:]]
    parts = marks.fold(marks.compare("".join(hidden), "".join([*hidden, "new\n"]))[1])
    assert any(isinstance(part, marks.Piece) and part.code for part in parts)


def test_what_else_the_record_holds_is_named_and_folded(cast: Cast) -> None:
    target = steps.contact(cast, {"full_name": "Ada Lovelace", "city": "LONDON", "country": "GB"})
    row = steps.propose(cast, target, "contact.update", target, {"changes": {"city": "London"}}, agent="contacts")
    shown = page(cast, row)
    assert "<summary>Unchanged: Name, Country</summary>" in shown


# --- a customer's history ----------------------------------------------------------------------------------------


def refund(cast: Cast, amount: int = 1_000) -> Proposal:
    order = steps.order(cast, amount=amount)
    args = steps.refund_args(order, amount=amount)
    return steps.propose(
        cast, steps.ticket(cast, customer="cu-1"), "refund.create", f"order:{order}", args, agent="refunds"
    )  # fmt: skip


def history(cast: Cast, row: Proposal, later: timedelta = timedelta()) -> tuple[str, ...]:
    """As it reads of one proposed so much later."""
    with workspace.within(cast.ws):
        fresh = Proposal.objects.get(pk=row.pk)
        fresh.created_at += later
        return grounds.of(fresh, votes.current(fresh), "").history


FIRST = "First time for this customer: no refund was ever carried out before"


def test_first_time_for_this_customer_is_told(cast: Cast) -> None:
    steps.order(cast)
    assert history(cast, refund(cast)) == (FIRST,)


def test_the_third_refund_for_this_customer_this_week_is_told_and_what_was_rejected_does_not_count(cast: Cast) -> None:
    steps.order(cast)
    first, second, third = refund(cast), refund(cast), refund(cast)
    assert history(cast, third) == (FIRST, "The 3rd refund for this customer within a week")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=second.pk, seen=steps.seen(second), person=cast.id("rosa"), reason="duplicate",
            note="", now=now,
        )  # fmt: skip
    assert history(cast, third) == (FIRST, "The 2nd refund for this customer within a week")
    assert history(cast, first) == (FIRST,)


def test_what_was_carried_out_a_month_ago_is_no_velocity_and_no_first_time(cast: Cast) -> None:
    steps.order(cast)
    done, row = (routed(cast, steps.ticket(cast, customer="cu-1")) for _ in range(2))
    steps.approve(cast, done, "rosa")
    assert steps.apply(cast, done).state == "applied"
    before = "Ticket update carried out for this customer before: 1"
    assert history(cast, row) == (before, "The 2nd ticket update for this customer within a week")
    assert history(cast, row, timedelta(days=30)) == (before,)


# --- the verifier, the run, the citations ------------------------------------------------------------------------


def test_the_verifier_that_agreed_is_told_of_what_the_agent_drafted(cast: Cast) -> None:
    words = "It was held against the records once more, apart from what proposed it, and agrees with them."
    target = steps.ticket(cast)
    row = routed(cast, target, verified=words)
    shown = page(cast, row)
    assert f"<dt>Verifier</dt><dd>{words}</dd>" in shown
    edit(cast, row, {"queue": "refunds_returns", "priority": "P3"})
    assert f"Of the agent's draft, before it was edited: {words}" in page(cast, row)
    assert "Verifier" not in page(cast, routed(cast, steps.ticket(cast)))


def test_the_head_links_the_trace_of_its_run(cast: Cast) -> None:
    row = routed(cast, steps.ticket(cast))
    shown = page(cast, row)
    with workspace.within(cast.ws):
        number = row.submission.run.partition(":")[2]
    head = shown[shown.index('<header class="item-head">') : shown.index('<div class="item-body">')]
    assert f'<a href="/w/{cast.workspace.slug}/runs/{number}/">Trace</a>' in head


TICKET = Ticket(
    "T-1", "cu-1", "", "A matter", "", "P3", "open", messages=(Message(1, "customer", "Where is my kettle?"),)
)  # fmt: skip


def test_a_quote_is_found_where_it_stands_and_anchored_there() -> None:
    evidence = [
        {"source": "ticket:T-1", "quote": "kettle"}, {"source": "ticket:T-1", "quote": "teapot"},
        {"source": "ticket:T-2", "quote": "kettle"},
    ]  # fmt: skip
    around: dict[str, Any] = {"ticket": TICKET, "orders": (), "contact": None, "customer": None}
    assert [anchors.of(one, at, **around) for at, one in enumerate(evidence)] == ["cited-0", "conversation", ""]
    parts = passages.of({}, TICKET, anchors.quoted(evidence, TICKET)).messages[1]
    assert [(part.text, part.cited) for part in parts] == [
        ("Where is my ", ()), ("kettle", ("cited-0",)), ("?", ())
    ]  # fmt: skip


def test_a_citation_leads_to_the_message_the_order_or_the_field_it_cites(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    evidence = [
        {"claim": "They ask", "source": target, "quote": "kettle"},
        {"claim": "It is theirs", "source": f"order:{order}"},
    ]  # fmt: skip
    shown = page(cast, routed(cast, target, evidence=evidence))
    anchor = f"order-{order.removeprefix('#').lower()}"
    for name in ("cited-0", anchor):
        assert f'href="#{name}"' in shown
        assert f'id="{name}"' in shown
    contact = steps.contact(cast, {"city": "LONDON"})
    cited = [{"claim": "In capitals", "source": contact, "quote": "LONDON", "field": "city"}]
    row = steps.propose(
        cast, contact, "contact.update", contact, {"changes": {"city": "London"}}, agent="contacts", evidence=cited
    )  # fmt: skip
    shown = page(cast, row)
    assert 'href="#contact-city"' in shown
    assert 'id="contact-city"' in shown
