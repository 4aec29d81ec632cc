"""A claim is exclusive for ten minutes, ends by itself, and no item is served twice or lost."""

import secrets
from datetime import UTC, datetime, time, timedelta

import pytest

from approvals import claims, decisions, leaving_urls
from approvals.models import Claim
from audit.models import Entry
from portal import hours, staff, workspace, worktime
from portal.models import Role
from tests.approvals import steps
from tests.approvals.claiming import REVIEWER, by_person, next_for, open_places, proposed
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


# One item ------------------------------------------------------------------------------------------------


def test_one_person_holds_an_item_and_others_are_told_who(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        with pytest.raises(claims.Held, match="Rosa"):
            claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=now)
        with pytest.raises(claims.Held, match="Rosa"):
            claims.check(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=now)
        claims.check(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)


def test_a_lease_ends_by_itself_and_renewing_moves_its_end(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        first = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        later = now + timedelta(minutes=6)
        renewed = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=later)
        assert (renewed.until, renewed.token) == (later + claims.LEASE, first.token)
        over = later + claims.LEASE
        held = claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"), now=over)
        assert held.person_id == cast.id("ravi")
        assert held.token != first.token


def test_nobody_holds_more_than_three(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        for number in range(claims.MOST):
            claims.claim(workspace=cast.ws, item=f"proposal:{number}", person=cast.id("rosa"), now=now)
        with pytest.raises(claims.TooMany):
            claims.claim(workspace=cast.ws, item="handoff:9", person=cast.id("rosa"), now=now)
        claims.release(workspace=cast.ws, item="proposal:0", person=cast.id("rosa"))
        claims.claim(workspace=cast.ws, item="handoff:9", person=cast.id("rosa"), now=now)


def test_releasing_what_somebody_else_holds_does_nothing(cast: Cast) -> None:
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)
        claims.release(workspace=cast.ws, item="proposal:1", person=cast.id("ravi"))
        assert "proposal:1" in claims.holders(workspace=cast.ws, items=["proposal:1"], now=now)


def test_an_open_item_has_a_place_that_nobody_holds_until_it_is_decided(cast: Cast) -> None:
    row = proposed(cast)
    item = f"proposal:{row.pk}"
    with workspace.within(cast.ws) as now:
        assert Claim.objects.get(item=item).person_id is None
        assert claims.holders(workspace=cast.ws, items=[item], now=now) == {}
        claims.check(workspace=cast.ws, item=item, person=cast.id("ravi"), now=now)
    assert next_for(cast, "rosa") == item
    with workspace.within(cast.ws, cast.id("ravi")) as now, pytest.raises(decisions.Gone, match="Rosa"):
        decisions.approve(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), now=now
        )  # fmt: skip
    assert steps.approve(cast, row, "rosa").state == "approved"
    with workspace.within(cast.ws):
        assert not Claim.objects.filter(item=item).exists()


def test_a_released_item_is_free_again_and_keeps_its_place(cast: Cast) -> None:
    item = f"proposal:{proposed(cast).pk}"
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        claims.claim(workspace=cast.ws, item=item, person=cast.id("rosa"), now=now)
        claims.release(workspace=cast.ws, item=item, person=cast.id("rosa"))
        claims.claim(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"), now=now)  # it has no place
        claims.release(workspace=cast.ws, item="proposal:1", person=cast.id("rosa"))
        assert list(Claim.objects.filter(workspace=cast.ws).values_list("item", "person", "token")) == [
            (item, None, "")
        ]
    assert next_for(cast, "ravi") == item


# Heartbeat -----------------------------------------------------------------------------------------------


def test_a_heartbeat_renews_with_the_token_of_this_very_claim_alone(cast: Cast) -> None:
    rosa, ravi = cast.id("rosa"), cast.id("ravi")
    with workspace.within(cast.ws, rosa) as now:
        taken = claims.claim(workspace=cast.ws, item="proposal:1", person=rosa, now=now)
        later = now + timedelta(minutes=9)
        assert claims.heartbeat(workspace=cast.ws, person=rosa, token=taken.token, now=later)
        assert Claim.objects.get(item="proposal:1").until == later + claims.LEASE
        for person, token in ((rosa, ""), (rosa, secrets.token_hex(16)), (ravi, taken.token)):
            assert not claims.heartbeat(workspace=cast.ws, person=person, token=token, now=later)
        over = later + claims.LEASE
        assert not claims.heartbeat(workspace=cast.ws, person=rosa, token=taken.token, now=over)
        again = claims.claim(workspace=cast.ws, item="proposal:1", person=rosa, now=over)
        assert not claims.heartbeat(workspace=cast.ws, person=rosa, token=taken.token, now=over)
        assert claims.heartbeat(workspace=cast.ws, person=rosa, token=again.token, now=over)


def test_a_free_place_is_nobodys_to_renew(cast: Cast) -> None:
    proposed(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        assert not claims.heartbeat(workspace=cast.ws, person=cast.id("rosa"), token="", now=now)


# Managers ------------------------------------------------------------------------------------------------


def test_a_manager_takes_an_item_over_and_the_log_says_from_whom(cast: Cast) -> None:
    row = proposed(cast)
    item = f"proposal:{row.pk}"
    assert next_for(cast, "rosa") == item
    with workspace.within(cast.ws, cast.id("ravi")) as now, pytest.raises(claims.NotYours):
        claims.take_over(workspace=cast.ws, item=item, by=cast.id("ravi"), now=now)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        taken = claims.take_over(workspace=cast.ws, item=item, by=cast.id("mara"), now=now)
        assert taken.person_id == cast.id("mara")
        entry = Entry.objects.get(workspace_id=cast.ws, event="item.taken_over")
    assert (entry.actor, entry.case) == (f"person:{cast.id('mara')}", f"case:{row.case_id}")
    assert f'"from":{cast.id("rosa")}' in entry.canonical


def test_a_manager_gives_an_item_to_who_can_decide_it(cast: Cast) -> None:
    row = by_person(cast, steps.ticket(cast), "ravi")
    item, mara = f"proposal:{row.pk}", cast.id("mara")
    with workspace.within(cast.ws, mara) as now:
        for name, by in (("odile", "mara"), ("ravi", "mara"), ("otto", "mara"), ("rosa", "ravi")):
            with pytest.raises(claims.NotYours):
                claims.assign(workspace=cast.ws, item=item, to=cast.id(name), by=cast.id(by), now=now)
        with pytest.raises(claims.NoSuchItem):
            claims.assign(workspace=cast.ws, item="proposal:999999999", to=cast.id("rosa"), by=mara, now=now)
        claims.assign(workspace=cast.ws, item=item, to=cast.id("rosa"), by=mara, now=now)
        assert claims.held_by(workspace=cast.ws, person=cast.id("rosa"), now=now) == [item]
        assert Entry.objects.filter(workspace_id=cast.ws, event="item.assigned").count() == 1


def test_what_a_manager_gives_is_held_for_hours_of_work_and_never_shortened(cast: Cast) -> None:
    (item,) = open_places(cast, 1)
    rosa, mara = cast.id("rosa"), cast.id("mara")
    with workspace.within(cast.ws, cast.id("ada")) as now:
        today = now.astimezone(UTC).date()
        hours.set_hours(
            workspace=cast.workspace, time_zone="UTC", now=now, actor="x",
            hours={day: ["09:00", "17:00"] for day in worktime.DAYS}, closed_on=[today.isoformat()],
        )  # fmt: skip
    ends = datetime.combine(today + timedelta(days=1), time(13), UTC)
    with workspace.within(cast.ws, mara) as now:
        given = claims.assign(workspace=cast.ws, item=item, to=rosa, by=mara, now=now)
        assert (given.until, given.given) == (ends, True)
        assert claims.heartbeat(workspace=cast.ws, person=rosa, token=given.token, now=now)
        kept = claims.claim(workspace=cast.ws, item=item, person=rosa, now=now)
        assert (kept.until, kept.given, kept.token) == (ends, True, given.token)
        claims.release_all(workspace=cast.ws, person=rosa)  # as signing out does
        assert claims.held_by(workspace=cast.ws, person=rosa, now=now) == [item]
    assert "was given this, until" in text(sit_down(cast, "ravi").get(f"/handoffs/{item[8:]}/"))
    assert "a manager gave you this" in text(sit_down(cast, "rosa").get(f"/handoffs/{item[8:]}/"))
    with signed_in("apply"), workspace.within(cast.ws):
        assert claims.free_expired(workspace=cast.ws, now=ends) == 1
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        taken = claims.claim(workspace=cast.ws, item=item, person=cast.id("ravi"), now=now)
    assert (taken.given, taken.until) == (False, now + claims.LEASE)


def test_three_are_what_one_takes_and_no_bound_for_a_manager(cast: Cast) -> None:
    items, rosa, mara = open_places(cast, 9), cast.id("rosa"), cast.id("mara")
    assert [next_for(cast, "rosa") for _ in range(claims.MOST)] == items[:3]
    assert [next_for(cast, "mara", roles=[Role.MANAGER]) for _ in range(claims.MOST)] == items[3:6]
    with workspace.within(cast.ws, mara) as now:
        claims.assign(workspace=cast.ws, item=items[6], to=rosa, by=mara, now=now)
        claims.take_over(workspace=cast.ws, item=items[0], by=mara, now=now)
        assert set(claims.held_by(workspace=cast.ws, person=rosa, now=now)) == {items[1], items[2], items[6]}
        assert len(claims.held_by(workspace=cast.ws, person=mara, now=now)) == 4
        claims.claim(workspace=cast.ws, item=items[0], person=mara, now=now)  # to renew is to take nothing more
    assert next_for(cast, "rosa") == items[7]  # the third that she took, beside what she was given
    for full in ("rosa", "mara"):
        with pytest.raises(claims.TooMany):
            next_for(cast, full, roles=[Role.MANAGER])


# Pages ---------------------------------------------------------------------------------------------------


def test_claim_next_opens_the_item_and_the_page_keeps_it_by_heartbeat(cast: Cast) -> None:
    (item,) = open_places(cast, 1)
    desk = sit_down(cast, "rosa")
    assert "Claim next" in text(desk.get())
    answer = desk.post("/claims/next/")
    assert answer.status_code == 302
    page = text(desk.get(answer["Location"].partition(cast.workspace.slug)[2]))
    assert "In your hands" in page
    with workspace.within(cast.ws):
        token = Claim.objects.get(item=item).token
    assert token in page
    assert token not in text(sit_down(cast, "ravi").get(f"/handoffs/{item[8:]}/"))
    assert desk.post("/claims/heartbeat/", {"token": token}).status_code == 204
    lapsed = desk.post("/claims/heartbeat/", {"token": "x"})
    assert lapsed.status_code == 409
    assert "Claim it again" in text(lapsed)
    left = desk.post("/claims/next/")
    assert left.status_code == 200
    assert "Nothing is free" in text(left)


def test_claimed_without_a_new_page_the_item_is_what_a_narrow_screen_shows(cast: Cast) -> None:
    open_places(cast, 1)
    desk = sit_down(cast, "rosa")
    assert 'class="detail"' in text(desk.get())  # the list is in front
    assert 'class="detail opened"' in text(desk.post("/claims/next/", **{"HX-Request": "true", "HX-Target": "desk"}))


def test_what_was_written_is_kept_when_somebody_took_the_item_over(cast: Cast) -> None:
    (item,) = open_places(cast, 1)
    next_for(cast, "rosa")
    rosa, mara = sit_down(cast, "rosa"), sit_down(cast, "mara")
    assert mara.post(f"/claims/{item}/", {"take_over": "1"}).status_code == 302
    answer = rosa.post(f"/handoffs/{item[8:]}/resolve/", {"outcome": "Called them, <all> is fine"})
    assert answer.status_code == 409
    assert "You had written" in text(answer)
    assert "Called them, &lt;all&gt; is fine" in text(answer)


def test_a_manager_takes_over_and_assigns_from_the_page(cast: Cast) -> None:
    item = f"proposal:{proposed(cast).pk}"
    next_for(cast, "rosa")
    mara = sit_down(cast, "mara")
    assert "Take it over" in text(mara.get(f"/proposals/{item[9:]}/"))
    assert sit_down(cast, "ravi").post(f"/claims/{item}/", {"take_over": "1"}).status_code == 409
    assert mara.post(f"/claims/{item}/", {"take_over": "1"}).status_code == 302
    assert mara.post("/manage/assign/", {"item": item, "to": str(cast.id("ravi"))}).status_code == 302
    with workspace.within(cast.ws) as now:
        assert claims.held_by(workspace=cast.ws, person=cast.id("ravi"), now=now) == [item]


def test_signing_out_puts_everything_back_in_every_workspace(cast: Cast) -> None:
    other = gather()
    for place in (cast, other):
        open_places(place, 1)
    with workspace.within(other.ws) as now:
        staff.appoint(
            workspace=other.workspace, person=cast.people["rosa"], role=Role.REVIEWER, actor="system:test", now=now
        )
    for place in (cast, other):
        with workspace.within(place.ws, cast.id("rosa")) as now:
            assert claims.claim_next(workspace=place.ws, person=cast.id("rosa"), now=now, roles=REVIEWER)
    desk = sit_down(cast, "rosa")
    assert desk.client.get("/accounts/logout/").status_code == 200
    for place in (cast, other):
        with workspace.within(place.ws) as now:
            assert claims.held_by(workspace=place.ws, person=cast.id("rosa"), now=now)
    desk.client.post("/accounts/logout/")
    for place in (cast, other):
        with workspace.within(place.ws) as now:
            assert not claims.held_by(workspace=place.ws, person=cast.id("rosa"), now=now)
    assert desk.get().status_code == 302
    leaving_urls.leave(cast.id("otto"))  # who holds nothing leaves all the same
