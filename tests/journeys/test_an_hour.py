"""A reviewer's hour, once by keyboard alone and once by mouse alone: the same story by either hand."""

import re
from dataclasses import dataclass

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from approvals.models import Decision, Proposal
from portal import models, workspace
from tests.approvals.test_second_wall import high
from tests.cast import PASSWORD, Cast
from tests.journeys.conftest import Desk
from tests.journeys.hands import Keyboard, Mouse
from tests.journeys.stories import (
    WIDE,
    become,
    decisions_of,
    hold_refunds,
    refund,
    reply,
    shows,
    state_of,
    states_of,
    until,
    waiting,
)  # fmt: skip
from tests.presence import Codes

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]
HANDS = {"keyboard": Keyboard, "mouse": Mouse}


@dataclass
class Morning:
    """What waits when the hour begins."""

    simple: list[Proposal]
    letter: Proposal
    money: Proposal
    several: list[Proposal]
    serious: Proposal

    @classmethod
    def of(cls, cast: Cast) -> "Morning":
        hold_refunds(cast)
        return cls(
            waiting(cast, 4), reply(cast, "Dear Cleo,\nit comes tomorow."), refund(cast, 15_000),
            waiting(cast, 3, status="waiting"), high(cast),
        )  # fmt: skip


class Sitting:
    """One person, one pair of hands."""

    def __init__(self, desk: Desk, name: str, hands: type[Keyboard] | type[Mouse]) -> None:
        self.desk, self.cast, self.name = desk, desk.cast, name
        self.codes = Codes(desk.cast, name)
        self.page = desk.open_page(viewport=WIDE)
        self.hands = hands(self.page)

    def arrive(self) -> None:
        self.page.goto(f"{self.desk.root}/accounts/login/?next=/w/{self.cast.workspace.slug}/")
        self.hands.sign_in(self.cast.people[self.name].email, PASSWORD)
        self.confirm()
        expect(self.page.locator("#detail .item")).to_be_visible()

    def confirm(self) -> None:
        expect(self.page.locator("input[name=code]")).to_be_visible()
        self.hands.code(self.codes.fresh(timezone.now()))

    def told(self, words: str) -> None:
        """The toast says so, and the focus is on what is to be read next."""
        expect(self.page.locator(".toast").first).to_contain_text(words)
        expect(self.page.locator("#detail .item h1")).to_be_focused()

    def look_around(self) -> None:
        first, second = self.page.locator(".row a").nth(0), self.page.locator(".row a").nth(1)
        expect(first).to_have_attribute("aria-current", "true")  # by itself, once it is there
        self.hands.help()
        expect(self.page.locator("#keys")).to_be_visible()
        self.hands.close()
        expect(self.page.locator("#keys")).to_be_hidden()
        self.hands.next()
        expect(second).to_have_attribute("aria-current", "true")
        self.hands.previous()
        expect(first).to_have_attribute("aria-current", "true")
        self.hands.next()
        expect(second).to_have_attribute("aria-current", "true")
        with self.page.expect_response(re.compile(r"/proposals/\d+/(\?.*)?$")):
            self.hands.open()
        expect(self.page).to_have_url(re.compile(r"/proposals/\d+/"))

    def approve_and_take_back(self, row: Proposal) -> None:
        self.hands.find(row)
        self.hands.claim()
        expect(self.page.locator(".hand")).to_contain_text("In your hands")
        self.hands.approve()
        self.told("Approved")
        become(self.cast, row, "applied")
        self.hands.undo()
        expect(self.page.locator("button:text-is('Undo exactly this')")).to_be_visible()
        self.hands.button("Undo exactly this")
        until(lambda: self.priority(row) == "P3", 60)
        expect(self.page.locator(".item-head")).to_contain_text("undo of")
        self.hands.go("Queue")

    def priority(self, row: Proposal) -> str:
        with workspace.within(self.cast.ws):
            return models.Ticket.objects.get(ticket_id=row.target.partition(":")[2]).priority

    def reject_and_think_again(self, row: Proposal) -> None:
        self.hands.find(row)
        self.hands.reject("wrong_value", "Not before Monday.")
        self.told("Rejected.")
        self.hands.undo()
        self.told("It waits for a decision again.")
        shows(self.page, row)
        assert state_of(self.cast, row) == "pending"
        self.hands.reject("not_needed", "The customer has written again.")
        self.told("Rejected.")

    def put_a_letter_right(self, row: Proposal) -> None:
        self.hands.find(row)
        self.hands.edit("body", "Dear Cleo,\nit comes tomorrow.")
        self.hands.button("Save as revision 2")
        expect(self.page.locator("#detail")).to_contain_text("it comes tomorrow.")
        self.hands.approve()
        self.told("Approved. It is carried out in")

    def lay_aside(self, row: Proposal) -> None:
        self.hands.find(row)
        self.hands.snooze()
        expect(self.page.locator(f".row a[data-item='proposal:{row.pk}']")).to_have_count(0)
        self.hands.go("Snoozed")
        self.hands.find(row)
        self.hands.bring_back()
        expect(self.page.locator(".item-head")).not_to_contain_text("Laid aside")
        self.hands.go("Queue")

    def stop_money(self, row: Proposal) -> None:
        order = row.target.partition(":")[2]
        self.hands.search(order)
        shows(self.page, row)
        self.hands.approve()
        expect(self.page.locator(".toast").first).to_contain_text(re.compile(r"carried out in 1:[0-2]\d"))
        self.hands.undo()
        become(self.cast, row, "pending")
        self.told("It waits for a decision again.")
        self.hands.claim()
        expect(self.page.locator(".hand")).to_contain_text("In your hands")
        self.hands.release()
        expect(self.page.locator(".hand")).to_have_count(0)
        self.hands.go("Waiting")

    def several_together(self, rows: list[Proposal], between: Proposal) -> None:
        """Two are picked, another is decided in between, which renews the list, and a third is picked."""
        self.hands.pick(rows[0])
        self.hands.pick(rows[1])
        expect(self.page.locator("#together")).to_contain_text("2 together")
        self.hands.find(between)
        self.hands.approve()
        self.told("Approved")
        expect(self.page.locator(f".row a[data-item='proposal:{between.pk}']")).to_have_count(0)
        expect(self.page.locator(".row :checked")).to_have_count(2)
        self.hands.pick(rows[2])
        self.hands.go("3 together")
        expect(self.page.locator("h1")).to_have_text("Together")
        expect(self.page.locator("input[name=member]:checked")).to_have_count(3)
        self.hands.button("Go on with what is ticked")
        self.hands.button("Approve all 3")
        expect(self.page.locator("h1")).to_have_text("3 approved together")
        self.hands.undo()
        expect(self.page.locator("h1")).to_contain_text("3 stopped")
        assert states_of(self.cast, rows) == {"pending"}
        self.hands.go("Queue")
        expect(self.page.locator("#together")).to_contain_text("Together")

    def one_of_two(self, row: Proposal) -> None:
        """No single key approves on high tier; the button asks who is there."""
        self.hands.go("Waiting")
        self.hands.find(row)
        self.page.keyboard.press("a") if isinstance(self.hands, Keyboard) else None
        expect(self.page.locator("footer.decide button:text-is('Approve')")).to_be_visible()
        assert not self.has_voted(row)
        self.hands.button("Approve")
        expect(self.page.locator("h1")).to_have_text("Confirm that it is you")
        expect(self.page.locator("main dt:text-is('Amount') + dd")).to_have_text("900.00 EUR")
        self.confirm()
        until(lambda: self.has_voted(row), 20)

    def has_voted(self, row: Proposal) -> bool:
        with workspace.within(self.cast.ws):
            return Decision.objects.filter(proposal=row, person=self.cast.id(self.name)).exists()

    def leave(self) -> None:
        self.hands.go("Sign out")
        expect(self.page.locator("input[name=login]")).to_be_visible()


@pytest.mark.parametrize("name", HANDS)
def test_a_reviewers_hour(desk: Desk, name: str) -> None:
    work = Morning.of(desk.cast)
    ravi = Sitting(desk, "ravi", HANDS[name])
    ravi.arrive()
    ravi.look_around()
    ravi.approve_and_take_back(work.simple[0])
    ravi.reject_and_think_again(work.simple[1])
    ravi.put_a_letter_right(work.letter)
    ravi.lay_aside(work.simple[2])
    ravi.stop_money(work.money)
    ravi.several_together(work.several, between=work.simple[3])
    ravi.one_of_two(work.serious)
    expect(ravi.page.locator(".toast").first).to_contain_text("1 of 2")
    ravi.leave()
    mara = Sitting(desk, "mara", HANDS[name])
    mara.arrive()
    mara.one_of_two(work.serious)
    become(desk.cast, work.serious, "applied")
    mara.leave()
    both = (ravi.hands, mara.hands)
    other = "pointer" if name == "keyboard" else "keys"
    touched = sum(hands.used(other) for hands in both)
    print(
        f"\n{name}: {sum(hands.steps for hands in both)} steps, {decisions_of(desk.cast)} decisions,"
        f" {touched} times the {'mouse' if name == 'keyboard' else 'keys'}"
    )
    own = "keys" if name == "keyboard" else "pointer"
    assert sum(hands.used(own) for hands in both) > 0, "nothing was counted"
    assert touched == 0
