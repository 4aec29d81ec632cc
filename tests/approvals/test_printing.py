"""Pages for paper: everything unfolded, no control, whose it is and who printed it; times that need no pointer."""

import re

import pytest

from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.approvals.test_citations import DAYS, cite, hand_in
from tests.cast import Cast, gather

NOW = re.compile(r"under 1 min ago, \d\d:\d\d<")


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_an_item_is_printed_unfolded_without_controls_and_says_by_whom(cast: Cast) -> None:
    steps.page(cast, DAYS)
    (row, *_), _ = hand_in(cast, cite())
    desk, where = sit_down(cast, "rosa"), f"/proposals/{row.pk}/"
    assert f'{where}?print=1">Print</a>' in text(desk.get(where))
    page = text(desk.get(f"{where}?print=1"))
    body = page[page.index("<main") : page.index("</main>")]
    assert "<form" not in body
    assert "<button" not in body
    assert all(tag.endswith(" open>") for tag in re.findall("<details[^>]*>", body))
    assert "<details open><summary>" in body
    assert "Kestrel &amp; Pine" in body
    assert re.search(r"Printed by Rosa Lindqvist, <time [^>]*>\d\d \w+ \d{4}, \d\d:\d\d:\d\d</time>", body)
    assert 'class="queue' not in page
    assert sit_down(gather(), "rosa").get(f"{where}?print=1").status_code == 404


def test_a_case_and_a_handoff_are_printed_so_too(cast: Cast) -> None:
    order = steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    row = steps.propose(
        cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds", confidence=0.1
    )
    desk = sit_down(cast, "rosa")
    assert f'/cases/{row.case_id}/?print=1">Print</a>' in text(desk.get(f"/cases/{row.case_id}/"))
    page = text(desk.get(f"/cases/{row.case_id}/?print=1"))
    body = page[page.index("<main") : page.index("</main>")]
    assert "<form" not in body
    assert "Do it myself" not in body
    assert "<details open>" in body
    assert "Printed by Rosa Lindqvist" in body


def test_the_exact_time_stands_beside_the_relative_one_where_an_item_is_read(cast: Cast) -> None:
    target = steps.ticket(cast)
    row = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    desk = sit_down(cast, "rosa")
    for where in (f"/proposals/{row.pk}/", f"/cases/{row.case_id}/"):
        assert NOW.search(text(desk.get(where))), where
    assert re.search(r"left, (\d+ \w+, )?\d\d:\d\d</time>", text(desk.get(f"/proposals/{row.pk}/")))
    assert not NOW.search(text(desk.get("/cases/"))), "a list stays calm"
