"""An admin looks at what a threshold would have done, tightens it, and loosens it with a second admin."""

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from approvals import decisions, thresholds
from approvals.models import Loosening, Threshold
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast
from tests.journeys.conftest import Desk
from tests.presence import Codes

pytestmark = pytest.mark.journey


def in_force(cast: Cast) -> Threshold:
    with workspace.within(cast.ws):
        return next(row for row in thresholds.in_force(cast.ws) if row.series == "contact-update")


def past(cast: Cast) -> None:
    """Three repairs of contacts, of which a person refused one."""
    for number, name in enumerate(("Ann", "Bea", "Cy")):
        target = steps.contact(cast, {"first_name": name.lower()})
        row = steps.propose(
            cast, target, "contact.update", target, {"changes": {"first_name": name}}, agent="contacts", confidence=0.95
        )
        if number == 2:
            with workspace.within(cast.ws, cast.id("rosa")) as now:
                decisions.reject(
                    workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("rosa"), now=now,
                    reason="wrong_value", note="",
                )  # fmt: skip


def form_of(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.base}admin/approvals/threshold/{in_force(desk.cast).pk}/change/")


def test_an_admin_tightens_backtests_and_loosens_with_a_second(desk: Desk) -> None:
    past(desk.cast)
    anton = desk.sign_in("anton")
    form_of(desk, anton)
    anton.select_option("select[name=people]", "two")
    anton.fill("textarea[name=why]", "Two of last week's were wrong.")
    anton.click("input[name=_save]")
    expect(anton.locator(".messagelist")).to_contain_text("In force")
    assert (in_force(desk.cast).version, in_force(desk.cast).people) == (2, "two")

    asked = f"{desk.base}admin/approvals/threshold/{in_force(desk.cast).pk}/change/?people=one#backtest"
    for page, words in ((anton, "Filled in, and not saved"), (desk.sign_in("mara"), "With this row milder than it is")):
        page.goto(asked)
        expect(page.locator("main")).to_contain_text(f"{words}: people from two to one")
        expect(page.locator("#backtest")).to_contain_text("undone 1 of what fewer people would see than now")

    form_of(desk, anton)
    anton.select_option("select[name=people]", "automatic")
    anton.click("button:has-text('Backtest')")
    result = anton.locator("#backtest")
    expect(result).to_contain_text("3 writes of the last 90 days; 3 would have gone another way")
    expect(result).to_contain_text("People had rejected, edited or undone 1")
    result.locator("a:has-text('1 rejected')").click()
    expect(anton.locator("main")).to_contain_text("Correct first name")
    anton.go_back()

    form_of(desk, anton)
    anton.select_option("select[name=people]", "automatic")
    anton.fill("textarea[name=why]", "They were right for a month.")
    anton.click("input[name=_save]")
    expect(anton.locator("#backtest")).to_contain_text("This loosens something")
    expect(anton.locator("#id_why_propose")).to_have_value("They were right for a month.")
    anton.click("button:has-text('Propose to another admin')")
    expect(anton.locator(".messagelist")).to_contain_text("once another admin agrees")
    expect(anton.locator("button:has-text('Agree')")).to_have_count(0)
    assert in_force(desk.cast).version == 2

    codes = Codes(desk.cast, "ada")
    ada = desk.sign_in("ada", codes)
    ada.goto(f"{desk.base}admin/approvals/threshold/")
    ada.click(".waits a")
    expect(ada.locator("#backtest")).to_contain_text("People had rejected, edited or undone 1")
    ada.click("button:has-text('Agree')")
    ada.fill("input[name=code]", codes.fresh(timezone.now()))
    ada.press("input[name=code]", "Enter")
    expect(ada.locator("main")).to_contain_text("Agreed")
    row = in_force(desk.cast)
    assert (row.version, row.people, row.made_by) == (3, "automatic", f"person:{desk.cast.id('ada')}")
    with workspace.within(desk.cast.ws):
        assert Loosening.objects.get().state == "agreed"

    ada.goto(f"{desk.base}admin/approvals/threshold/{row.pk}/history/")
    expect(ada.locator("#change-history")).to_contain_text("They were right for a month.")
    ada.locator("tr:has-text('Two of last week') button:has-text('Revert')").click()
    expect(ada.locator(".messagelist")).to_contain_text("In force")
    assert (in_force(desk.cast).version, in_force(desk.cast).people) == (4, "two")
    print("\nthresholds: tightened by one, backtested, loosened by two, put back: 4 versions")
