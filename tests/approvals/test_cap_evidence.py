"""Loosening a daily cap shows what it stopped, day by day, to who proposes and to who agrees."""

import pytest

from approvals import cap_history, thresholds
from approvals.models import DailyCap, Handoff
from portal import workspace
from tests.api.calls import browser
from tests.approvals import steps
from tests.approvals.test_relaxing import at
from tests.cast import Cast, gather

LOOSER = {"scope": "customer", "currency": "", "writes": "9", "amount": "", "why": "Two of them were right"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def capped(cast: Cast) -> DailyCap:
    """No write to a customer is left today; two refunds of 45.10 and an answer came in."""
    with workspace.within(cast.ws) as now:
        cap = thresholds.set_cap(
            workspace=cast.ws, series="customer-writes", actor="system:test", now=now, scope="customer", writes=0
        )
    for _ in range(2):
        order, case = steps.order(cast), steps.ticket(cast, customer="cu-1")
        made = steps.submit_as_agent(
            cast, case, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds"
        )
        steps.pass_gate(cast, made)
    with workspace.within(cast.ws):
        assert [row.reason for row in Handoff.objects.all()] == ["daily_cap"] * 2
    return cap


def test_a_day_says_how_many_writes_and_how_much_money(cast: Cast) -> None:
    capped(cast)
    with workspace.within(cast.ws) as now:
        (day,) = cap_history.stopped(cast.ws, "customer-writes", now)
        assert (day.writes, day.sums) == (2, ("90.20 EUR",))
        assert cap_history.stopped(cast.ws, "customer", now) == []
        assert cap_history.stopped(cast.ws, "", now) == []
    other = gather()
    with workspace.within(other.ws) as now:
        assert cap_history.stopped(other.ws, "customer-writes", now) == []


def test_both_admins_see_it(cast: Cast) -> None:
    cap = capped(cast)
    anton = browser(cast, "anton")
    asked = anton.post(at(cast, f"dailycap/{cap.pk}/change/"), LOOSER)
    assert "What the cap stopped in the last 90 days" in asked.content.decode()
    assert "90.20 EUR" in asked.content.decode()
    again = anton.post(at(cast, "loosening/propose/"), {"attached": asked.context["attached"], "why": ""})
    for said in ("90.20 EUR", "from 0 to 9"):
        assert said in again.content.decode(), said
    kept = anton.post(at(cast, "loosening/propose/"), {"attached": asked.context["attached"], "why": "So"})
    assert kept.status_code == 302
    assert "90.20 EUR" in browser(cast, "ada").get(kept["Location"]).content.decode()


def test_a_cap_that_stopped_nothing_says_so(cast: Cast) -> None:
    with workspace.within(cast.ws):
        cap = next(row for row in thresholds.caps_in_force(cast.ws) if row.series == "customer-writes")
    asked = browser(cast, "anton").post(at(cast, f"dailycap/{cap.pk}/change/"), LOOSER)
    assert "Nothing: no write came to its limit." in asked.content.decode()
