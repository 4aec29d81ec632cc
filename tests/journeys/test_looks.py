"""What was on whose screen, and for how long, ends on the log: by a beacon, or with the decision."""

import json
from typing import Any

import pytest
from playwright.sync_api import expect

from approvals.models import Proposal
from audit.models import Entry
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import opened, until

pytestmark = pytest.mark.journey


def said(cast: Cast, event: str) -> list[dict[str, Any]]:
    with workspace.within(cast.ws):
        rows = Entry.objects.filter(event=event).order_by("pk")
        return [json.loads(row.canonical) for row in rows]


def update(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})


def test_a_page_that_is_left_says_how_long_it_was_in_sight(desk: Desk) -> None:
    first, second = update(desk.cast), update(desk.cast)
    page = desk.sign_in("rosa")
    opened(desk, page, first)
    page.wait_for_timeout(2_400)
    page.click(f".row a[data-item='proposal:{second.pk}']")
    expect(page.locator(f"article[data-item='proposal:{second.pk}']")).to_be_visible()
    until(lambda: len(said(desk.cast, "item.seen")) == 1, 10)
    (look,) = said(desk.cast, "item.seen")
    assert look["body"]["item"] == f"proposal:{first.pk}"
    assert look["body"]["digest"] == first.digest
    assert look["actor"] == f"person:{desk.cast.id('rosa')}"
    assert 2 <= look["body"]["seconds"] <= 20
    page.wait_for_timeout(2_100)
    page.click("footer.decide button:has-text('Approve')")
    expect(page.locator(".toast").first).to_be_visible()
    until(lambda: len(said(desk.cast, "decision.recorded")) == 1, 10)
    (decision,) = said(desk.cast, "decision.recorded")
    assert 2 <= decision["body"]["seconds"] <= 20
    assert len(said(desk.cast, "item.seen")) == 1  # the decision has told it
