"""Out of office: an end, a stand-in as strong, chains without a circle, and nothing left in absent hands."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from approvals import claims, sweeper
from approvals.models import Claim
from audit.models import Entry, Unattributed
from portal import staff, standing_in, workspace
from portal.models import Delegation, Person, Role
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in

WEEK = timedelta(days=7)


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def set_out(
    cast: Cast, person: str, stand_in: str, *, starts: timedelta = timedelta(), lasts: timedelta = WEEK, by: str = ""
) -> Delegation:
    with workspace.within(cast.ws, cast.id(by or person)) as now:
        return standing_in.set_out(
            workspace=cast.ws, person=cast.id(person), stand_in=cast.id(stand_in), starts=now + starts,
            ends=now + starts + lasts, reason="on holiday", actor=cast.id(by or person), now=now,
        )  # fmt: skip


def effective(cast: Cast, name: str, later: timedelta = timedelta()) -> str | None:
    with workspace.within(cast.ws) as now:
        found = standing_in.effective(workspace=cast.ws, person=cast.id(name), now=now + later)
        return next((key for key in cast.people if cast.id(key) == found), None)


def appoint(cast: Cast, name: str, role: Role, *, active: bool = True) -> None:
    with workspace.within(cast.ws, cast.id("ada")) as now:
        staff.appoint(
            workspace=cast.workspace, person=cast.people[name], role=role, actor="x", now=now, active=active
        )  # fmt: skip


def test_what_would_come_to_somebody_away_goes_to_the_stand_in_until_it_ends(cast: Cast) -> None:
    assert effective(cast, "rosa") == "rosa"
    set_out(cast, "rosa", "ravi", starts=timedelta(hours=1))
    assert effective(cast, "rosa") == "rosa"
    assert effective(cast, "rosa", timedelta(hours=2)) == "ravi"
    assert effective(cast, "rosa", timedelta(days=8)) == "rosa"
    with workspace.within(cast.ws):
        entry = Entry.objects.get(event="delegation.set")
        assert not Unattributed.objects.exists()
    assert entry.actor == f"person:{cast.id('rosa')}"
    assert "on holiday" not in entry.canonical  # why somebody is away is theirs, and can be erased


def test_chains_are_followed_and_a_circle_is_refused_in_whatever_order_it_is_made(cast: Cast) -> None:
    appoint(cast, "otto", Role.REVIEWER)
    set_out(cast, "rosa", "ravi")
    set_out(cast, "ravi", "otto")
    assert effective(cast, "rosa", timedelta(hours=1)) == "otto"
    with pytest.raises(standing_in.StandInError, match=r"^stand_in: .* come back"):
        set_out(cast, "otto", "rosa")
    # Only where the times meet: later it is no circle.
    set_out(cast, "otto", "rosa", starts=WEEK + timedelta(hours=1))
    assert effective(cast, "otto", WEEK + timedelta(hours=2)) == "rosa"


def test_two_absences_set_at_once_cannot_lead_to_each_other(cast: Cast) -> None:
    gate, made, refused = threading.Barrier(2), [], []

    def go(person: str, stand_in: str) -> None:
        try:
            gate.wait()
            made.append(set_out(cast, person, stand_in))
        except standing_in.StandInError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=pair) for pair in (("rosa", "ravi"), ("ravi", "rosa"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(made), len(refused)) == (1, 1)


@pytest.mark.parametrize(
    ("person", "stand_in", "more", "field"),
    [
        ("rosa", "rosa", {}, "stand_in"),
        ("mara", "rosa", {}, "stand_in"),  # a reviewer is less than a manager
        ("rosa", "ada", {}, "stand_in"),  # an admin decides nothing
        ("rosa", "otto", {}, "stand_in"),  # belongs to nobody here
        ("ada", "rosa", {}, "person"),
        ("rosa", "ravi", {"lasts": timedelta(days=61)}, "ends"),
        ("rosa", "ravi", {"lasts": timedelta()}, "ends"),
        ("rosa", "ravi", {"starts": timedelta(days=-3), "lasts": timedelta(days=1)}, "ends"),
        ("rosa", "ravi", {"starts": timedelta(days=400)}, "starts"),
        ("rosa", "ravi", {"by": "ravi"}, "person"),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field(
    cast: Cast, person: str, stand_in: str, more: dict[str, Any], field: str
) -> None:
    with pytest.raises(standing_in.StandInError, match=f"^{field}: "):
        set_out(cast, person, stand_in, **more)
    with workspace.within(cast.ws):
        assert not Delegation.objects.exists()
        assert not Entry.objects.filter(event="delegation.set").exists()


def test_a_manager_says_it_for_others_and_a_second_one_at_the_same_time_is_refused(cast: Cast) -> None:
    row = set_out(cast, "rosa", "ravi", by="mara")
    assert row.made_by == f"person:{cast.id('mara')}"
    with pytest.raises(standing_in.StandInError, match=r"^starts: "):
        set_out(cast, "rosa", "mara", starts=timedelta(days=1))
    with workspace.within(cast.ws, cast.id("ravi")) as now, pytest.raises(standing_in.NotYours):
        standing_in.end(workspace=cast.ws, delegation=row.pk, actor=cast.id("ravi"), now=now)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        standing_in.end(workspace=cast.ws, delegation=row.pk, actor=cast.id("rosa"), now=now)
    assert effective(cast, "rosa", timedelta(seconds=1)) == "rosa"
    set_out(cast, "rosa", "mara", starts=timedelta(days=1))


def test_it_grants_no_role_and_who_lost_theirs_stands_in_no_more(cast: Cast) -> None:
    set_out(cast, "rosa", "ravi")
    with workspace.within(cast.ws):
        assert standing_in.strength(cast.ws, cast.id("ravi")) == 1
    appoint(cast, "ravi", Role.REVIEWER, active=False)
    assert effective(cast, "rosa", timedelta(seconds=1)) is None


def test_what_somebody_held_is_free_again_once_they_are_away(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    other = steps.ticket(cast)
    kept = steps.propose(cast, other, "ticket.update", other, {"priority": "P1"})
    for name, proposal in (("rosa", row), ("ravi", kept)):
        with workspace.within(cast.ws, cast.id(name)) as now:
            claims.claim(workspace=cast.ws, item=f"proposal:{proposal.pk}", person=cast.id(name), now=now)
    set_out(cast, "rosa", "ravi", starts=timedelta(minutes=5))
    assert _sweep(cast, timedelta(minutes=4)) == 0
    assert _sweep(cast, timedelta(minutes=6)) == 1
    with workspace.within(cast.ws):
        assert Claim.objects.get(item=f"proposal:{row.pk}").person_id is None
        assert Claim.objects.get(item=f"proposal:{kept.pk}").person_id == cast.id("ravi")


def _sweep(cast: Cast, later: timedelta) -> int:
    with signed_in("apply"), workspace.within(cast.ws) as now:
        return sweeper.put_back_absent(workspace=cast.ws, now=now + later)


def test_what_is_assigned_to_somebody_away_goes_to_who_stands_in(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    set_out(cast, "rosa", "ravi")
    with workspace.within(cast.ws, cast.id("mara")) as now:
        taken = claims.assign(
            workspace=cast.ws, item=f"proposal:{row.pk}", to=cast.id("rosa"), by=cast.id("mara"), now=now
        )
    assert taken.person_id == cast.id("ravi")
    appoint(cast, "ravi", Role.REVIEWER, active=False)
    with workspace.within(cast.ws, cast.id("mara")) as now, pytest.raises(claims.NotYours, match="out of office"):
        claims.assign(workspace=cast.ws, item=f"proposal:{row.pk}", to=cast.id("rosa"), by=cast.id("mara"), now=now)


def days(now: datetime, first: int, last: int) -> dict[str, str]:
    return {"starts": f"{now + timedelta(days=first):%Y-%m-%d}", "ends": f"{now + timedelta(days=last):%Y-%m-%d}"}


def test_the_page_takes_whole_days_and_names_what_is_off(cast: Cast) -> None:
    desk = sit_down(cast, "rosa")
    page = text(desk.get("/out-of-office/"))
    assert "Say that you will be away" in page
    with workspace.within(cast.ws) as now:
        today = now
    said = {"person": cast.id("rosa"), "stand_in": cast.id("ravi"), "reason": "Moving house"}
    refused = desk.post("/out-of-office/", {**said, **days(today, 1, 90)})
    assert refused.status_code == 422
    assert "At most 60 days" in text(refused)
    assert "Moving house" in text(refused)
    for wrong in ({"ends": "9999-12-31"}, {"ends": "0001-01-01"}, {"starts": "soon"}, {"stand_in": 10**12}):
        assert desk.post("/out-of-office/", {**said, **days(today, 1, 2), **wrong}).status_code == 422, wrong
    assert desk.post("/out-of-office/", {**said, "person": cast.id("ravi"), **days(today, 1, 2)}).status_code == 422
    assert desk.post("/out-of-office/", {**said, **days(today, 0, 60 - 1)}).status_code == 302
    page = text(desk.get("/out-of-office/"))
    assert "Moving house" in page
    assert "I am back" in page
    with workspace.within(cast.ws):
        row = Delegation.objects.get()
    assert sit_down(cast, "ravi").post(f"/out-of-office/{row.pk}/end/").status_code == 404
    assert sit_down(cast, "mara").post(f"/out-of-office/{row.pk}/end/").status_code == 302
    assert "Everybody is in" in text(desk.get("/out-of-office/"))


def test_a_manager_chooses_among_all_and_who_decides_nothing_only_looks(cast: Cast) -> None:
    page = text(sit_down(cast, "mara").get("/out-of-office/"))
    assert "Say who will be away" in page
    assert page.count(f">{cast.people['rosa'].name}<") == 2
    assert "<form" in page
    assert "Save" not in text(sit_down(cast, "odile").get("/out-of-office/"))


def test_a_row_of_another_workspace_is_not_there(cast: Cast) -> None:
    other = gather()
    row = set_out(other, "rosa", "ravi")
    assert sit_down(cast, "mara").post(f"/out-of-office/{row.pk}/end/").status_code == 404
    with workspace.within(cast.ws):
        assert not Delegation.objects.exists()
        assert Person.objects.filter(pk=other.id("rosa")).exists()  # people are of no workspace
