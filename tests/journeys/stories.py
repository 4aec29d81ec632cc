"""What stories of the desk share: work that waits for people, what became of it, and waiting until it did."""

import time
from collections.abc import Callable, Iterable

from playwright.sync_api import Page, expect

from approvals import decisions, thresholds
from approvals.models import Decision, Proposal
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast
from tests.journeys.conftest import Desk

WIDE = {"width": 1440, "height": 900}
LONG_HOLD = 90


def until(what: Callable[[], bool], seconds: float) -> float:
    """Wait for something the workers do; returns how long it took."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if what():
            return time.monotonic() - start
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s")


def state_of(cast: Cast, proposal: Proposal) -> str:
    return steps.fresh(cast, proposal).state


def states_of(cast: Cast, proposals: Iterable[Proposal]) -> set[str]:
    with workspace.within(cast.ws):
        rows = Proposal.objects.filter(pk__in=[one.pk for one in proposals])
        return set(rows.values_list("state", flat=True))


def become(cast: Cast, proposal: Proposal, state: str) -> None:
    """Wait until the workers have brought it there."""
    until(lambda: state_of(cast, proposal) == state, 60)


def decisions_of(cast: Cast) -> int:
    """How many decisions people took in the workspace."""
    with workspace.within(cast.ws):
        return Decision.objects.count()


def waiting(cast: Cast, count: int, **args: str) -> list[Proposal]:
    """Changes of tickets, all of a kind, low tier."""
    made = []
    for _ in range(count):
        target = steps.ticket(cast)
        made.append(steps.propose(cast, target, "ticket.update", target, args or {"priority": "P1"}))
    return made


def refund(cast: Cast, amount: int = 4_510) -> Proposal:
    """Of an order with other pieces besides, so that the amount stands nowhere else on the page."""
    order = steps.order(cast, amount=amount, besides=700)
    target = steps.ticket(cast, text=f"Please refund {order}, it leaks.", customer="cu-1")
    args = steps.refund_args(order, amount=amount)
    return steps.propose(cast, target, "refund.create", f"order:{order}", args, agent="refunds")


def reply(cast: Cast, body: str) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.reply", target, {"body": body, "clauses": []})


def hold_refunds(cast: Cast) -> None:
    """Those of medium tier for so long that a person can stop them."""
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="refund-eur-medium", actor="system:test", now=now, action="refund.create",
            currency="EUR", above_minor=10_000, up_to_minor=50_000, tier="medium", people="one",
            hold_seconds=LONG_HOLD, fresh_minutes=240,
        )  # fmt: skip


def reject(cast: Cast, proposal: Proposal, name: str) -> None:
    """Somebody else's no, from wherever they sit."""
    seen = steps.seen(steps.fresh(cast, proposal))
    with workspace.within(cast.ws, cast.id(name)) as now:
        decisions.reject(
            workspace=cast.ws, proposal=proposal.pk, seen=seen, note="", now=now, person=cast.id(name),
            reason="not_needed",
        )  # fmt: skip


def opened(desk: Desk, page: Page, proposal: Proposal) -> None:
    """Go to the item's own page."""
    page.goto(f"{desk.base}proposals/{proposal.pk}/")
    expect(page.locator("#detail h1")).to_be_visible()


def shows(page: Page, proposal: Proposal) -> None:
    """The item that is opened is this one."""
    expect(page.locator(f"article.item[data-item='proposal:{proposal.pk}']")).to_be_visible()
