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
    sent = {"member": chosen, "look": looks}
    return text(desk.client.post(f"/w/{desk.cast.workspace.slug}/batches/decide/", sent, follow=True))


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
    assert len(looks) == 2
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


def test_what_is_refused_comes_back_as_it_was_ticked(cast: Cast, rows: list[Proposal]) -> None:
    rosa = sit_down(cast, "rosa")
    chosen = members(text(rosa.get("/batches/")))
    alone = post(rosa, chosen[1:2], [])
    assert "One alone is no batch" in alone
    assert re.findall(r'value="([^"]+)" checked', alone) == chosen[1:2]
    none = post(rosa, [], [])
    assert (members(none), none.count(" checked")) == (chosen, 0)


def test_a_batch_is_taken_back_from_its_own_page(cast: Cast, rows: list[Proposal]) -> None:
    rosa, ravi, odile = sit_down(cast, "rosa"), sit_down(cast, "ravi"), sit_down(cast, "odile")
    confirm = post(rosa, members(text(rosa.get("/batches/"))), [])
    done = post(rosa, members(confirm), re.findall(r'name="look" value="([^"]+)"', confirm))
    assert "Undo all 3" in done
    (batch,) = re.findall(r'name="batch" value="([^"]+)"', done)
    assert ravi.post("/batches/undo/", {"batch": batch}).status_code == 403  # neither his nor a manager
    assert odile.post("/batches/undo/", {"batch": batch}).status_code == 403
    assert rosa.post("/batches/undo/", {"batch": "nothing"}).status_code == 404
    back = text(rosa.post("/batches/undo/", {"batch": batch}))
    assert "3 stopped, 0 being undone" in back
    assert all(row.summary in back for row in rows)
    assert {steps.fresh(cast, row).state for row in rows} == {"pending"}
    assert "3 left as they are" in text(rosa.post("/batches/undo/", {"batch": batch}))


def test_what_was_picked_and_decided_meanwhile_is_named_as_such(cast: Cast, rows: list[Proposal]) -> None:
    steps.approve(cast, rows[2], "ravi")
    page = text(sit_down(cast, "rosa").get(f"/batches/?of={rows[0].pk}&of={rows[1].pk},{rows[2].pk}"))
    assert page.count(" checked") == 2
    assert "To be decided one by one" not in page
    assert rows[2].summary in page.partition("Decided meanwhile")[2].partition("</section>")[0]


def test_what_waits_can_be_picked_by_who_decides(cast: Cast, rows: list[Proposal]) -> None:
    assert text(sit_down(cast, "rosa").get()).count('form="together"') == 3
    assert 'form="together"' not in text(sit_down(cast, "odile").get())
