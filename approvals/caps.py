"""Daily caps: reserved by the gate under lock when a proposal is made, released when it ends without effect."""

from datetime import datetime

from django.db import connection
from django.db.models import Count, Sum

from approvals import thresholds
from approvals.models import CapUse, DailyCap, Proposal


def exceeded(*, workspace: int, holders: dict[str, str], amount_minor: int | None, currency: str, now: datetime) -> str:
    """Why a write would pass a cap, in words, or "". Holds each holder's lock until the transaction ends.

    `holders` maps scope (`customer`, `agent`) to who it is about.
    """
    caps = thresholds.caps_in_force(workspace)
    for scope, holder in sorted(holders.items()):
        _lock(workspace, scope, holder)
        for cap in (c for c in caps if c.scope == scope and c.currency in ("", currency)):
            if reason := _over(cap, workspace, holder, amount_minor or 0, now):
                return reason
    return ""


def _lock(workspace: int, scope: str, holder: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", [f"{workspace}:{scope}:{holder}"])


def _over(cap: DailyCap, workspace: int, holder: str, amount_minor: int, now: datetime) -> str:
    open_uses = CapUse.objects.filter(
        workspace_id=workspace, scope=cap.scope, holder=holder, day=now.date(), released=False
    )
    if cap.currency:
        open_uses = open_uses.filter(currency=cap.currency)
    used = open_uses.aggregate(writes=Count("pk"), amount=Sum("amount_minor"))
    if cap.writes is not None and used["writes"] + 1 > cap.writes:
        return (
            f"The daily cap of {cap.writes} writes {cap.get_scope_display()} is used up ({cap.series} v{cap.version})."
        )
    amount = (used["amount"] or 0) + amount_minor
    if cap.amount_minor is not None and cap.currency and amount_minor and amount > cap.amount_minor:
        return f"The daily cap on money {cap.get_scope_display()} would be passed ({cap.series} v{cap.version})."
    return ""


def confirm(proposal: Proposal, *, now: datetime) -> str:
    """Before a write: count it as it is now, released meanwhile or edited; why it would pass a cap, or ""."""
    uses = CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal)
    holders = dict(uses.values_list("scope", "holder"))
    uses.update(released=True)
    over = exceeded(
        workspace=proposal.workspace_id, holders=holders, amount_minor=proposal.amount_minor,
        currency=proposal.currency, now=now,
    )  # fmt: skip
    if not over:
        uses.update(released=False, amount_minor=proposal.amount_minor or 0, day=now.date())
    return over


def recount(proposal: Proposal, *, amount_minor: int | None, currency: str, now: datetime) -> str:
    """Count it at another amount; why that would pass a cap, or "". It stays as it was reserved where it would."""
    uses = CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal, released=False)
    held = list(uses)
    uses.update(released=True)
    over = exceeded(
        workspace=proposal.workspace_id, holders={use.scope: use.holder for use in held}, amount_minor=amount_minor,
        currency=currency, now=now,
    )  # fmt: skip
    counted = {} if over else {"amount_minor": amount_minor or 0, "day": now.date()}
    CapUse.objects.filter(pk__in=[use.pk for use in held]).update(released=False, **counted)
    return over


def reserve(proposal: Proposal, holders: dict[str, str], *, now: datetime) -> None:
    """Take the proposal's part of each holder's day."""
    CapUse.objects.bulk_create(
        CapUse(
            workspace_id=proposal.workspace_id, proposal=proposal, day=now.date(), scope=scope, holder=holder,
            currency=proposal.currency, amount_minor=proposal.amount_minor or 0,
        )
        for scope, holder in holders.items()
    )  # fmt: skip


def release(proposal: Proposal) -> None:
    """Give it back."""
    CapUse.objects.filter(workspace_id=proposal.workspace_id, proposal=proposal, released=False).update(released=True)
