"""The managers' page: everything that calls a manager, each with its way out, in a fixed number of statements."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from approvals import claims, overseeing
from approvals.actions import ACTIONS
from approvals.models import Case, Claim, Handoff, Mark, Outbox, Proposal, Pulse
from audit import log
from audit.models import Entry
from portal import workspace
from portal.models import Delegation, Membership
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def propose(cast: Cast, priority: str = "P1", **more: Any) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": priority}, **more)


def due_in(cast: Cast, row: Proposal | Handoff, length: timedelta) -> None:
    """Move an item's due time: only the owner can, past the triggers."""
    _as_owner(
        f"UPDATE {row._meta.db_table} SET urgency = extract(epoch FROM clock_timestamp() + %s)::bigint WHERE id = %s",
        [length, row.pk],
        row._meta.db_table,
    )


def in_state(row: Proposal, state: str) -> None:
    """As if it had come into this state; its last entry says since when."""
    _as_owner("UPDATE approvals_proposal SET state = %s WHERE id = %s", [state, row.pk], "approvals_proposal")


def _as_owner(sql: str, values: list[Any], table: str) -> None:
    with signed_in("owner"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", [table])
        triggers = [name for (name,) in cursor.fetchall()]
        for name in triggers:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
        cursor.execute(sql, values)
        for name in triggers:
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def overview(cast: Cast) -> overseeing.Overview:
    with workspace.within(cast.ws, cast.id("mara")) as now:
        return overseeing.overview(workspace=cast.ws, now=now)


def section(page: str, name: str) -> str:
    """The part of the page below a heading."""
    return re.split(r"</section>", page[page.index(f'<h2 id="{name}"') :])[0]


# What it shows -------------------------------------------------------------------------------------------


def test_an_empty_workspace_is_told_what_comes_next_in_every_section(cast: Cast) -> None:
    page = text(sit_down(cast, "mara").get("/manage/"))
    for name in ("late", "unknown", "escalated", "stale", "held", "workers", "dead", "lost", "away", "rates"):
        assert 'class="muted"' in section(page, name), name
    assert "Rosa" in section(page, "load")


def test_what_is_overdue_comes_first_and_what_waits_for_its_customer_is_not_among_it(cast: Cast) -> None:
    soon, later, over, waiting = (propose(cast) for _ in range(4))
    due_in(cast, soon, timedelta(minutes=30))
    due_in(cast, later, timedelta(hours=3))
    for row in (over, waiting):
        due_in(cast, row, timedelta(minutes=-5))
    refused = propose_handoff(cast)
    due_in(cast, refused, timedelta(minutes=-9))
    with workspace.within(cast.ws) as now:
        Case.objects.filter(pk=waiting.case_id).update(waiting_since=now)
    late = overview(cast).late
    assert [line.item for line in late.rows] == [
        f"handoff:{refused.pk}", f"proposal:{over.pk}", f"proposal:{soon.pk}",
    ]  # fmt: skip
    assert [line.alarm for line in late.rows] == [True, True, False]
    page = section(text(sit_down(cast, "mara").get("/manage/")), "late")
    assert page.count('class="alarm"') == 2
    assert " min over" in page


def propose_handoff(cast: Cast) -> Handoff:
    target = steps.ticket(cast)
    submission = steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": "P9"})
    steps.pass_gate(cast, submission)
    with workspace.within(cast.ws):
        return Handoff.objects.get(submission=submission)


def test_an_unknown_one_calls_a_manager_after_a_quarter_of_an_hour(cast: Cast) -> None:
    fresh, old = propose(cast), propose(cast)
    for row, minutes in ((fresh, 5), (old, 16)):
        in_state(row, "unknown")
        _as_owner(
            "UPDATE audit_entry SET event = 'proposal.unknown', at = clock_timestamp() - %s WHERE workspace_id = %s"
            " AND subject = %s AND version = 1",
            [timedelta(minutes=minutes), cast.ws, f"proposal:{row.pk}"],
            "audit_entry",
        )
    unknown = overview(cast).unknown
    assert {line.item: line.alarm for line in unknown.rows} == {
        f"proposal:{fresh.pk}": False, f"proposal:{old.pk}": True,
    }  # fmt: skip
    page = section(text(sit_down(cast, "mara").get("/manage/")), "unknown")
    assert 'role="alert"' in page
    assert page.count('class="alarm"') == 1


def test_stale_ones_say_since_when_and_lead_to_their_page(cast: Cast) -> None:
    first = propose(cast)
    other = steps.propose(cast, first.target, "ticket.update", first.target, {"priority": "P4"})
    steps.approve(cast, other, "ravi")
    assert steps.apply(cast, other).state == "applied"
    assert steps.approve(cast, first, "rosa").state == "stale"
    (line,) = overview(cast).stale.rows
    assert (line.item, line.since is not None) == (f"proposal:{first.pk}", True)
    assert f"/proposals/{first.pk}/" in section(text(sit_down(cast, "mara").get("/manage/")), "stale")


def test_what_used_up_its_time_is_escalated_until_it_is_decided_or_due_anew(cast: Cast) -> None:
    half, three_quarters, over, moved, decided = (propose(cast) for _ in range(5))
    with signed_in("apply"), workspace.within(cast.ws):
        for row, percent, due in (
            (half, 50, half.urgency), (three_quarters, 75, three_quarters.urgency), (over, 75, over.urgency),
            (over, 100, over.urgency), (moved, 100, moved.urgency - 60), (decided, 100, decided.urgency),
        ):  # fmt: skip
            Mark.objects.create(workspace_id=cast.ws, item=f"proposal:{row.pk}", percent=percent, due=due)
    steps.approve(cast, decided, "rosa")
    rows = overview(cast).escalated.rows
    assert [(line.item, line.alarm) for line in rows] == [
        (f"proposal:{over.pk}", True), (f"proposal:{three_quarters.pk}", False),
    ]  # fmt: skip


def test_what_nobody_is_left_to_complete_is_shown(cast: Cast) -> None:
    row = propose(cast)
    assert overview(cast).stranded.rows == ()
    with workspace.within(cast.ws):
        log.attribute("test")
        Membership.objects.filter(role__in=["reviewer", "manager"]).update(active=False)
    assert [line.item for line in overview(cast).stranded.rows] == [f"proposal:{row.pk}"]
    assert "Nobody is left" in text(sit_down(cast, "ada").get("/manage/"))


def test_lists_stop_at_25_and_lead_on_to_the_queue(cast: Cast) -> None:
    rows = [propose(cast) for _ in range(26)]
    for row in rows:
        due_in(cast, row, timedelta(minutes=-1))
    late = overview(cast).late
    assert (len(late.rows), late.more) == (25, True)
    page = section(text(sit_down(cast, "mara").get("/manage/")), "late")
    assert page.count("<li") == 25
    assert "More in the queue" in page


def test_it_costs_a_fixed_number_of_statements(cast: Cast) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            due_in(cast, propose(cast), timedelta(minutes=-1))
            due_in(cast, propose_handoff(cast), timedelta(minutes=-1))
        with workspace.within(cast.ws, cast.id("mara")) as now, CaptureQueriesContext(connection) as captured:
            overseeing.overview(workspace=cast.ws, now=now)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 20


def test_load_counts_what_each_has_in_hand_and_decided(cast: Cast) -> None:
    first, second, third = (propose(cast) for _ in range(3))
    steps.approve(cast, first, "rosa")
    steps.approve(cast, second, "ravi")
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        claims.claim(workspace=cast.ws, item=f"proposal:{third.pk}", person=cast.id("ravi"), now=now)
    load = {one.name.split()[0]: one for one in overview(cast).load}
    assert (load["Rosa"].day, load["Rosa"].approved, load["Rosa"].rejected, load["Rosa"].in_hand) == (1, 1, 0, 0)
    assert (load["Ravi"].week, load["Ravi"].in_hand) == (1, 1)
    assert (load["Mara"].week, load["Mara"].roles) == (0, "manager")
    assert not {"Ada", "Odile", "Otto"} & set(load)


def test_who_is_out_of_office_is_shown_with_who_stands_in(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        log.attribute("test")
        Delegation.objects.create(
            workspace=cast.workspace, person=cast.people["rosa"], stand_in=cast.people["ravi"],
            ends_at=now + timedelta(days=2), reason="Holiday", made_by="system:test",
        )  # fmt: skip
    page = section(text(sit_down(cast, "mara").get("/manage/")), "away")
    assert "Rosa" in page
    assert "Ravi" in page
    assert "Holiday" in page


def test_the_undo_rate_names_agent_action_and_version(cast: Cast) -> None:
    row = propose(cast)
    steps.approve(cast, row, "rosa")
    assert steps.apply(cast, row).state == "applied"
    page = section(text(sit_down(cast, "mara").get("/manage/")), "rates")
    assert "triage" in page
    assert ACTIONS["ticket.update"].title in page
    assert "0.0%" in page


# What it offers ------------------------------------------------------------------------------------------


def test_a_manager_gives_an_item_to_somebody_else_or_takes_it(cast: Cast) -> None:
    row = propose(cast)
    item = f"proposal:{row.pk}"
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=item, person=cast.id("rosa"), now=now)
    desk = sit_down(cast, "mara")
    page = section(text(desk.get("/manage/")), "held")
    assert "Rosa" in page
    assert "Me (0 in hand)" in page
    for name in ("ravi", "mara"):
        answer = desk.post("/manage/assign/", {"item": item, "to": cast.id(name)})
        assert (answer.status_code, answer["Location"]) == (302, f"/w/{cast.workspace.slug}/manage/")
        with workspace.within(cast.ws):
            assert Claim.objects.get(item=item).person_id == cast.id(name)
    with workspace.within(cast.ws):
        events = Entry.objects.filter(subject=f"claim:{item}").order_by("pk").values_list("event", flat=True)
        assert list(events) == ["item.assigned", "item.taken_over"]


def test_who_cannot_have_an_item_is_named_and_nothing_changes(cast: Cast) -> None:
    item = f"proposal:{propose(cast).pk}"
    desk = sit_down(cast, "mara")
    assert desk.post("/manage/assign/", {"item": item, "to": cast.id("odile")}).status_code == 409
    assert "no reviewer or manager" in text(desk.post("/manage/assign/", {"item": item, "to": cast.id("odile")}))
    for to in ("", "x", "9" * 30):
        assert desk.post("/manage/assign/", {"item": item, "to": to}).status_code == 422
    for wrong in ("proposal:999999", "proposal:x", "run:1", ""):
        assert desk.post("/manage/assign/", {"item": wrong, "to": cast.id("ravi")}).status_code == 404
    with workspace.within(cast.ws):
        assert Claim.objects.get(item=item).person_id is None


@pytest.fixture
def pulse(live: None) -> Iterator[None]:
    """The pulse belongs to the installation: a test leaves none behind."""
    yield
    with signed_in("owner"), transaction.atomic():
        Pulse.objects.all().delete()


def test_dead_work_is_shown_and_tried_again_by_one_button(cast: Cast, pulse: None) -> None:
    row = propose(cast)
    steps.approve(cast, row, "rosa")
    with signed_in("apply"), workspace.within(cast.ws) as now:
        work = Outbox.objects.get(task="approvals.tasks.apply")
        Outbox.objects.filter(pk=work.pk).update(dead_at=now, tries=3)
        Pulse.objects.create(queue="apply", asked_at=now, answered_at=now)
    desk = sit_down(cast, "mara")
    page = section(text(desk.get("/manage/")), "dead")
    assert f"Carry out proposal {row.pk}" in page
    assert f"/proposals/{row.pk}/" in page
    assert desk.post(f"/manage/dead/{work.pk}/revive/").status_code == 302
    with workspace.within(cast.ws):
        work.refresh_from_db()
        assert (work.dead_at, work.tries) == (None, 0)
        assert Entry.objects.filter(event="work.revived", actor=f"person:{cast.id('mara')}").count() == 1
    assert desk.post(f"/manage/dead/{work.pk}/revive/").status_code == 302  # again: nothing dead is left to revive
    with workspace.within(cast.ws):
        assert Entry.objects.filter(event="work.revived").count() == 1
    page = text(desk.get("/manage/"))
    assert "No work was given up" in section(page, "dead")
    assert "answered" in section(page, "workers")


@pytest.mark.parametrize("name", ["rosa", "odile"])
def test_others_see_no_link_and_may_nothing_here(cast: Cast, name: str) -> None:
    item = f"proposal:{propose(cast).pk}"
    desk = sit_down(cast, name)
    assert "/manage/" not in text(desk.get("/"))
    assert desk.get("/manage/").status_code == 403
    assert desk.post("/manage/assign/", {"item": item, "to": cast.id(name)}).status_code == 403
    with workspace.within(cast.ws):
        work = Outbox.objects.filter(workspace=cast.ws).first() or Outbox.objects.create(
            workspace=cast.workspace, task="approvals.tasks.settle", queue="apply", object_id=1
        )
    assert desk.post(f"/manage/dead/{work.pk}/revive/").status_code == 403


def test_rows_of_another_workspace_are_neither_shown_nor_revived(cast: Cast) -> None:
    other = gather()
    ours, theirs = propose(cast), propose(other)
    for place, row in ((cast, ours), (other, theirs)):
        due_in(place, row, timedelta(minutes=-1))
    with workspace.within(other.ws) as now:
        work = Outbox.objects.create(
            workspace=other.workspace, task="approvals.tasks.apply", queue="apply", object_id=theirs.pk, dead_at=now
        )
    desk = sit_down(cast, "mara")
    page = text(desk.get("/manage/"))
    assert [f"/proposals/{row.pk}/" in page for row in (ours, theirs)] == [True, False]
    assert desk.post(f"/manage/dead/{work.pk}/revive/").status_code == 404
    assert desk.post("/manage/assign/", {"item": f"proposal:{theirs.pk}", "to": cast.id("ravi")}).status_code == 404


def test_a_manager_gives_what_is_opened_into_somebodys_hands(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    item, mara = f"proposal:{row.pk}", sit_down(cast, "mara")
    assert f"/claims/{item}/give/" in text(mara.get(f"/proposals/{row.pk}/"))
    assert f"/claims/{item}/give/" not in text(sit_down(cast, "rosa").get(f"/proposals/{row.pk}/"))
    assert sit_down(cast, "rosa").get(f"/claims/{item}/give/").status_code == 403
    assert cast.people["ravi"].name in text(mara.get(f"/claims/{item}/give/"))
    given = mara.post("/manage/assign/", {"item": item, "to": cast.id("ravi"), "back": "item"})
    assert given["Location"].endswith(f"/proposals/{row.pk}/")
    assert "holds it" in text(mara.get(f"/claims/{item}/give/"))
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        assert claims.held_by(workspace=cast.ws, person=cast.id("ravi"), now=now) == [item]
