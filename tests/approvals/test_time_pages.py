"""Time on the pages: what is left in working time, what waits, what is in breach, what the customer wrote since."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.template import Context

from approvals import conversations, deadlines, sweeper, times, waiting
from approvals.models import Case, Handoff, Mark, Outbox, Proposal, Submission
from portal import hours as working
from portal import models, workspace, worktime
from portal.templatetags import clock
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    return gather()


def proposed(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def handed(cast: Cast) -> Handoff:
    target = steps.ticket(cast)
    steps.pass_gate(cast, steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"}))
    with workspace.within(cast.ws):
        return Handoff.objects.select_related("case").latest("pk")


def go_on(cast: Cast) -> None:
    with workspace.within(cast.ws):
        entry = Outbox.objects.get(task="approvals.tasks.resume").object_id
    with signed_in("apply"):
        waiting.resume(workspace=cast.ws, entry=entry)


def test_a_case_waits_and_goes_on_by_a_button(cast: Cast) -> None:
    row, desk = handed(cast), sit_down(cast, "rosa")
    where = f"/handoffs/{row.pk}/"
    assert "Wait for the customer" in text(desk.get(where))
    answer = desk.post(f"/cases/{row.case_id}/wait/", {"item": f"handoff:{row.pk}"})
    assert answer["Location"].endswith(where)
    page = text(desk.get(where))
    assert "waiting for the customer since" in page
    assert "customer's turn" in page  # in the list beside it
    assert "waiting for the customer since" in text(desk.get(f"/cases/{row.case_id}/"))
    assert desk.post(f"/cases/{row.case_id}/go-on/")["Location"].endswith(f"/cases/{row.case_id}/")
    go_on(cast)
    assert "waiting for the customer since" not in text(desk.get(where))
    story = text(desk.get(f"/cases/{row.case_id}/"))
    assert "Waits for the customer" in story
    assert "Goes on" in story


@pytest.mark.parametrize("item", ["", "//evil.example", "proposal:x", "case:1", f"proposal:{'9' * 40}"])
def test_the_way_back_is_an_address_of_ours(cast: Cast, item: str) -> None:
    row = handed(cast)
    answer = sit_down(cast, "rosa").post(f"/cases/{row.case_id}/wait/", {"item": item})
    assert answer["Location"] == f"/w/{cast.workspace.slug}/cases/{row.case_id}/"


def test_only_who_decides_pauses_and_only_here(cast: Cast) -> None:
    row, other = handed(cast), gather()
    assert sit_down(cast, "odile").post(f"/cases/{row.case_id}/wait/").status_code == 403
    assert sit_down(other, "rosa").post(f"/cases/{row.case_id}/wait/").status_code == 404
    assert sit_down(cast, "rosa").get(f"/cases/{row.case_id}/wait/").status_code == 405
    with workspace.within(cast.ws):
        assert Case.objects.get(pk=row.case_id).waiting_since is None


def test_what_is_left_counts_working_time(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        today = now.astimezone(UTC).date()
        working.set_hours(
            workspace=cast.workspace, time_zone="UTC", now=now, actor="x",
            hours={day: ["00:00", "24:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
            closed_on=[(today + timedelta(days=number)).isoformat() for number in range(2)],
        )  # fmt: skip
    row = proposed(cast)
    page = text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))
    assert "24 h left" in page
    assert "in working time" in page


def test_marks_breach_and_lost_freshness_are_said(cast: Cast) -> None:
    row, late = proposed(cast), handed(cast)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        sweeper.look(workspace=cast.ws, now=now + timedelta(hours=13))
    desk = sit_down(cast, "rosa")
    story = text(desk.get(f"/cases/{row.case_id}/"))
    assert "50% of its time" in story
    with workspace.within(cast.ws) as now:
        assert Mark.objects.filter(item=f"handoff:{late.pk}").count() == 3
        hand = Handoff.objects.select_related("case").get(pk=late.pk)
        again = Proposal.objects.select_related("case").get(pk=row.pk)
        standing = times.of(hand, worktime.ALWAYS, now + timedelta(hours=9))
        stale = times.of(again, worktime.ALWAYS, row.fresh_until + timedelta(minutes=1))
        half = times.of(again, worktime.ALWAYS, now + timedelta(hours=13))
        assert half is not None
        assert (half.late, half.used) == (False, 50)
        assert standing is not None
        assert stale is not None
        assert (standing.late, standing.used, stale.unfresh) == (True, 100, True)


def test_what_the_customer_wrote_since_shows_at_once(cast: Cast) -> None:
    row, hand, desk = proposed(cast), handed(cast), sit_down(cast, "rosa")
    assert times.WROTE[1] not in text(desk.get("/"))
    with workspace.within(cast.ws):
        subjects = [Case.objects.get(pk=key).subject for key in (row.case_id, hand.case_id)]
        tickets = [models.Ticket.objects.get(ticket_id=s.partition(":")[2]).external_id for s in subjects]
    for ticket in tickets:
        with workspace.within(cast.ws, cast.id("ada")) as now:
            conversations.receive(
                workspace=cast.ws, ticket=ticket, external_id="m-1", text="It works again!", actor="x", now=now
            )
    assert times.WROTE[1] in text(desk.get("/"))
    assert times.WROTE[1] in text(desk.get("/?state=handoffs"))
    page = text(desk.get(f"/handoffs/{hand.pk}/"))
    assert "the customer wrote since" in page
    assert "It works again!" in page
    assert "The customer wrote" in text(desk.get(f"/cases/{row.case_id}/"))


def test_a_page_that_is_open_asks_whether_the_customer_wrote(cast: Cast) -> None:
    row, hand, desk = proposed(cast), handed(cast), sit_down(cast, "rosa")
    for item, path, case in (("proposal", "proposals", row.case_id), ("handoff", "handoffs", hand.case_id)):
        key = row.pk if item == "proposal" else hand.pk
        page, ask = text(desk.get(f"/{path}/{key}/")), f"/claims/{item}:{key}/others/"
        assert '<input type="hidden" name="wrote" value="0">' in page
        assert "customer wrote" not in text(desk.post(ask, {"wrote": "0"}))
        with workspace.within(cast.ws):
            ticket = models.Ticket.objects.get(ticket_id=Case.objects.get(pk=case).subject.partition(":")[2])
        with workspace.within(cast.ws, cast.id("ada")) as now:
            conversations.receive(
                workspace=cast.ws, ticket=ticket.external_id, external_id=f"m-{item}", text="Now!", actor="x", now=now
            )
        told = text(desk.post(ask, {"wrote": "0"}))
        assert 'id="wrote" role="status" hx-swap-oob="true"' in told
        assert f'hx-get="/w/{cast.workspace.slug}/{path}/{key}/"' in told
        seq = re.findall(r'name="wrote" value="(\d+)"', told)[0]
        assert int(seq) > 1
        assert 'id="wrote"' not in text(desk.post(ask, {"wrote": seq})), "what is shown is not brought again"
        part = text(desk.get(f"/{path}/{key}/", **{"HX-Request": "true", "HX-Target": "conversation"}))
        assert 'id="conversation"' in part
        assert "Now!" in part


def test_an_expired_one_is_filled_in_for_who_does_it_by_hand(cast: Cast) -> None:
    row = proposed(cast)
    with signed_in("apply"), workspace.within(cast.ws):
        sweeper.look(workspace=cast.ws, now=deadlines.moment(row.urgency) + timedelta(minutes=1))
    with workspace.within(cast.ws):
        hand = Handoff.objects.get(reason="expired")
    desk = sit_down(cast, "rosa")
    page = text(desk.get(f"/handoffs/{hand.pk}/"))
    assert "Nobody decided in time" in page
    assert "filled in" in page
    form = text(desk.get(f"/cases/{row.case_id}/new/ticket.update/?handoff={hand.pk}"))
    assert '<option value="P1" selected>' in form
    assert '<option value="open" selected>' in form  # what it did not say stands as it is


def test_the_box_that_a_reply_asks_is_ticked_where_a_question_led_there(cast: Cast) -> None:
    target = steps.ticket(cast)
    run = steps.begin_run(cast, target)
    with signed_in("agents"), workspace.within(cast.ws):
        asked = Submission.objects.create(
            workspace=cast.workspace, case_id=run.case_id, kind="question", proposer="agent:triage",
            run=f"run:{run.pk}", key="q", payload={"text": "Which kettle is it?"},
        )  # fmt: skip
    steps.pass_gate(cast, asked)
    with workspace.within(cast.ws):
        question = Handoff.objects.get(kind="question")
    desk, path = sit_down(cast, "rosa"), f"/cases/{run.case_id}/new/ticket.reply/"
    assert 'name="asks" value="1" checked' in text(desk.get(f"{path}?handoff={question.pk}"))
    assert 'name="asks" value="1">' in text(desk.get(path))
    for said, asks in (({"asks": "1"}, True), ({}, False)):
        body = {"body": f"Which kettle is it, {asks}?", "clauses": "", "key": f"k{asks}", **said}
        assert desk.post(path, body).status_code == 302
        with workspace.within(cast.ws):
            assert Submission.objects.latest("pk").payload["asks"] is asks


def test_a_time_zone_there_is_not_does_not_break_a_page(cast: Cast) -> None:
    row = proposed(cast)
    with workspace.within(cast.ws):
        models.Workspace.objects.filter(pk=cast.ws).update(time_zone="Mars/Olympus", hours={"mon": "x"})
        assert not working.of(cast.ws).open
    assert sit_down(cast, "rosa").get(f"/proposals/{row.pk}/").status_code == 200
    assert proposed(cast).urgency > datetime.now(UTC).timestamp()


def test_times_of_a_tooltip_and_the_weeks_are_in_the_readers_zone(cast: Cast) -> None:
    row, desk = handed(cast), sit_down(cast, "rosa")
    with workspace.within(cast.ws):
        Case.objects.filter(pk=row.case_id).update(waiting_since=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))
        cast.people["rosa"].time_zone = "Asia/Tokyo"
        cast.people["rosa"].save(update_fields=["time_zone"])
    assert 'title="Waiting since 01 Feb 2026, 08:30 JST"' in text(desk.get(f"/cases/{row.case_id}/"))
    request = SimpleNamespace(user=cast.people["rosa"], now=None)
    assert clock.date_of(Context({"request": request}), datetime(2026, 1, 31, 23, 30, tzinfo=UTC)) == "01 Feb 2026"
