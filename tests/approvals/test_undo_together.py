"""Undoing a run, a version of an agent or a window of time together; and how often it comes to that."""

import datetime
import re
import secrets
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agents.models import Run
from approvals import proposals, reversal
from approvals.models import Handoff, Proposal, Receipt, Submission
from approvals.reversal import finding, starting
from portal import models, workspace
from tests.approvals import steps
from tests.approvals.test_undo import applied, by_hand, contact_of, look, sent_refund, start, undone
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def by_agent(
    cast: Cast, agent: str, version: str, target: str, args: dict[str, Any], run: Run | None = None
) -> Proposal:
    """Carried out for an agent at a version, under one run where one is given."""
    run = run or steps.begin_run(cast, target, agent)
    with signed_in("agents"), workspace.within(cast.ws):
        action = "contact.update" if target.startswith("contact:") else "ticket.update"
        submission = proposals.submit(
            workspace=cast.ws, case=run.case_id, kind="action", proposer=f"agent:{agent}", run=f"run:{run.pk}",
            key=secrets.token_hex(4), proposer_version=version,
            payload={"action": action, "target": target, "args": args, "confidence": 0.9, "evidence": [], "flags": []},
        )  # fmt: skip
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        row = Proposal.objects.get(submission=submission)
    steps.approve(cast, row, "rosa")
    return steps.apply(cast, row)


def find(cast: Cast, **wanted: Any) -> reversal.Found:
    with workspace.within(cast.ws):
        return reversal.find(workspace=cast.ws, **wanted)


def ids(found: reversal.Found) -> list[int]:
    return [undo.proposal.pk for undo in found.undos]


def undo_many(cast: Cast, seen: list[tuple[int, str]], name: str = "mara", key: str = "k") -> reversal.Answer:
    with workspace.within(cast.ws, cast.id(name)):
        return reversal.undo_many(workspace=cast.ws, proposals=seen, person=cast.id(name), key=key)


def carry_out(cast: Cast, answer: reversal.Answer) -> list[str]:
    """Gate and apply what was started; the states they end in."""
    states = []
    for line in answer.started:
        with workspace.within(cast.ws):
            submission = Submission.objects.get(pk=line.submission)
        steps.pass_gate(cast, submission)
        with workspace.within(cast.ws):
            row = Proposal.objects.get(submission=submission)
        states.append(steps.apply(cast, row).state)
    return states


def test_a_version_of_an_agent_is_undone_together_and_others_stay(cast: Cast) -> None:
    targets = [steps.contact(cast, {"city": "graz"}) for _ in range(3)]
    bad = [by_agent(cast, "contacts", "2", target, {"changes": {"city": "GRAZ"}}) for target in targets[:2]]
    good = by_agent(cast, "contacts", "1", targets[2], {"changes": {"city": "Graz"}})
    found = find(cast, agent="contacts", version="2")
    assert ids(found) == [bad[1].pk, bad[0].pk]
    assert set(ids(find(cast, agent="contacts"))) == {bad[0].pk, bad[1].pk, good.pk}
    assert ids(find(cast, agent="triage")) == []
    answer = undo_many(cast, [(undo.proposal.pk, undo.content) for undo in found.undos])
    assert [line.proposal for line in answer.started] == [bad[1].pk, bad[0].pk]
    assert (answer.changed, answer.refused) == ((), ())
    assert carry_out(cast, answer) == ["applied", "applied"]
    assert [contact_of(cast, target)["city"] for target in targets] == ["graz", "graz", "Graz"]
    again = find(cast, agent="contacts", version="2")
    assert (again.undos, len(again.apart)) == ((), 2)
    assert "taken back by proposal" in again.apart[0].why


def test_a_run_is_found_by_its_number_with_what_it_changed_and_what_went_out_apart(cast: Cast) -> None:
    target = steps.ticket(cast, customer="")
    run = steps.begin_run(cast, target)
    row = by_agent(cast, "triage", "1", target, {"priority": "P1"}, run)
    by_agent(cast, "triage", "1", target, {"status": "waiting"})
    assert ids(find(cast, run=run.pk)) == [row.pk]
    assert find(cast, run=run.pk + 999).undos == ()


def test_a_window_of_time_holds_what_was_carried_out_in_it_by_anybody(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a"})
    before = applied(cast, target, {"changes": {"city": "Graz"}})
    with workspace.within(cast.ws) as since:
        pass
    inside = applied(cast, target, {"changes": {"email": "b"}})
    refund = sent_refund(cast)
    with workspace.within(cast.ws) as until:
        pass
    after = applied(cast, target, {"changes": {"email": "c"}})
    found = find(cast, since=since, until=until)
    assert (ids(found), [(one.proposal.pk, one.outward) for one in found.apart]) == ([inside.pk], [(refund.pk, True)])
    assert found.undos[0].conflicts[0].first == after.pk
    assert set(ids(find(cast, since=since))) == {inside.pk, after.pk}
    undone(cast, after)
    undone(cast, before)
    # The undo of what lies in the window cancels it; that of what lies before is a change of its own.
    late = find(cast, since=since)
    with workspace.within(cast.ws):
        undo_of_before = Proposal.objects.get(undoes=before)
    assert set(ids(late)) == {inside.pk, undo_of_before.pk}


def test_conflicts_come_first_then_the_newest(cast: Cast) -> None:
    targets = [steps.contact(cast, {"city": "graz", "email": "a"}) for _ in range(3)]
    rows = [applied(cast, target, {"changes": {"city": "Graz", "email": "b"}}, agent="contacts") for target in targets]
    by_hand(cast, targets[0], email="c")
    found = find(cast, agent="contacts")
    assert ids(found) == [rows[0].pk, rows[2].pk, rows[1].pk]
    assert [undo.partial for undo in found.undos] == [True, False, False]


def test_pages_go_on_where_the_last_one_ended(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PAGE", 2)
    target = steps.contact(cast, {"a": "0"})
    rows = [applied(cast, target, {"changes": {f"f{n}": "1"}}, agent="contacts").pk for n in range(5)]
    seen, after = [], None
    for _ in range(3):
        found = find(cast, agent="contacts", after=after)
        seen += ids(found)
        after = found.after
    assert (seen, after) == (sorted(rows, reverse=True), None)


def test_a_page_asks_for_each_record_once_however_often_it_was_changed(cast: Cast) -> None:
    asked = []
    target = steps.contact(cast, {"a": "0"})
    for _ in range(2):
        for _ in range(3):
            applied(cast, target, {"changes": {secrets.token_hex(3): "1"}}, agent="contacts")
        with workspace.within(cast.ws), CaptureQueriesContext(connection) as queries:
            reversal.find(workspace=cast.ws, agent="contacts")
        asked.append(len(queries))
        assert not any(re.search(r"\bcount\(|\boffset\b", query["sql"], re.I) for query in queries)
    assert asked[0] == asked[1] <= 6


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Name a run"),
        ({"version": "2"}, "version: name the agent"),
        ({"since": datetime.datetime(2026, 5, 2), "until": datetime.datetime(2026, 5, 1)}, "until: lies before since"),
    ],
)
def test_a_search_that_names_nothing_is_refused(cast: Cast, wanted: dict[str, Any], words: str) -> None:
    wanted = {k: v.replace(tzinfo=datetime.UTC) if isinstance(v, datetime.datetime) else v for k, v in wanted.items()}
    with pytest.raises(reversal.BadSearch, match=words):
        find(cast, **wanted)


def test_many_at_once_are_answered_one_by_one_newest_first(cast: Cast) -> None:
    contact = steps.contact(cast, {"city": "graz"})
    older = applied(cast, contact, {"changes": {"city": "Graz"}})
    newer = applied(cast, contact, {"changes": {"city": "Wien"}})
    moved_target = steps.contact(cast, {"city": "graz", "email": "a"})
    moved = applied(cast, moved_target, {"changes": {"city": "Graz", "email": "b"}})
    refund, waiting = sent_refund(cast), steps.ticket(cast)
    pending = steps.propose(cast, waiting, "ticket.update", waiting, {"priority": "P1"})
    seen = [(row.pk, look(cast, row).content or "0" * 64) for row in (older, newer, moved)]
    by_hand(cast, moved_target, email="c")
    foreign = applied(other := gather(), steps.ticket(other), {"priority": "P1"})
    answer = undo_many(cast, [*seen, (refund.pk, "0" * 64), (pending.pk, "0" * 64), (foreign.pk, "0" * 64)])
    assert [line.proposal for line in answer.started] == [newer.pk]
    assert [line.proposal for line in answer.changed] == [moved.pk]
    why = {line.proposal: line.words for line in answer.refused}
    assert set(why) == {older.pk, refund.pk, pending.pk, foreign.pk}
    assert f"undo proposal {newer.pk} first" in why[older.pk]
    assert "recovery case" in why[refund.pk]
    assert why[pending.pk] == why[foreign.pk] == "There is no such proposal that was carried out."
    assert carry_out(cast, answer) == ["applied"]
    assert carry_out(cast, undo_many(cast, [(older.pk, look(cast, older).content)], key="again")) == ["applied"]
    assert contact_of(cast, contact) == {"city": "graz"}


def test_the_same_form_twice_starts_nothing_new(cast: Cast) -> None:
    row = applied(cast, steps.ticket(cast), {"priority": "P1"})
    seen = [(row.pk, look(cast, row).content)]
    assert undo_many(cast, seen) == undo_many(cast, seen)
    with workspace.within(cast.ws):
        assert Submission.objects.filter(undoes=row).count() == 1


def test_only_managers_undo_many_and_not_more_than_two_hundred(cast: Cast) -> None:
    row = applied(cast, steps.ticket(cast), {"priority": "P1"})
    seen = [(row.pk, look(cast, row).content)]
    for name in ("rosa", "ada", "odile", "otto"):
        with pytest.raises(reversal.NotAllowed):
            undo_many(cast, seen, name)
    with pytest.raises(reversal.UndoError, match="at most 200"):
        undo_many(cast, [(n, "") for n in range(starting.AT_ONCE + 1)])
    assert len(undo_many(cast, seen).started) == 1


def test_what_changed_between_start_and_gate_is_heard_of_though_nobody_waits_for_it(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz"})
    row = applied(cast, target, {"changes": {"city": "Graz"}})
    answer = undo_many(cast, [(row.pk, look(cast, row).content)])
    by_hand(cast, target, city="Wien")
    with workspace.within(cast.ws):
        submission = Submission.objects.get(pk=answer.started[0].submission)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        assert Handoff.objects.get(submission=submission).reason == "no_undo"


# How often --------------------------------------------------------------------------------------------


def test_the_undo_rate_is_told_by_agent_action_and_version(cast: Cast) -> None:
    target = steps.contact(cast, {"city": "graz", "email": "a", "fax": "1"})
    two = [by_agent(cast, "contacts", "2", target, {"changes": {name: "x"}}) for name in ("city", "email", "fax")]
    ticket = steps.ticket(cast)
    by_agent(cast, "triage", "1", ticket, {"priority": "P1"})
    sent_refund(cast)
    undone(cast, two[0])
    start(cast, two[1])  # started is not undone
    with workspace.within(cast.ws) as now, CaptureQueriesContext(connection) as queries:
        rates = reversal.undo_rate(workspace=cast.ws, since=now - datetime.timedelta(days=30))
    assert len(queries) == 1
    assert [(r.agent, r.action, r.version, r.applied, r.undone, r.rate_pct) for r in rates] == [
        ("contacts", "contact.update", "2", 3, 1, 33.3),
        ("triage", "ticket.update", "1", 1, 0, 0.0),
    ]
    with workspace.within(cast.ws) as now:
        assert reversal.undo_rate(workspace=cast.ws, since=now) == ()
        newest = Receipt.objects.order_by("-pk").first()
        assert newest is not None
        assert newest.applied_at < now


def test_rates_and_lists_stay_inside_their_workspace(cast: Cast) -> None:
    other = gather()
    applied(other, steps.ticket(other), {"priority": "P1"})
    with workspace.within(cast.ws) as now:
        assert reversal.undo_rate(workspace=cast.ws, since=now - datetime.timedelta(days=1)) == ()
    assert find(cast, agent="triage").undos == ()
    with workspace.within(other.ws):
        assert models.Ticket.objects.get().priority == "P1"
    assert len(find(other, agent="triage").undos) == 1
