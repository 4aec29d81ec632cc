"""The queue by keyset: every item once, in order, in a number of statements that does not grow."""

import re
from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals import counting, queries, searching
from approvals.models import Case, Proposal
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_managing import propose_handoff
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(counting, "KEPT_SECONDS", 0)  # each page counts for itself
    return gather()


def propose(cast: Cast, count: int) -> list[Proposal]:
    made = []
    for _ in range(count):
        target = steps.ticket(cast)
        made.append(steps.propose(cast, target, "ticket.update", target, {"priority": "P1"}))
    return made


def pages(cast: Cast, filters: searching.Filters) -> list[list[int]]:
    found, after = [], ""
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        while True:
            page = queries.page(workspace=cast.ws, filters=filters, person=cast.id("rosa"), now=now, after=after)
            found.append([row.key for row in page.rows])
            after = page.after
            if not after:
                return found


def test_the_queue_takes_the_same_number_of_statements_for_1_25_and_60_items(cast: Cast) -> None:
    desk, counted = sit_down(cast, "rosa"), []
    for more in (1, 24, 35):
        propose(cast, more)
        desk.get("/")
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert desk.get("/").status_code == 200
        counted.append(len(caught))
    assert counted[0] == counted[1] == counted[2]
    assert counted[0] <= 42

    rows = pages(cast, searching.Filters())
    assert [len(page) for page in rows] == [25, 25, 10]
    keys = [key for page in rows for key in page]
    assert len(set(keys)) == 60
    with workspace.within(cast.ws):
        order = list(Proposal.objects.order_by("urgency", "pk").values_list("pk", flat=True))
    assert keys == order


def test_a_row_comparison_is_served_by_the_index_of_the_queue(cast: Cast) -> None:
    propose(cast, 2)
    with workspace.within(cast.ws, cast.id("rosa")) as now, CaptureQueriesContext(connection) as caught:
        queries.page(workspace=cast.ws, filters=searching.Filters(), person=cast.id("rosa"), now=now, after="5.7")
        statement = next(q["sql"] for q in caught if "(p.urgency, p.id) >" in q["sql"])
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute("EXPLAIN " + statement)
            plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "OFFSET" not in statement
    assert "Index Cond" in plan
    assert "ROW(" in plan


def test_what_has_ended_is_shown_newest_first(cast: Cast) -> None:
    made = propose(cast, 3)
    desk = sit_down(cast, "rosa")
    for proposal in made:
        assert desk.decide(proposal, "reject", reason="other").status_code == 302
    assert pages(cast, searching.read({"state": "rejected"})) == [[p.pk for p in reversed(made)]]


def test_filters_and_search_narrow_by_exact_columns(cast: Cast) -> None:
    one, _ = propose(cast, 2)
    assert pages(cast, searching.read({"tier": "high"})) == [[]]
    assert pages(cast, searching.read({"q": one.target})) == [[one.pk]]
    assert pages(cast, searching.read({"q": one.target.partition(":")[2]})) == [[one.pk]]
    assert len(pages(cast, searching.read({"agent": "triage", "action": "ticket.update"}))[0]) == 2
    with workspace.within(cast.ws):
        assert counting.agents(cast.ws) == ["triage"]
    assert counters(cast)["pending"] == "2"


def test_hand_offs_are_found_by_the_records_of_their_case(cast: Cast) -> None:
    one, other = propose_handoff(cast), propose_handoff(cast)
    with workspace.within(cast.ws):
        ticket = Case.objects.get(pk=one.case_id).subject
    for said in (ticket, ticket.partition(":")[2], f"{ticket} {ticket.partition(':')[2]}"):
        assert pages(cast, searching.read({"state": "handoffs", "q": said})) == [[one.pk]]
    assert pages(cast, searching.read({"state": "resolved", "q": ticket})) == [[]]
    assert pages(cast, searching.read({"state": "handoffs", "q": "order:#W1"})) == [[]]
    order = steps.order(cast, amount=4_510)
    args = steps.refund_args(order, amount=4_510)
    steps.propose(cast, ticket, "refund.create", f"order:{order}", args, agent="refunds")
    (found,) = pages(cast, searching.read({"state": "handoffs", "q": f"order:{order}"}))
    assert one.pk in found
    assert other.pk not in found
    page = sit_down(cast, "rosa").get("/?state=handoffs&q=tier:high").content.decode()
    assert "tier:high is not an operator here. Try: order:#W123 ticket:T-1 contact:C-1" in page
    assert 'type="search"' in page
    assert 'data-key="/"' in page
    assert f"/handoffs/{other.pk}/" in page


@pytest.mark.parametrize("state", ["resolved", "applying", "expired", "withdrawn"])
def test_what_has_ended_is_reached_by_a_link(cast: Cast, state: str) -> None:
    page = sit_down(cast, "rosa").get("/").content.decode()
    assert f'href="/w/{cast.workspace.slug}/?state={state}"' in page
    assert counters(cast)[state] == "0"


def test_a_counter_stops_at_its_cap(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    propose(cast, 3)
    monkeypatch.setattr(counting, "COUNTED", 2)
    assert counters(cast)["pending"] == "2+"


def counters(cast: Cast) -> dict[str, str]:
    with workspace.within(cast.ws) as now:
        return counting.counters(workspace=cast.ws, now=now, anew=True)


def test_what_came_in_since_is_counted_and_rows_stay(cast: Cast) -> None:
    (first,) = propose(cast, 1)
    desk = sit_down(cast, "rosa")
    propose(cast, 2)
    assert "2 new" in desk.get(f"/new/?since={first.pk}").content.decode()
    assert desk.get(f"/new/?since={first.pk + 10}").content.decode().strip() == ""


def test_mine_shows_what_one_holds(cast: Cast) -> None:
    one, _ = propose(cast, 2)
    sit_down(cast, "rosa").post(f"/claims/proposal:{one.pk}/")
    assert pages(cast, searching.read({"mine": "1"})) == [[one.pk]]


def asked(cast: Cast, now: datetime) -> dict[str, Any]:
    """The whole queue, as Rosa sees it."""
    return {"workspace": cast.ws, "filters": searching.Filters(), "person": cast.id("rosa"), "now": now}


def keys_in(page: str) -> list[int]:
    """The rows of the list in the page, in order."""
    return [int(key) for key in re.findall(r'data-item="proposal:(\d+)"', page[: page.index('id="detail"')])]


def test_a_decision_far_down_brings_the_list_as_far_as_the_item_it_leads_to(cast: Cast) -> None:
    made = propose(cast, 60)
    desk = sit_down(cast, "rosa")
    seen = {"revision": made[39].revision, "digest": made[39].digest}
    htmx = {"HX-Request": "true", "HX-Target": "desk"}
    page = text(desk.post(f"/proposals/{made[39].pk}/approve/", seen, **htmx))
    assert keys_in(page) == [one.pk for one in made[:39] + made[40:51]]
    assert re.search(rf'data-item="proposal:{made[40].pk}" aria-current="true"', page)
    rest = re.search(r'hx-get="[^"]*?(after=[\d.]+)"', page)
    assert rest is not None
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        behind = queries.page(after=rest[1].removeprefix("after="), **asked(cast, now))
    assert [row.key for row in behind.rows] == [one.pk for one in made[51:]]


def test_a_list_is_no_longer_than_its_first_page_where_the_item_stands_on_it_or_nowhere(cast: Cast) -> None:
    made = propose(cast, 27)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        for item in (f"proposal:{made[24].pk}", f"handoff:{made[26].pk}", "proposal:0", ""):
            assert len(queries.reaching(item, **asked(cast, now)).rows) == queries.PAGE, item
        assert len(queries.reaching(f"proposal:{made[26].pk}", **asked(cast, now)).rows) == 27
