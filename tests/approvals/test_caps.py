"""Daily caps: whose day it is."""

from datetime import UTC, datetime

import pytest

from approvals import caps
from approvals.models import CapUse
from portal import hours, models, workspace
from tests.approvals import steps
from tests.cast import Cast, gather

LATE = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.mark.parametrize(("zone", "day"), [("UTC", 1), ("Pacific/Auckland", 2), ("America/Denver", 1)])
def test_a_cap_counts_the_day_of_the_workspace(cast: Cast, zone: str, day: int) -> None:
    with workspace.within(cast.ws) as now:
        hours.set_hours(
            workspace=models.Workspace.objects.get(pk=cast.ws), time_zone=zone, hours={}, closed_on=[],
            actor="system:test", now=now,
        )  # fmt: skip
        assert caps.Day(cast.ws, LATE).today.day == day


def test_what_the_gate_reserves_is_reserved_for_that_day(cast: Cast) -> None:
    order, case = steps.order(cast), steps.ticket(cast, customer="cu-1")
    steps.propose(cast, case, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")
    with workspace.within(cast.ws) as now:
        assert set(CapUse.objects.values_list("day", flat=True)) == {hours.today(cast.ws, now)}
