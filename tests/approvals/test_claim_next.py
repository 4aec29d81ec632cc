"""Claim-next hands out the most urgent of what a person may decide; no item is served twice or lost."""

import secrets
import threading
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import claims, decisions, proposals, revising, thresholds
from approvals.models import Case, Claim, Handoff, Proposal
from audit import log
from portal import skills, workspace
from portal.models import Person, Queue, Role, Ticket
from tests.approvals import steps
from tests.approvals.claiming import REVIEWER, by_person, let_lapse, next_for, open_places, proposed
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


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
    own = by_person(cast, target, "rosa")
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
        versions = [row.proposer_version for row in Proposal.objects.filter(submission=made)]
    assert versions == (["7"] if kind == "action" else [])


def test_only_who_decides_is_served(cast: Cast) -> None:
    open_places(cast, 1)
    with pytest.raises(claims.NotYours):
        next_for(cast, "odile", roles=[Role.AUDITOR])
    assert next_for(cast, "rosa")


def test_what_waits_for_its_customer_is_not_served_until_the_case_goes_on(cast: Cast) -> None:
    (paused,), paused_too, (free,) = open_places(cast, 1), proposed(cast), open_places(cast, 1)
    with workspace.within(cast.ws) as now:
        cases = [Handoff.objects.get(pk=int(paused[8:])).case_id, paused_too.case_id]
        Case.objects.filter(pk__in=cases).update(waiting_since=now)
        Claim.objects.filter(workspace=cast.ws).exclude(item=free).update(urgency=0)  # long past, as it stood still
        Claim.objects.filter(workspace=cast.ws, item=free).update(urgency=1)
    assert [next_for(cast, "rosa") for _ in range(2)] == [free, ""]
    with workspace.within(cast.ws):
        Case.objects.filter(pk__in=cases).update(waiting_since=None)
    assert [next_for(cast, "rosa") for _ in range(2)] == [paused, f"proposal:{paused_too.pk}"]


def test_one_of_many_that_wait_for_their_customers_is_kept_from_others_meanwhile_at_most(cast: Cast) -> None:
    items = open_places(cast, 9)
    with workspace.within(cast.ws) as now:
        case = Handoff.objects.get(pk=int(items[0][8:])).case_id
        Case.objects.filter(pk=case).update(waiting_since=now)
        Claim.objects.filter(workspace=cast.ws).update(urgency=0)
    (free,) = open_places(cast, 1)  # on a ticket of its own
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        taken = claims.claim_next(workspace=cast.ws, person=cast.id("rosa"), now=now, roles=REVIEWER)
        assert taken is not None
        assert (taken.item, len(unlocked(cast))) == (free, len(items) - 1)


def unlocked(cast: Cast) -> list[int]:
    """The places that another connection may take now."""
    found: list[int] = []

    def look() -> None:
        with workspace.within(cast.ws):
            rows = Claim.objects.filter(workspace=cast.ws).select_for_update(skip_locked=True)
            found.extend(rows.values_list("pk", flat=True))
        connection.close()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found


@pytest.mark.parametrize(("decides", "waits"), [(True, "on"), (False, "off")])
def test_a_claim_waits_for_the_disk_where_a_decision_came_before_it(cast: Cast, decides: bool, waits: str) -> None:
    """In play mode both are one transaction; what was reported as decided is there after a crash."""
    first, _second = proposed(cast), proposed(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now, connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = on")
        if decides:
            decisions.approve(
                workspace=cast.ws, proposal=first.pk, seen=steps.seen(first), person=cast.id("rosa"), now=now
            )  # fmt: skip
        assert claims.claim_next(workspace=cast.ws, person=cast.id("rosa"), now=now, roles=REVIEWER)
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (waits,)


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
