"""Together, on the pages: what differs is shown, two are opened, all are decided; nothing that was not shown."""

import re

import pytest

from approvals.models import Proposal
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
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


def members(page: str) -> list[str]:
    return re.findall(r'name="member" value="([^"]+)"', page)


def post(desk: Desk, chosen: list[str], looks: list[str]) -> str:
    return text(desk.client.post(f"/w/{desk.cast.workspace.slug}/batches/decide/", {"member": chosen, "look": looks}))


def test_what_is_of_a_kind_is_chosen_two_are_shown_and_all_are_approved(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    page = text(rosa.get("/batches/"))
    assert "Differs: priority" in page
    chosen = members(page)
    assert len(chosen) == 3
    confirm = post(rosa, chosen, [])
    assert [steps.fresh(cast, row).state for row in rows] == ["pending"] * 3
    looks = re.findall(r'name="look" value="([^"]+)"', confirm)
    assert len(looks) == 2
    assert "Approve all 3" in confirm
    assert "3 approved together" in post(rosa, members(confirm), looks)
    assert {steps.fresh(cast, row).state for row in rows} == {"approved"}


def test_marks_of_others_or_of_none_open_nothing(cast: Cast, rows: list[Proposal]) -> None:
    rosa, ravi = sit_down(cast, "rosa"), sit_down(cast, "ravi")
    chosen = members(text(rosa.get("/batches/")))
    looks = re.findall(r'name="look" value="([^"]+)"', post(ravi, chosen, []))
    assert "Approve all 3" in post(rosa, chosen, [*looks, "nonsense"])
    assert [steps.fresh(cast, row).state for row in rows] == ["pending"] * 3


def test_what_was_picked_in_the_queue_is_ticked_and_the_rest_is_named(cast: Cast, rows: list[Proposal]) -> None:
    target = steps.ticket(cast)
    alone = steps.propose(cast, target, "ticket.update", target, {"status": "waiting"})
    picked = ",".join(str(row.pk) for row in (rows[0], rows[1], alone))
    page = text(sit_down(cast, "rosa").get(f"/batches/?of={picked}"))
    assert page.count(" checked") == 2
    assert "To be decided one by one" in page


def test_only_who_decides_is_offered_any_and_one_alone_is_refused(cast: Cast, rows: list[Proposal]) -> None:
    assert sit_down(cast, "odile").get("/batches/").status_code == 403
    rosa = sit_down(cast, "rosa")
    chosen = members(text(rosa.get("/batches/")))
    assert "One alone is no batch" in post(rosa, chosen[:1], [])
