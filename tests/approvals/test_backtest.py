"""A backtest counts what the thresholds themselves say, over what came in, and shows where people disagreed."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import backtest, backtesting, decisions, revising, risk, thresholds
from approvals.backtest import Judge, Past, Tally
from approvals.models import Proposal
from portal import workspace
from tests.api.calls import browser
from tests.approvals.steps import (
    approve,
    contact,
    order,
    pass_gate,
    propose,
    refund_args,
    seen,
    submit_as_agent,
    ticket,
)
from tests.approvals.test_loosening import rule, values, writes
from tests.approvals.test_sending_back import answer, send_back
from tests.cast import Cast, gather

pasts = st.builds(
    Past, item=st.just("proposal:1"), write=writes, denied=st.booleans(),
    outcome=st.sampled_from(["applied", "rejected", "edited", "undone"]),
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(values, max_size=4), many=st.lists(pasts, max_size=12))
def test_each_write_goes_the_way_the_thresholds_say(rows: list[dict[str, Any]], many: list[Past]) -> None:
    rules = [replace(rule(row), id=f"r{n} v1") for n, row in enumerate(rows)]
    judge = Judge(rules)
    for past in many:
        assert judge.ways(past) == (("never" if past.denied else backtest.way_of(risk.judge(rules, past.write))),)


@settings(max_examples=100, deadline=None)
@given(now=st.lists(values, max_size=3), then=st.lists(values, max_size=3), many=st.lists(pasts, max_size=12))
def test_in_parts_it_counts_the_same(now: list[Any], then: list[Any], many: list[Past]) -> None:
    judge = Judge([rule(row) for row in now], [rule(row) for row in then])
    whole, parts = Tally(), Tally()
    whole.add(many, judge)
    for past in many:
        parts = Tally.of_json(parts.as_json())
        parts.add([past], judge)
    assert parts == whole
    assert whole.total == len(many)


def _loosened(cast: Cast, now: datetime, **change: Any) -> backtesting.Question:
    row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
    values = {name: getattr(row, name) for name in thresholds.COPIED}
    return backtesting.Question(
        cast.ws, row.series, {**values, "people": "automatic", **change}, now - timedelta(days=1),
        thresholds.newest(cast.ws),
    )  # fmt: skip


def _proposed(cast: Cast, name: str, confidence: float = 0.95) -> Proposal:
    target = contact(cast, {"first_name": "cleo"})
    args = {"changes": {"first_name": name}}
    return propose(cast, target, "contact.update", target, args, agent="contacts", confidence=confidence)


def _whole(cast: Cast, part: int = 2, **change: Any) -> tuple[backtesting.Question, Tally]:
    with workspace.within(cast.ws) as now:
        question, progress = _loosened(cast, now, **change), backtesting.begin()
        while progress.behind:
            progress = backtesting.go_on(progress, question, part=part)
    return question, progress.tally


def _items(cast: Cast, question: backtesting.Question, cell: backtest.Cell) -> list[str]:
    with workspace.within(cast.ws):
        return [past.item for past in backtesting.cases(question, cell)[0]]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_what_people_rejected_and_would_now_pass_is_named(cast: Cast) -> None:
    kept, refused, unsure = (_proposed(cast, name, sure) for name, sure in (("Ann", 0.95), ("Bea", 0.95), ("Cy", 0.5)))
    approve(cast, kept, "rosa")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=refused.pk, seen=seen(refused), person=cast.id("rosa"), now=now,
            reason="wrong_value", note="",
        )  # fmt: skip
    question, tally = _whole(cast)
    assert dict(tally.moves) == {("one", "alone"): 2, ("one", "one"): 1}
    assert dict(tally.regrets) == {("one", "alone", "rejected"): 1}
    alone = backtest.Cell("one", "alone")
    assert _items(cast, question, replace(alone, outcome="rejected")) == [f"proposal:{refused.pk}"]
    assert _items(cast, question, alone) == [f"proposal:{refused.pk}", f"proposal:{kept.pk}"]
    assert len(_items(cast, question, replace(alone, kind="agent", name="contacts"))) == 2
    assert _items(cast, question, replace(alone, kind="agent", name="refunds")) == []
    assert unsure.state == "pending"


def test_what_people_did_counts_where_fewer_of_them_would_see_it_and_is_told_apart() -> None:
    def went(confidence: int, outcome: str) -> Past:
        write = risk.Write("contact.update", "agent", "contacts", None, "", confidence, reversible=True)
        return Past("proposal:1", write, denied=False, outcome=outcome)

    two = risk.Rule("now", "contact.update", "low", "two")
    tally = Tally()
    outcomes = ("rejected", "edited", "undone", "applied")
    tally.add([went(90, one) for one in outcomes], Judge([two], [replace(two, people="one")]))
    tally.add([went(90, one) for one in outcomes], Judge([two], [replace(two, people="automatic")]))
    tally.add([went(90, one) for one in outcomes], Judge([replace(two, people="one")], [two]))
    counted = {("two", then, one): 1 for then in ("one", "alone") for one in backtest.REGRETS}
    assert dict(tally.regrets) == counted, "never where more people would see it"
    assert (tally.regretted(alone=True), tally.regretted(alone=False)) == (3, 3)


def test_what_an_earlier_version_kept_of_it_is_still_read() -> None:
    kept = {"moves": [["one", "alone", 2]], "money": [], "groups": [], "regrets": [["one", "rejected", 2]]}
    tally = Tally.of_json(kept)
    assert dict(tally.regrets) == {("one", "alone", "rejected"): 2}
    assert Tally.of_json(tally.as_json()) == tally


def test_from_two_people_to_one_the_page_says_what_people_had_rejected(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        row = thresholds.set_threshold(
            workspace=cast.ws, series="contact-update", actor="system:test", now=now, action="contact.update",
            tier="low", people="two",
        )  # fmt: skip
    refused = _proposed(cast, "Bea")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        decisions.reject(
            workspace=cast.ws, proposal=refused.pk, seen=seen(refused), person=cast.id("rosa"), now=now,
            reason="wrong_value", note="",
        )  # fmt: skip
    done = _post(cast, "ada", {**FORM, "people": "one", "row": str(row.pk)})
    html = done.content.decode()
    assert "rejected, edited or undone 1 of what fewer people would see than now" in html
    assert "of what nobody would see any more" not in html
    ((said, count, href),) = done.context["moves"][0].regrets
    assert (said, count) == ("rejected", 1)
    assert "Correct first name" in browser(cast, "ada").get(href).content.decode()


def test_what_came_in_is_judged_and_not_what_an_agent_made_of_it_when_sent_back(cast: Cast) -> None:
    target = ticket(cast)
    row = propose(cast, target, "ticket.update", target, {"priority": "P1"}, confidence=0.5, flags=("unclear",))
    sent_back = send_back(cast, row)
    answer(cast, row, sent_back, {"priority": "P2"}, confidence=0.99)
    with workspace.within(cast.ws) as now:
        question = replace(_loosened(cast, now), series="ticket-update")
        (past,), _ = backtesting.read(question, backtesting.begin().behind, 9)
    assert (past.write.confidence_pct, past.write.flags, past.outcome) == (50, ("unclear",), "pending")


def test_an_edited_refund_counts_by_the_amount_that_came_in(cast: Cast) -> None:
    number = order(cast, besides=700)
    target = ticket(cast, customer="cu-1")
    args = refund_args(number) | {"item_ids": ["i-1", "i-2"], "amount_minor": 5_210}
    row = propose(cast, target, "refund.create", f"order:{number}", args, agent="refunds")
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws,
            proposal=row.pk,
            seen=seen(row),
            person=cast.id("rosa"),
            args=refund_args(number),
            now=now,
        )
        question = _loosened(cast, now)
        (past,), _ = backtesting.read(question, backtesting.begin().behind, 9)
    assert (past.write.amount_minor, past.outcome) == (5_210, "edited")


def test_what_a_threshold_gave_to_a_person_is_among_it_with_its_flags(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="contact-update", actor="system:test", now=now, action="contact.update",
            tier="low", people="never",
        )  # fmt: skip
    target = contact(cast, {"first_name": "cleo"})
    made = submit_as_agent(
        cast, target, "contact.update", target, {"changes": {"first_name": "Ann"}}, agent="contacts", flags=("unclear",)
    )
    pass_gate(cast, made)
    question, tally = _whole(cast)
    assert dict(tally.moves) == {("never", "one"): 1}, "flagged, so that it does not pass alone"
    with workspace.within(cast.ws):
        (past,), more = backtesting.cases(question, backtest.Cell("never", "one"))
    assert (past.item.partition(":")[0], past.write.flags, more) == ("handoff", ("unclear",), "")


FORM = {
    "action": "contact.update", "proposer_kind": "", "agent": "", "currency": "", "above": "", "up_to": "",
    "tier": "low", "people": "automatic", "second_role": "", "confidence_floor_pct": "80", "hold_seconds": "0",
    "fresh_minutes": "1440",
}  # fmt: skip


def _post(cast: Cast, name: str, form: dict[str, str]) -> Any:
    return browser(cast, name).post(f"/w/{cast.workspace.slug}/admin/approvals/threshold/backtest/", form)


def test_an_admin_sees_it_before_saving_and_nothing_is_saved(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Ann", "Bea", "Cy"):
        _proposed(cast, name)
    with workspace.within(cast.ws):
        row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
    answer = _post(cast, "ada", {**FORM, "row": str(row.pk)})
    assert "3 writes of the last 90 days; 3 would have gone another way" in answer.content.decode()
    monkeypatch.setattr(backtesting.go_on, "__kwdefaults__", {"part": 2})  # as if there were many
    first = _post(cast, "ada", {**FORM, "row": str(row.pk)})
    assert "Looked at 2" in first.content.decode()
    last = _post(cast, "ada", {"token": first.context["token"]})
    assert "3 would have gone another way" in last.content.decode()
    assert _post(cast, "anton", {"token": first.context["token"]}).status_code == 403
    with workspace.within(cast.ws):
        assert [row.version for row in thresholds.in_force(cast.ws) if row.series == "contact-update"] == [1]


def test_it_can_be_stopped_and_gone_on_with(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("Ann", "Bea", "Cy"):
        _proposed(cast, name)
    with workspace.within(cast.ws):
        row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
    monkeypatch.setattr(backtesting.go_on, "__kwdefaults__", {"part": 2})  # as if there were many
    first = _post(cast, "ada", {**FORM, "row": str(row.pk)})
    assert "load, submit" in first.content.decode()
    stopped = _post(cast, "ada", {"token": first.context["token"], "stop": "1"})
    html = stopped.content.decode()
    assert "Stopped; nothing of it is kept. Looked at 2" in html
    assert "load, submit" not in html, "nothing goes on by itself"
    assert _post(cast, "anton", {"token": first.context["token"], "stop": "1"}).status_code == 403
    last = _post(cast, "ada", {"token": stopped.context["token"]})
    assert "3 would have gone another way" in last.content.decode()


def test_a_form_that_does_not_hold_is_named_and_who_may_not_save_gets_none(cast: Cast) -> None:
    assert "Currency: " in _post(cast, "ada", {**FORM, "currency": "XXQ"}).content.decode()
    assert _post(cast, "mara", FORM).status_code == 403
    assert _post(cast, "rosa", FORM).status_code == 404


def test_each_figure_leads_to_its_cases_for_whoever_may_read(cast: Cast) -> None:
    _proposed(cast, "Ann")
    with workspace.within(cast.ws):
        row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
    done = _post(cast, "ada", {**FORM, "row": str(row.pk)})
    href = done.context["moves"][0].href
    for name in ("ada", "mara", "odile"):
        assert "Correct first name" in browser(cast, name).get(href).content.decode()
    assert browser(cast, "rosa").get(href).status_code == 404
    other = gather()
    assert browser(other, "ada").get(href.replace(cast.workspace.slug, other.workspace.slug)).status_code == 400
    for wrong in ("now=x&then=one", "now=one&then=alone&q=forged", "now=one&then=alone&behind=case:1"):
        page = f"/w/{cast.workspace.slug}/admin/approvals/threshold/cases/?{wrong}"
        assert browser(cast, "ada").get(page).status_code == 400, wrong


def test_one_write_is_told_in_the_singular(cast: Cast) -> None:
    _proposed(cast, "Ann")
    with workspace.within(cast.ws):
        row = next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")
    answer = _post(cast, "ada", {**FORM, "row": str(row.pk)})
    assert "1 write of the last 90 days; 1 would have gone another way" in answer.content.decode()
