"""Daily caps: reserved by the gate under lock when a proposal is made, released when it ends without effect.

A day is one where the workspace is.
"""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property

from django.db import connection
from django.db.models import Count, Sum

from approvals import thresholds
from approvals.models import CapUse, DailyCap, Proposal
from portal import hours
from portal.retold import kept

WRITES = {
    "customer": kept("The daily cap of %(writes)s writes per customer is used up (%(cap)s)."),
    "agent": kept("The daily cap of %(writes)s writes per agent is used up (%(cap)s)."),
}
MONEY = {
    "customer": kept("The daily cap on money per customer would be passed (%(cap)s)."),
    "agent": kept("The daily cap on money per agent would be passed (%(cap)s)."),
}

# The same behind the summary of what would have passed it.
BEHIND = (
    kept("%(summary)s. The daily cap of %(writes)s writes per customer is used up (%(cap)s)."),
    kept("%(summary)s. The daily cap of %(writes)s writes per agent is used up (%(cap)s)."),
    kept("%(summary)s. The daily cap on money per customer would be passed (%(cap)s)."),
    kept("%(summary)s. The daily cap on money per agent would be passed (%(cap)s)."),
)


class Day:
    """What one transaction knows of the day: each cap and each holder's use read once, what it reserves counted in."""

    def __init__(self, workspace: int, now: datetime) -> None:
        self._workspace = workspace
        self._now = now
        self._used: dict[tuple[str, str, str], tuple[int, int]] = {}
        self._reserved: list[CapUse] = []

    @cached_property
    def today(self) -> date:
        """The day whose use counts."""
        return hours.today(self._workspace, self._now)

    @cached_property
    def _caps(self) -> list[DailyCap]:
        return thresholds.caps_in_force(self._workspace)

    def exceeded(self, *, holders: Mapping[str, str], amount_minor: int | None, currency: str) -> str:
        """Why a write would pass a cap, in words, or "". Holds each holder's lock until the transaction ends.

        `holders` maps scope (`customer`, `agent`) to who it is about.
        """
        for scope, holder in sorted(holders.items()):
            _lock(self._workspace, scope, holder)
            for cap in (c for c in self._caps if c.scope == scope and c.currency in ("", currency)):
                if reason := _over(cap, self._use(scope, holder, cap.currency), amount_minor or 0):
                    return reason
        return ""

    def reserve(self, proposal: Proposal, holders: Mapping[str, str]) -> None:
        """Take the proposal's part of each holder's day; `take` gives what is to be written."""
        amount = proposal.amount_minor or 0
        for scope, holder in holders.items():
            self._reserved.append(
                CapUse(
                    workspace_id=self._workspace, proposal=proposal, day=self.today, scope=scope, holder=holder,
                    currency=proposal.currency, amount_minor=amount,
                )
            )  # fmt: skip
            for currency in {"", proposal.currency}:
                if (known := self._used.get((scope, holder, currency))) is not None:
                    self._used[scope, holder, currency] = (known[0] + 1, known[1] + amount)

    def take(self) -> list[CapUse]:
        """What was reserved since the last time, to be written behind its proposals."""
        reserved, self._reserved = self._reserved, []
        return reserved

    def _use(self, scope: str, holder: str, currency: str) -> tuple[int, int]:
        """Writes and minor units that count today; those not yet written down among them."""
        key = (scope, holder, currency)
        if key not in self._used:
            rows = CapUse.objects.filter(
                workspace_id=self._workspace, scope=scope, holder=holder, day=self.today, released=False
            )
            rows = rows.filter(currency=currency) if currency else rows
            found = rows.aggregate(writes=Count("pk"), amount=Sum("amount_minor"))
            mine = [
                use for use in self._reserved
                if (use.scope, use.holder) == (scope, holder) and currency in ("", use.currency)
            ]  # fmt: skip
            amount = (found["amount"] or 0) + sum(use.amount_minor for use in mine)
            self._used[key] = (found["writes"] + len(mine), amount)
        return self._used[key]


def _lock(workspace: int, scope: str, holder: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"{workspace}:{scope}:{holder}"])


def _over(cap: DailyCap, used: tuple[int, int], amount_minor: int) -> str:
    writes, amount = used
    if cap.writes is not None and writes + 1 > cap.writes:
        return WRITES[cap.scope] % {"writes": cap.writes, "cap": f"{cap.series} v{cap.version}"}
    passed = cap.amount_minor is not None and amount + amount_minor > cap.amount_minor
    if passed and cap.currency and amount_minor:
        return MONEY[cap.scope] % {"cap": f"{cap.series} v{cap.version}"}
    return ""


def confirm(proposal: Proposal, *, now: datetime) -> str:
    """Before a write: count it as it is now, released meanwhile or edited; why it would pass a cap, or ""."""
    uses = CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal)
    holders = dict(uses.values_list("scope", "holder"))
    uses.update(released=True)
    day = Day(proposal.workspace_id, now)
    over = day.exceeded(holders=holders, amount_minor=proposal.amount_minor, currency=proposal.currency)
    if not over:
        uses.update(released=False, amount_minor=proposal.amount_minor or 0, day=day.today)
    return over


def recount(proposal: Proposal, *, amount_minor: int | None, currency: str, now: datetime) -> str:
    """Count it at another amount; why that would pass a cap, or "". It stays as it was reserved where it would."""
    uses = CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal, released=False)
    held = list(uses)
    uses.update(released=True)
    holders = {use.scope: use.holder for use in held}
    day = Day(proposal.workspace_id, now)
    over = day.exceeded(holders=holders, amount_minor=amount_minor, currency=currency)
    counted = {} if over else {"amount_minor": amount_minor or 0, "day": day.today}
    CapUse.objects.filter(pk__in=[use.pk for use in held]).update(released=False, **counted)
    return over


def release(proposal: Proposal) -> None:
    """Give it back."""
    CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal, released=False).update(released=True)
