"""Twenty-five decided together, of which three changed between the look and the press."""

import pytest
from playwright.sync_api import expect

from approvals import revising
from approvals.models import Proposal
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import WIDE, decisions_of, reject, states_of, waiting

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def change_three(cast: Cast, rows: list[Proposal]) -> None:
    """Ravi rejects one, edits one and approves one, while somebody else looks at all of them."""
    rejected, edited, approved = rows
    who = {"workspace": cast.ws, "person": cast.id("ravi")}
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        revising.edit(proposal=edited.pk, seen=steps.seen(edited), args={"priority": "P2"}, now=now, **who)
    reject(cast, rejected, "ravi")
    steps.approve(cast, approved, "ravi")


def test_three_that_changed_are_left_out_and_named_and_22_are_decided(desk: Desk) -> None:
    rows = waiting(desk.cast, 25)
    changed, others = [rows[3], rows[11], rows[24]], [*rows[:3], *rows[4:11], *rows[12:24]]
    page = desk.sign_in("rosa", viewport=WIDE)
    expect(page.locator(".row")).to_have_count(25)
    for row in rows:
        page.check(f".row:has(a[data-item='proposal:{row.pk}']) .pick input")
    page.click("#together .button")
    expect(page.locator("input[name=member]:checked")).to_have_count(25)
    page.click("button:text-is('Go on with what is ticked')")
    expect(page.locator("button:text-is('Approve all 25')")).to_be_visible()
    change_three(desk.cast, changed)
    page.click("button:text-is('Approve all 25')")
    expect(page.locator("h1")).to_have_text("22 approved together")
    left_out = page.locator("section:has(h2:text-is('Left out')) li")
    expect(left_out).to_have_count(3)
    for row in changed:
        expect(left_out.filter(has=page.locator(f"a[href$='/proposals/{row.pk}/']"))).to_contain_text(
            steps.fresh(desk.cast, row).summary
        )
    assert states_of(desk.cast, others) == {"approved"}
    assert decisions_of(desk.cast) == 22 + 3  # Ravi's own three; an edit counts as one
    page.click("button:text-is('Undo all 22')")
    expect(page.locator("h1")).to_have_text("22 stopped, 0 being undone")
    assert states_of(desk.cast, others) == {"pending"}
    print("\nbatch of 25: 22 decided, 3 changed meanwhile left out and named, 22 taken back by one press")
