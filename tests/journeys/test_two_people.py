"""Two people approve one change, in two browsers: one after the other, and at the same instant."""

import re
import time

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import thresholds
from approvals.models import Decision, Proposal, Receipt
from portal import workspace
from tests.approvals.test_second_wall import high
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.journeys.stories import become, decisions_of, opened, state_of, waiting
from tests.presence import Codes

pytestmark = pytest.mark.journey
APPROVE = "footer.decide button:text-is('Approve')"
# Both pages press by the one clock of the machine.
PRESS_AT = "at => { setTimeout(() => document.querySelector('.decide [data-key=a]').click(), at - Date.now()); }"
INSTANT_MS = 400


def votes(cast: Cast, row: Proposal) -> int:
    with workspace.within(cast.ws):
        return Decision.objects.filter(proposal=row, kind="approve").count()


def applications(cast: Cast) -> int:
    with workspace.within(cast.ws):
        return Receipt.objects.count()


def ask_for_two(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="ticket-update", actor="system:test", now=now, action="ticket.update",
            tier="medium", people="two",
        )  # fmt: skip


def vote(page: Page, codes: Codes) -> None:
    page.click(APPROVE)
    page.fill("input[name=code]", codes.fresh(timezone.now()))
    page.press("input[name=code]", "Enter")


def test_the_second_sees_one_of_two_and_nobody_votes_twice(desk: Desk) -> None:
    row = high(desk.cast)
    codes = {name: Codes(desk.cast, name) for name in ("ravi", "mara")}
    ravi, mara = (desk.sign_in(name, codes[name]) for name in codes)
    opened(desk, ravi, row)
    before = ravi.context.new_page()  # a second window of his, which stays as it was before his vote
    opened(desk, before, row)
    vote(ravi, codes["ravi"])
    expect(ravi.locator(".toast").first).to_contain_text("1 of 2")
    opened(desk, ravi, row)
    expect(ravi.locator("footer.decide")).to_contain_text("You have approved this; it waits for somebody else.")
    expect(ravi.locator(APPROVE)).to_have_count(0)
    before.click(APPROVE)
    expect(before.locator(".problem")).to_contain_text("You have approved this")
    assert (votes(desk.cast, row), state_of(desk.cast, row)) == (1, "pending")
    opened(desk, mara, row)
    expect(mara.locator(".item-side")).to_contain_text("1 of 2")
    vote(mara, codes["mara"])
    expect(mara.locator(".toast").first).to_contain_text("Approved")
    become(desk.cast, row, "applied")
    assert (votes(desk.cast, row), applications(desk.cast)) == (2, 1)
    print(f"\ntwo people: {decisions_of(desk.cast)} votes, a third refused, {applications(desk.cast)} application")


def test_both_at_the_same_instant_apply_it_once(desk: Desk) -> None:
    ask_for_two(desk.cast)
    rows = waiting(desk.cast, 5)
    pages = [desk.sign_in(name) for name in ("rosa", "ravi")]
    for row in rows:
        for page in pages:
            opened(desk, page, row)
        instant = time.time() * 1000 + INSTANT_MS
        for page in pages:
            page.evaluate(PRESS_AT, instant)
        for page in pages:
            expect(page.locator(".toast").first).to_contain_text(re.compile("Approved|Your approval counts: 1 of 2"))
        become(desk.cast, row, "applied")
    assert [votes(desk.cast, row) for row in rows] == [2] * len(rows)
    assert applications(desk.cast) == len(rows)
    print(f"\nat the same instant: {decisions_of(desk.cast)} votes, {applications(desk.cast)} applications")
