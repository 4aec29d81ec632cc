"""A claim is exclusive for ten minutes, ends by itself, and no item is served twice or lost."""

import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import claims, decisions, leaving_urls, proposals, revising, thresholds
from approvals.models import Case, Claim, Handoff, Proposal
from audit import log
from audit.models import Entry
from portal import hours, skills, staff, workspace, worktime
from portal.models import Person, Queue, Role, Ticket
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in

REVIEWER = [Role.REVIEWER]


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def proposed(cast: Cast, *, priority: str = "P1") -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": priority})


def next_for(cast: Cast, name: str, *, roles: list[Role] = REVIEWER, most: int = claims.MOST) -> str:
    with workspace.within(cast.ws, cast.id(name)) as now:
        taken = claims.claim_next(workspace=cast.ws, person=cast.id(name), now=now, roles=roles, most=most)
    return taken.item if taken else ""


def let_lapse(cast: Cast) -> None:
    """As if ten minutes had gone by for every lease."""
    with workspace.within(cast.ws) as now:
        Claim.objects.filter(workspace=cast.ws, person__isnull=False).update(until=now - timedelta(seconds=1))


def open_places(cast: Cast, count: int, *, team: str = "", language: str = "") -> list[str]:
    """Hand-offs in the queue, without the way that leads to them."""
    target = steps.ticket(cast)
    with workspace.within(cast.ws):
        case = Case.objects.get(subject=target)
    with signed_in("apply"), workspace.within(cast.ws):
        made = Handoff.objects.bulk_create(
            Handoff(
                workspace_id=cast.ws, case_id=case.pk, kind="handoff", reason="unclear", summary="Do it",
                proposer="agent:triage", urgency=n, team=team, language=language,
            )
            for n in range(count)
        )  # fmt: skip
    return [f"handoff:{row.pk}" for row in made]


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


# Claim next ----------------------------------------------------------------------------------------------


def test_claim_next_takes_the_most_urgent_and_stops_at_three(cast: Cast) -> None:
    items = open_places(cast, 5)
    assert [next_for(cast, "rosa") for _ in range(claims.MOST)] == items[:3]
    with pytest.raises(claims.TooMany):
        next_for(cast, "rosa")
    assert next_for(cast, "ravi") == items[3]


def test_claim_next_is_two_statements_with_the_one_that_enters(cast: Cast) -> None:
    open_places(cast, 3)
    with CaptureQueriesContext(connection) as counted:
        assert next_for(cast, "rosa")
    sent = [query["sql"] for query in counted.captured_queries]
    assert len([sql for sql in sent if sql not in ("BEGIN", "COMMIT")]) == 2, sent


def test_claim_next_serves_nobody_their_own_work_nor_what_they_voted_on(cast: Cast) -> None:
    target = steps.ticket(cast)
    own = _by_person(cast, target, "rosa")
    assert (next_for(cast, "rosa"), next_for(cast, "ravi")) == ("", f"proposal:{own.pk}")


def test_a_vote_of_two_leaves_the_item_for_somebody_else(cast: Cast) -> None:
    needs_two(cast)
    row = proposed(cast)
    steps.approve(cast, row, "rosa")
    assert [next_for(cast, name) for name in ("rosa", "ravi")] == ["", f"proposal:{row.pk}"]


def test_the_last_seat_is_kept_for_the_role_that_must_sit_there(cast: Cast) -> None:
    needs_two(cast, second_role="manager")
    row = proposed(cast)
    steps.approve(cast, row, "rosa")
    assert next_for(cast, "ravi") == ""
    assert next_for(cast, "mara", roles=[Role.MANAGER]) == f"proposal:{row.pk}"


def test_only_what_one_person_may_decide_unedited_is_anyones(cast: Cast) -> None:
    row, handed = proposed(cast), open_places(cast, 1)[0]
    assert anyones(cast) == {f"proposal:{row.pk}": True, handed: True}
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        revising.edit(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"),
            args={"priority": "P2"}, now=now,
        )  # fmt: skip
    needs_two(cast)
    of_two = proposed(cast)
    assert anyones(cast) == {f"proposal:{row.pk}": False, handed: True, f"proposal:{of_two.pk}": False}


def anyones(cast: Cast) -> dict[str, bool]:
    """Which places the queue keeps, and whether whoever decides may take them."""
    with workspace.within(cast.ws):
        return dict(Claim.objects.filter(workspace=cast.ws).values_list("item", "anyones"))


def needs_two(cast: Cast, *, second_role: str = "") -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="two", second_role=second_role,
        )  # fmt: skip


def _by_person(
    cast: Cast, target: str, name: str, *, action: str = "ticket.update", to: str = "", args: object = None
) -> Proposal:
    with workspace.within(cast.ws, cast.id(name)):
        case = proposals.open_case(workspace=cast.ws, subject=target, title="", customer="")
        made = proposals.submit(
            workspace=cast.ws, case=case.pk, kind="action", proposer=f"person:{cast.id(name)}",
            key=secrets.token_hex(4),
            payload={
                "action": action, "target": to or target, "args": args or {"priority": "P1"}, "confidence": 1,
                "justification": "By hand.", "evidence": [], "flags": [],
            },
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        return Proposal.objects.get(submission=made)


def test_teams_and_languages_decide_what_is_served(cast: Cast) -> None:
    (german,) = open_places(cast, 1, team="fees_billing", language="de")
    (english,) = open_places(cast, 1, team="fees_billing", language="en")
    (everybodys,) = open_places(cast, 1)
    with workspace.within(cast.ws, cast.id("mara")) as now:
        skills.set_for(
            workspace=cast.ws, person=cast.id("rosa"), teams=["fees_billing"], languages=["en"],
            by=cast.id("mara"), now=now,
        )  # fmt: skip
        skills.set_for(
            workspace=cast.ws, person=cast.id("ravi"), teams=["orders_delivery"], languages=[],
            by=cast.id("mara"), now=now,
        )  # fmt: skip
    assert [next_for(cast, "rosa") for _ in range(3)] == [english, everybodys, ""]
    with workspace.within(cast.ws, cast.id("rosa")):
        claims.release_all(workspace=cast.ws, person=cast.id("rosa"))
    assert [next_for(cast, "ravi") for _ in range(2)] == [everybodys, ""]
    assert [next_for(cast, "mara", roles=[Role.MANAGER]) for _ in range(2)] == [german, english]


@pytest.mark.parametrize("kind", ["action", "handoff"])
def test_what_an_agent_hands_in_is_placed_by_the_tickets_queue_and_the_customers_language(
    cast: Cast, kind: str
) -> None:
    target = f"ticket:T-{secrets.token_hex(3)}"
    with workspace.within(cast.ws):
        log.attribute("test")
        queue = Queue.objects.get(workspace=cast.ws, name="fees_billing")
        Ticket.objects.create(
            workspace=cast.workspace, ticket_id=target[7:], external_id=target[7:], subject="A matter", queue=queue
        )
        proposals.open_case(workspace=cast.ws, subject=target, title="", customer="")
    run = steps.begin_run(cast, target)
    paper = {"action": "ticket.update", "target": target, "args": {"priority": "P1"}, "confidence": 0.9}
    with signed_in("agents"), workspace.within(cast.ws):
        made = proposals.submit(
            workspace=cast.ws, case=run.case_id, kind=kind, proposer="agent:triage", run=f"run:{run.pk}", key="1",
            payload={"reason": "unclear", "summary": "Who is it?"} if kind == "handoff" else paper,
            proposer_version="7", language="de",
        )  # fmt: skip
    steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        place = Claim.objects.get(workspace=cast.ws)
        assert (place.team, place.language, place.proposer) == ("fees_billing", "de", "agent:triage")
        assert {row.proposer_version for row in Proposal.objects.filter(submission=made)} <= {"7"}


def test_only_who_decides_is_served(cast: Cast) -> None:
    open_places(cast, 1)
    with pytest.raises(claims.NotYours):
        next_for(cast, "odile", roles=[Role.AUDITOR])
    assert next_for(cast, "rosa")


# Abandoned -----------------------------------------------------------------------------------------------


def test_a_hundred_abandoned_claims_lose_no_item(cast: Cast) -> None:
    (item,) = open_places(cast, 1)
    for turn in range(100):
        assert next_for(cast, ("rosa", "ravi")[turn % 2]) == item
        let_lapse(cast)
    with workspace.within(cast.ws):
        assert Claim.objects.filter(item=item).count() == 1
        assert Handoff.objects.filter(workspace=cast.ws, state="open").count() == 1


def test_the_sweeper_frees_what_was_left_lying_so_that_order_holds(cast: Cast) -> None:
    first, second = open_places(cast, 2)
    assert next_for(cast, "rosa") == first
    let_lapse(cast)
    with signed_in("apply"), workspace.within(cast.ws) as now:
        assert claims.free_expired(workspace=cast.ws, now=now) == 1
    with workspace.within(cast.ws):
        assert not Claim.objects.filter(workspace=cast.ws, person__isnull=False).exists()
    assert [next_for(cast, "ravi"), next_for(cast, "ravi")] == [first, second]


def test_what_was_abandoned_without_a_sweeper_comes_after_what_is_free(cast: Cast) -> None:
    first, second = open_places(cast, 2)
    assert next_for(cast, "rosa") == first
    let_lapse(cast)
    assert [next_for(cast, "ravi"), next_for(cast, "ravi"), next_for(cast, "ravi")] == [second, first, ""]


# Races ---------------------------------------------------------------------------------------------------


def at_once(count: int, act: Callable[[int], None]) -> None:
    """The same act in threads with connections of their own; what one raises fails the test."""
    faults: list[BaseException] = []

    def run(number: int) -> None:
        connection.settings_dict = dict(connection.settings_dict)  # Django shares it between threads
        sign_in("web")
        try:
            act(number)
        except BaseException as error:  # noqa: BLE001 RUF100  # a thread's fault is raised by the test
            faults.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


def test_twenty_claimers_of_five_hundred_items_take_each_exactly_once(cast: Cast) -> None:
    items = open_places(cast, 500)
    people = [Person.objects.create_user(f"{secrets.token_hex(6)}@example.com", "x", name="P") for _ in range(20)]
    taken: list[list[str]] = [[] for _ in people]

    def work(number: int) -> None:
        person = people[number].pk
        while True:
            with workspace.within(cast.ws, person) as now:
                got = claims.claim_next(workspace=cast.ws, person=person, now=now, roles=REVIEWER, most=1_000)
            if got is None:
                return
            taken[number].append(got.item)

    at_once(20, work)
    served = [item for one in taken for item in one]
    assert len(served) == len(set(served))
    assert set(served) == set(items)


def test_one_person_at_many_pages_at_once_still_holds_three(cast: Cast) -> None:
    open_places(cast, 20)
    refused: list[int] = []

    def work(number: int) -> None:
        try:
            next_for(cast, "rosa")
        except claims.TooMany:
            refused.append(number)

    at_once(8, work)
    with workspace.within(cast.ws) as now:
        assert len(claims.held_by(workspace=cast.ws, person=cast.id("rosa"), now=now)) == claims.MOST
    assert len(refused) == 8 - claims.MOST


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
    row = _by_person(cast, steps.ticket(cast), "ravi")
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
