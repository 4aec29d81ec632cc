"""A hand-off that was resolved by mistake: who may open it again, how long, and what is told of it."""

import json
from datetime import timedelta

import pytest
from django.db.models import F

from approvals import deadlines, handoffs
from approvals.models import Claim, Handoff, Proposal
from audit.models import Entry
from portal import hours, workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_deeds import told
from tests.approvals.test_time import EVERY, pause, percents, resume, set_hours
from tests.approvals.test_time_pages import handed, proposed
from tests.approvals.test_transition import refused
from tests.approvals.test_undo import recover, sent_refund
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def resolved(cast: Cast) -> Handoff:
    """Rosa resolved it."""
    row = handed(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        return handoffs.resolve(
            workspace=cast.ws, handoff=row.pk, person=cast.people["rosa"], outcome="Wrong one.", now=now
        )  # fmt: skip


def reopen(cast: Cast, row: Handoff, name: str, *, later: int = 0) -> Handoff:
    with workspace.within(cast.ws, cast.id(name)) as now:
        return handoffs.reopen(
            workspace=cast.ws, handoff=row.pk, person=cast.people[name], now=now + timedelta(seconds=later)
        )  # fmt: skip


def test_who_resolved_it_opens_it_again_within_a_minute(cast: Cast, resolved: Handoff) -> None:
    row = reopen(cast, resolved, "rosa", later=30)
    assert (row.state, row.version, row.outcome, row.resolved_by) == ("open", resolved.version + 1, "", None)
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"handoff:{row.pk}", version=row.version)
        assert (entry.event, entry.actor) == ("handoff.reopened", f"person:{cast.id('rosa')}")
        assert Claim.objects.filter(item=f"handoff:{row.pk}").exists()  # in the queue again


def test_later_or_for_others_it_takes_a_manager(cast: Cast, resolved: Handoff) -> None:
    for name, later in (("rosa", 90), ("ravi", 0)):
        with pytest.raises(handoffs.NotYours, match="Only a manager reopens it now"):
            reopen(cast, resolved, name, later=later)
    with pytest.raises(handoffs.NotYours, match="Only reviewers and managers"):
        reopen(cast, resolved, "odile")
    assert reopen(cast, resolved, "mara", later=3600).state == "open"
    with pytest.raises(handoffs.StillOpen):
        reopen(cast, resolved, "mara")


def test_the_minute_begins_with_the_last_time_it_was_resolved(cast: Cast, resolved: Handoff) -> None:
    reopen(cast, resolved, "mara")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        handoffs.resolve(workspace=cast.ws, handoff=resolved.pk, person=cast.people["ravi"], outcome="So.", now=now)
    with pytest.raises(handoffs.NotYours):
        reopen(cast, resolved, "rosa")
    assert reopen(cast, resolved, "ravi").state == "open"


def test_the_toast_undoes_it_and_the_page_has_a_button(cast: Cast) -> None:
    row, rosa = handed(cast), sit_down(cast, "rosa")
    where = f"/handoffs/{row.pk}/"
    address = f'action="/w/{cast.workspace.slug}{where}reopen/'
    said = told(rosa, f"{where}resolve/", {"outcome": "Called them."})
    assert "Resolved." in said
    assert address in said
    assert 'data-key="u">Undo</button>' in said
    assert [address in text(desk.get(where)) for desk in _three(cast)] == [True, False, True]
    undone = told(rosa, f"{where}reopen/")
    assert "Reopened." in undone
    assert "<form" not in undone
    page = text(rosa.get(where))
    assert "What came of it" in page
    assert address not in page
    assert rosa.post(f"{where}reopen/").status_code == 409


def test_a_refusal_says_why(cast: Cast, resolved: Handoff) -> None:
    answer = sit_down(cast, "ravi").post(f"/handoffs/{resolved.pk}/reopen/")
    assert answer.status_code == 403
    assert "Only a manager reopens it now." in text(answer)
    said = text(sit_down(cast, "ravi").get(f"/?deed=resolved:handoff:{resolved.pk}"))
    assert "Resolved." in said
    assert f"/handoffs/{resolved.pk}/reopen/" not in said


# When it is due ---------------------------------------------------------------------------------------


def test_it_has_its_whole_time_again_in_working_hours(cast: Cast, resolved: Handoff) -> None:
    set_hours(cast, hours={day: ["09:00", "17:00"] for day in EVERY})
    row = reopen(cast, resolved, "mara", later=9 * 24 * 3600)
    with workspace.within(cast.ws):
        entry = Entry.objects.get(subject=f"handoff:{row.pk}", version=row.version)
        due = deadlines.urgency(hours.of(cast.ws), entry.at, deadlines.HANDOFF_DUE)
        assert Handoff.objects.get(pk=row.pk).urgency == due > resolved.urgency
        assert Claim.objects.get(item=f"handoff:{row.pk}").urgency == due
        assert json.loads(entry.canonical)["body"] == {"due": deadlines.moment(due).isoformat()}
    assert percents(cast, f"handoff:{row.pk}") == []


def test_what_was_due_at_once_is_so_still(cast: Cast) -> None:
    about = proposed(cast)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        row = handoffs.open_for(about, reason="bounced", summary="It came back.", now=now, found={})
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        handoffs.resolve(workspace=cast.ws, handoff=row.pk, person=cast.people["rosa"], outcome="So.", now=now)
    assert reopen(cast, row, "mara", later=9 * 24 * 3600).urgency == row.urgency


def test_while_its_case_waits_for_the_customer_what_it_waits_is_added_once(cast: Cast, resolved: Handoff) -> None:
    set_hours(cast, hours={day: ["09:00", "17:00"] for day in EVERY})
    since = pause(cast, resolved.case_id, timedelta(days=1))
    reopen(cast, resolved, "mara", later=3 * 24 * 3600)
    until = since + timedelta(days=5)
    resume(cast, resolved.case_id, until)
    with workspace.within(cast.ws):
        due = deadlines.urgency(hours.of(cast.ws), until, deadlines.HANDOFF_DUE)
        assert abs(Handoff.objects.get(pk=resolved.pk).urgency - due) < 2


def test_nobody_puts_an_open_one_off(cast: Cast) -> None:
    row = handed(cast)
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS004", "web"):
        Handoff.objects.filter(pk=row.pk).update(urgency=F("urgency") + 1)
    with workspace.within(cast.ws, cast.id("rosa")), refused("CS004", "web"):
        Handoff.objects.filter(pk=row.pk).update(state="resolved", urgency=F("urgency") + 1)


# Recovery cases ---------------------------------------------------------------------------------------


def test_beside_another_recovery_case_it_stays_resolved(cast: Cast) -> None:
    sent = sent_refund(cast)
    first, second = (_resolved_recovery(cast, sent) for _ in range(2))
    desk = sit_down(cast, "mara")
    assert desk.post(f"/handoffs/{second.pk}/reopen/").status_code == 302
    answer = desk.post(f"/handoffs/{first.pk}/reopen/")
    assert answer.status_code == 409
    assert f"A recovery case of this is open already: hand-off {second.pk}." in text(answer)
    with workspace.within(cast.ws):
        assert Handoff.objects.get(pk=first.pk).state == "resolved"


def test_beside_one_that_the_gate_opens_just_now_it_stays_resolved(cast: Cast) -> None:
    sent = sent_refund(cast)
    first = _resolved_recovery(cast, sent)
    recover(cast, sent, "ravi")
    with pytest.raises(handoffs.StillOpen, match="the gate opens it just now"):
        reopen(cast, first, "mara")


def _resolved_recovery(cast: Cast, sent: Proposal) -> Handoff:
    submission = recover(cast, sent)
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        row = Handoff.objects.get(submission=submission)
        return handoffs.resolve(
            workspace=cast.ws, handoff=row.pk, person=cast.people["rosa"], outcome="They sent it back.", now=now
        )  # fmt: skip


def _three(cast: Cast) -> list[Desk]:
    return [sit_down(cast, name) for name in ("rosa", "ravi", "mara")]
