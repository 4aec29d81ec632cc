"""What was approved together has an address: who, when, what became of each, and the way back while there is one."""

import re

import pytest
from django.http import HttpResponse

from approvals import thresholds
from approvals.models import Proposal
from portal import workspace
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_batch_pages import members, post
from tests.approvals.test_batches import release
from tests.cast import Cast, gather


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def rows(cast: Cast) -> list[Proposal]:
    made = []
    for priority in ("P1", "P2", "P4"):
        target = steps.ticket(cast)
        made.append(steps.propose(cast, target, "ticket.update", target, {"priority": priority}))
    return made


def approved(desk: Desk) -> HttpResponse:
    """All that is offered to them, approved; the answer to the press."""
    confirm = post(desk, members(text(desk.get("/batches/"))), [])
    chosen = {"member": members(confirm), "look": re.findall(r'name="look" value="([^"]+)"', confirm)}
    return desk.post("/batches/decide/", chosen)


def test_a_batch_has_an_address_of_its_own_with_the_way_back_on_it(cast: Cast, rows: list[Proposal]) -> None:
    rosa, ravi, mara, odile = (sit_down(cast, name) for name in ("rosa", "ravi", "mara", "odile"))
    answer = approved(rosa)
    assert answer.status_code == 303
    where = answer["Location"]
    for _ in range(2):
        page = text(rosa.client.get(where))
        assert "3 approved together" in page
        assert "Rosa Lindqvist" in page
        assert "Undo all 3" in page
        assert all(row.summary in page for row in rows)
    assert "Undo all 3" in text(mara.client.get(where))
    for other in (ravi, odile):
        page = text(other.client.get(where))
        assert "3 approved together" in page
        assert "Undo all" not in page
    assert sit_down(gather(), "rosa").get(f"/batches/{where.split('/')[-2]}/").status_code == 404
    for nothing in ("0" * 32, "nothing"):
        assert rosa.get(f"/batches/{nothing}/").status_code == 404


def test_what_was_left_out_is_told_once(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    confirm = post(rosa, members(text(rosa.get("/batches/"))), [])
    steps.approve(cast, rows[1], "ravi")
    looks = re.findall(r'name="look" value="([^"]+)"', confirm)
    answer = rosa.post("/batches/decide/", {"member": members(confirm), "look": looks})
    first, again = (text(rosa.client.get(answer["Location"])) for _ in range(2))
    left_out = first.partition("Left out")[2].partition("</section>")[0]
    assert rows[1].summary in left_out
    assert "It is approved now." in left_out
    assert "2 approved together" in again
    assert "Left out" not in again


def test_what_is_pressed_twice_says_what_was_approved(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    confirm = post(rosa, members(text(rosa.get("/batches/"))), [])
    looks = re.findall(r'name="look" value="([^"]+)"', confirm)
    post(rosa, members(confirm), looks)
    again = post(rosa, members(confirm), looks)
    assert "3 approved together" in again
    assert "Left out" not in again


def test_where_all_of_it_changed_nothing_is_approved_and_each_is_named(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    confirm = post(rosa, members(text(rosa.get("/batches/"))), [])
    for row in rows:
        steps.approve(cast, row, "ravi")
    page = post(rosa, members(confirm), re.findall(r'name="look" value="([^"]+)"', confirm))
    assert "0 approved together" in page
    assert all(row.summary in page.partition("Left out")[2] for row in rows)


def test_what_was_taken_back_in_part_offers_the_rest_and_then_nothing(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    where = approved(rosa)["Location"]
    rosa.decide(steps.fresh(cast, rows[0]), "stop")
    page = text(rosa.client.get(where))
    assert "Undo 2 of them" in page
    assert "stopped or edited since" in page
    rosa.post("/batches/undo/", {"batch": where.split("/")[-2]})
    assert "batches/undo/" in page
    page = text(rosa.client.get(where))
    assert "3 approved together" in page
    assert "batches/undo/" not in page


def test_what_is_approved_again_after_it_was_taken_back_is_counted_once(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    where = approved(rosa)["Location"]
    batch = where.split("/")[-2]
    rosa.post("/batches/undo/", {"batch": batch})
    assert approved(rosa)["Location"] == where
    assert "Undo all 3" in text(rosa.client.get(where))
    assert "3 stopped, 0 being undone</h1>" in text(rosa.post("/batches/undo/", {"batch": batch}))


def test_what_waits_for_a_second_person_is_not_told_to_be_held(cast: Cast) -> None:
    waits, held = "It waits for the approval of somebody else.", "held for five minutes"
    rosa, ravi = sit_down(cast, "rosa"), sit_down(cast, "ravi")
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="low", people="two",
        )  # fmt: skip
    made = []
    for _ in range(2):
        target = steps.ticket(cast)
        made.append(steps.propose(cast, target, "ticket.update", target, {"priority": "P2"}))
    where = approved(rosa)["Location"]
    page = text(rosa.client.get(where))
    assert page.count(waits) == 2
    assert "undoing takes the approval back" in page
    assert held not in page
    assert text(ravi.client.get(where)).count(waits) == 2
    steps.approve(cast, made[0], "ravi")
    page = text(rosa.client.get(where))
    assert (page.count(waits), held in page, "undoing takes the approval back" in page) == (1, True, True)
    hers = text(sit_down(cast, "mara").client.get(where))
    assert ("Undo 1 of them" in hers, "undoing takes the approval back" in hers) == (True, False)
    back = text(rosa.post("/batches/undo/", {"batch": where.split("/")[-2]}))
    assert (back.count("Stopped."), back.count("The approval is taken back.")) == (1, 1)


def test_a_member_leads_to_its_batch(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    where = approved(rosa)["Location"]
    assert f'href="{where}"' in text(rosa.get(f"/proposals/{rows[0].pk}/"))
    assert f'href="{where}"' in text(rosa.get(f"/cases/{rows[0].case_id}/"))


def test_what_went_out_is_not_offered_to_be_undone(cast: Cast) -> None:
    rosa, made = sit_down(cast, "rosa"), []
    for n in range(2):
        order, case = steps.order(cast, customer=f"cu-{n}"), steps.ticket(cast, customer=f"cu-{n}")
        args = steps.refund_args(order, customer=f"cu-{n}")
        made.append(steps.propose(cast, case, "refund.create", f"order:{order}", args, agent="refunds"))
    where = approved(rosa)["Location"]
    assert "Undo all 2" in text(rosa.client.get(where))
    for row in made:
        release(cast, row)
    assert {steps.apply(cast, row).state for row in made} == {"applied"}
    assert "batches/undo/" not in text(rosa.client.get(where))
