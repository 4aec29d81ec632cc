"""The managers' round: by reason, with clocks, money and backlog; notes for who comes next."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import asides, escalations, matters, overseeing, shifts
from approvals.escalations import Escalations
from approvals.models import Case, Claim, ShiftNote
from audit.models import Entry
from portal import hours, workspace, worktime
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import due_in, propose, propose_handoff, section
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Iterator[Cast]:
    return gather()


def found(cast: Cast) -> Escalations:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        return escalations.escalations(workspace=cast.ws, now=now)


def test_an_empty_workspace_is_told_what_would_stand_there(cast: Cast) -> None:
    page = text(sit_down(cast, "mara").get("/escalations/"))
    assert "Nothing is escalated" in page
    assert "No agent moved money today" in section(page, "money")
    assert "Nobody left a note" in section(page, "notes")


def test_hand_offs_stand_by_their_reason_and_the_group_with_most_overdue_comes_first(cast: Cast) -> None:
    late, soon, paused = (propose_handoff(cast) for _ in range(3))
    due_in(cast, late, timedelta(minutes=-5))
    due_in(cast, soon, timedelta(minutes=30))
    due_in(cast, paused, timedelta(minutes=-50))
    with workspace.within(cast.ws) as now:
        Case.objects.filter(pk=paused.case_id).update(waiting_since=now)
    (group,) = found(cast).groups
    assert (group.name, group.total, group.breached, group.soon) == ("data", 3, 1, 1)
    page = text(sit_down(cast, "mara").get("/escalations/"))
    assert "1 overdue" in section(page, "group-data")
    assert section(page, "group-data").count("customer's turn") == 1


def test_the_clock_of_the_round_runs_in_working_time(cast: Cast) -> None:
    """As on a Friday evening: today and tomorrow the desk is closed."""
    with workspace.within(cast.ws, cast.id("ada")) as now:
        today = now.astimezone(UTC).date()
        hours.set_hours(
            workspace=cast.workspace, time_zone="UTC", now=now, actor="x",
            hours={day: ["08:00", "18:00"] for day in worktime.DAYS},
            closed_on=[(today + timedelta(days=number)).isoformat() for number in range(2)],
        )  # fmt: skip
    opens = datetime.combine(today + timedelta(days=2), time(8), UTC)
    soon, later = propose_handoff(cast), propose_handoff(cast)
    for row, minutes in ((soon, 45), (later, 90)):
        due_in(cast, row, opens + timedelta(minutes=minutes) - now)
    (group,) = found(cast).groups
    assert (group.breached, group.soon) == (0, 1)
    mara = sit_down(cast, "mara")
    round_, late = text(mara.get("/escalations/")), section(text(mara.get("/manage/")), "late")
    assert "45 min left" in section(round_, "group-data")
    assert "1 h 30 min left" in section(round_, "group-data")
    assert "45 min left" in late
    assert "30 min left" not in late
    assert "45 min left" in text(mara.get("/?state=handoffs"))


def test_what_a_person_calls_a_manager_to_comes_first_in_their_words(cast: Cast) -> None:
    row = propose(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        asides.escalate(
            workspace=cast.ws, item=f"proposal:{row.pk}", reason="They threaten to sue.", person=cast.id("rosa"),
            now=now,
        )  # fmt: skip
    page = text(sit_down(cast, "mara").get("/escalations/"))
    assert "They threaten to sue." in section(page, "wanted")
    assert "Nothing is escalated" not in page


def test_what_people_escalate_stands_by_what_it_is_a_matter_of(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    rosa, asked = (
        sit_down(cast, "rosa"),
        (("money", "Twice as much."), ("abuse", "They threaten."), ("money", "Again.")),
    )
    for matter, why in asked:
        item = f"proposal:{propose(cast).pk}"
        assert "What is it a matter of?" in text(rosa.get(f"/proposals/{item[9:]}/"))
        for wrong in ("", "late", "nonsense"):
            answer = rosa.post(f"/claims/{item}/escalate/", {"matter": wrong, "why": why})
            assert answer.status_code == 422
            assert "Choose what it is a matter of." in text(answer)
            assert why in text(answer)
        assert rosa.post(f"/claims/{item}/escalate/", {"matter": matter, "why": why}).status_code == 302
    assert "</b> Money. Again." in text(rosa.get(f"/proposals/{item[9:]}/"))
    mara = sit_down(cast, "mara")
    parts = section(text(mara.get("/escalations/")), "wanted").split("<h3>")[1:]
    assert [part.partition("<")[0] for part in parts] == ["Money", "Abuse"]
    assert [[why in part for _matter, why in asked] for part in parts] == [[True, False, True], [False, True, False]]
    assert "More in the queue" not in text(mara.get("/escalations/"))
    monkeypatch.setattr(overseeing, "MOST", 2)
    page = section(text(mara.get("/escalations/")), "wanted")
    assert "?view=escalated" in page
    assert "?state=handoffs&amp;view=escalated" in page
    with workspace.within(cast.ws):
        said = [
            json.loads(row.canonical)["body"] for row in Entry.objects.filter(event="item.escalated").order_by("pk")
        ]
    assert [body["matter"] for body in said] == [matter for matter, _why in asked]
    assert mara.post(f"/claims/{item}/settle/").status_code == 302
    with workspace.within(cast.ws):
        assert Claim.objects.get(item=item).matter == ""


@pytest.mark.parametrize(
    ("reason", "group"), [("policy", "policy"), ("daily_cap", "money"), ("injection", "abuse"), ("expired", "late"),
                          ("missing_data", "data"), ("never heard of", "unclear")]
)  # fmt: skip
def test_every_reason_has_a_group(reason: str, group: str) -> None:
    assert matters.group_of(reason) == group


def test_money_is_what_counts_against_the_caps_of_today(cast: Cast) -> None:
    for amount in (4_510, 1_000):
        order, case = steps.order(cast, amount=amount), steps.ticket(cast, customer="cu-1")
        args = steps.refund_args(order, amount=amount)
        last = steps.propose(cast, case, "refund.create", f"order:{order}", args, agent="refunds")
    steps.approve(cast, last, "rosa")
    steps.apply(cast, last)
    (money,) = found(cast).money
    assert (money.agent, money.sent_writes, money.waiting_writes) == ("Refunds agent", 1, 1)
    assert "10.00" in money.sent
    assert "45.10" in money.waiting


def test_the_backlog_says_when_it_is_due_and_what_a_day_brings(cast: Cast) -> None:
    over, tomorrow, decided = (propose(cast) for _ in range(3))
    due_in(cast, over, timedelta(minutes=-5))
    due_in(cast, tomorrow, timedelta(days=3))
    steps.approve(cast, decided, "rosa")
    backlog = found(cast).backlog
    assert (backlog.overdue, backlog.later, backlog.came, backlog.went) == (1, 1, 3, 1)
    assert backlog.expected == backlog.overdue + backlog.today + backlog.tomorrow + backlog.later + 2


def test_what_waits_for_its_customer_hides_nothing_that_is_overdue(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(escalations, "LOOKED_AT", 1)
    paused, over = propose(cast), propose(cast)
    for row, minutes in ((paused, -9), (over, -5)):
        due_in(cast, row, timedelta(minutes=minutes))
    with workspace.within(cast.ws) as now:
        Case.objects.filter(pk=paused.case_id).update(waiting_since=now)
    assert (found(cast).backlog.overdue, found(cast).backlog.paused) == (1, 1)


def test_what_waits_for_its_customer_is_not_overdue_in_the_backlog(cast: Cast) -> None:
    over, paused, handed = propose(cast), propose(cast), propose_handoff(cast)
    for row in (over, paused, handed):
        due_in(cast, row, timedelta(minutes=-5))
    with workspace.within(cast.ws) as now:
        Case.objects.filter(pk__in=[paused.case_id, handed.case_id]).update(waiting_since=now)
    backlog = found(cast).backlog
    assert (backlog.overdue, backlog.paused) == (1, 2)
    assert backlog.expected == 3 + backlog.came - backlog.went
    page = section(text(sit_down(cast, "mara").get("/escalations/")), "backlog")
    assert "Waiting for the customer</th><td>2<" in page


def test_the_page_costs_a_fixed_number_of_statements(cast: Cast) -> None:
    desk, counts = sit_down(cast, "mara"), []
    for _ in range(2):
        for _ in range(3):
            propose_handoff(cast)
        with CaptureQueriesContext(connection) as captured:
            assert desk.get("/escalations/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_a_manager_gives_an_item_away_and_comes_back_to_the_round(cast: Cast) -> None:
    row = propose_handoff(cast)
    answer = sit_down(cast, "mara").post(
        "/manage/assign/", {"item": f"handoff:{row.pk}", "to": cast.id("ravi"), "back": "escalations"}
    )
    assert answer.headers["Location"].endswith("/escalations/")
    assert "Ravi" in section(text(sit_down(cast, "mara").get("/escalations/")), "group-data")


def test_a_holding_message_begins_with_its_text(cast: Cast) -> None:
    row = propose_handoff(cast)
    page = text(sit_down(cast, "mara").get(f"/cases/{row.case_id}/new/ticket.reply/?text=holding"))
    assert "A colleague is looking into it" in page
    assert "A colleague" not in text(sit_down(cast, "mara").get(f"/cases/{row.case_id}/new/ticket.reply/?text=other"))


def test_reviewers_do_not_make_the_round(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    assert desk.get("/escalations/").status_code == 403
    assert "/escalations/" not in text(desk.get("/notes/"))


# Notes ---------------------------------------------------------------------------------------------------


def test_a_note_stays_until_somebody_settles_it_and_both_are_on_the_log(cast: Cast) -> None:
    row = propose(cast)
    mara, ada = sit_down(cast, "mara"), sit_down(cast, "ada")
    assert mara.post("/notes/leave/", {"text": " Parcels\nare late ", "case": row.case_id}).status_code == 302
    page = section(text(ada.get("/escalations/")), "notes")
    assert "Parcels are late" in page
    assert f"/cases/{row.case_id}/" in page
    with workspace.within(cast.ws):
        note = ShiftNote.objects.get()
    for desk in (ada, mara):
        assert desk.post(f"/notes/{note.pk}/settle/").status_code == 302
    assert "Parcels" not in text(mara.get("/escalations/"))
    with workspace.within(cast.ws):
        told = Entry.objects.filter(subject=f"shift-note:{note.pk}").order_by("version")
        assert list(told.values_list("event", "actor")) == [
            ("shift.noted", f"person:{cast.id('mara')}"), ("shift.settled", f"person:{cast.id('ada')}"),
        ]  # fmt: skip
        assert "Parcels" not in told[0].canonical


@pytest.mark.parametrize(
    ("said", "field"), [({"text": " "}, "text"), ({"text": "x" * 501}, "text"), ({"text": "x", "case": "99999999"},
    "case"), ({"text": "x", "case": "T-1"}, "case")]
)  # fmt: skip
def test_a_note_that_cannot_be_kept_names_its_field_and_keeps_what_was_written(
    cast: Cast, said: dict[str, str], field: str
) -> None:
    answer = sit_down(cast, "mara").post("/notes/leave/", said)
    assert answer.status_code == 422
    assert f"{field}:" in text(answer)
    assert said["text"].strip() in text(answer)
    with workspace.within(cast.ws):
        assert not ShiftNote.objects.exists()


def test_a_reviewer_tells_the_next_shift_on_the_page_of_the_case(cast: Cast) -> None:
    row, other = propose(cast), propose(cast)
    rosa, ravi, where = sit_down(cast, "rosa"), sit_down(cast, "ravi"), f"/cases/{row.case_id}/"
    page = section(text(rosa.get(where)), "notes")
    assert f'name="case" value="{row.case_id}"' in page
    assert 'inputmode="numeric"' not in page
    answer = rosa.post("/notes/leave/", {"text": "They call back at nine.", "case": row.case_id, "back": "case"})
    assert answer["Location"].endswith(where)
    assert rosa.post("/notes/leave/", {"text": "The printer is out."})["Location"].endswith("/notes/")
    assert "They call back" in section(text(ravi.get(where)), "notes")
    assert "printer" not in text(ravi.get(where))
    assert "They call back" not in text(ravi.get(f"/cases/{other.case_id}/"))
    notes = text(ravi.get("/notes/"))
    assert "They call back" in notes
    assert "The printer is out." in notes
    assert where in notes
    assert "/notes/" in text(ravi.get("/"))
    assert "/notes/" in text(ravi.get("/cases/"))
    with workspace.within(cast.ws):
        note = ShiftNote.objects.get(case=row.case_id)
    assert ravi.post(f"/notes/{note.pk}/settle/", {"back": "case"})["Location"].endswith(where)
    assert "They call back" not in section(text(rosa.get(where)), "notes")


def test_a_note_on_a_case_that_cannot_be_kept_is_still_about_it(cast: Cast) -> None:
    row = propose(cast)
    answer = sit_down(cast, "rosa").post("/notes/leave/", {"text": "x" * 501, "case": row.case_id, "back": "case"})
    assert answer.status_code == 422
    assert f'name="case" value="{row.case_id}"' in text(answer)


def test_an_auditor_reads_notes_and_leaves_none(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        note = shifts.leave(workspace=cast.ws, person=cast.id("rosa"), text="Ours.", case=None, now=now)
    odile = sit_down(cast, "odile")
    assert "Ours." in text(odile.get("/notes/"))
    assert "Leave the note" not in text(odile.get("/notes/"))
    assert odile.post("/notes/leave/", {"text": "x"}).status_code == 403
    assert odile.post(f"/notes/{note.pk}/settle/").status_code == 403
    with workspace.within(cast.ws):
        assert ShiftNote.objects.get().closed_at is None


def test_a_note_of_another_workspace_is_not_there(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        note = shifts.leave(workspace=cast.ws, person=cast.id("mara"), text="Ours.", case=None, now=now)
    other = gather()
    assert sit_down(other, "mara").post(f"/notes/{note.pk}/settle/").status_code == 404


def test_the_database_lets_nobody_rewrite_a_note(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        note = shifts.leave(workspace=cast.ws, person=cast.id("mara"), text="Ours.", case=None, now=now)
    for role in ("web", "apply", "agents"):
        with signed_in(role), pytest.raises(Exception, match="permission denied"), workspace.within(cast.ws):
            ShiftNote.objects.filter(pk=note.pk).update(text="Theirs.")
