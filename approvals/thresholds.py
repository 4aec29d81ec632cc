"""Thresholds and daily caps in force, their defaults, and how an admin changes them: insert-only, on the log."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals.models import DailyCap, Threshold
from approvals.risk import Rule
from audit import log
from audit.events import Event

# JPY has no decimals; its limits stand for about the same money.
LIMITS = {"EUR": (10_000, 50_000), "USD": (10_000, 50_000), "GBP": (10_000, 50_000), "JPY": (10_000, 50_000)}
AGENT_DAY = {"EUR": 2_000_000, "USD": 2_000_000, "GBP": 2_000_000, "JPY": 2_000_000}
CUSTOMER_WRITES, AGENT_WRITES = 3, 500
REFUND_HOLD_SECONDS, REPLY_HOLD_SECONDS = 15 * 60, 60
COPIED = (
    "action", "proposer_kind", "agent", "currency", "above_minor", "up_to_minor", "tier", "people", "second_role",
    "confidence_floor_pct", "hold_seconds", "fresh_minutes", "retired",
)  # fmt: skip
CAP_COPIED = ("scope", "currency", "writes", "amount_minor", "retired")


def in_force(workspace: int) -> list[Threshold]:
    """The newest version of each series that is not retired."""
    rows = Threshold.objects.filter(workspace_id=workspace).order_by("series", "-version").distinct("series")
    return [row for row in rows if not row.retired]


def rules(workspace: int) -> list[Rule]:
    """The rows in force as values for `risk.judge`."""
    return [as_rule(row) for row in in_force(workspace)]


def as_rule(row: Threshold) -> Rule:
    """One row as a value; its id names series and version."""
    return Rule(
        id=f"{row.series} v{row.version}", action=row.action, tier=row.tier, people=row.people,  # type: ignore[arg-type]  # choices of the column
        proposer_kind=row.proposer_kind, agent=row.agent, currency=row.currency, above_minor=row.above_minor,
        up_to_minor=row.up_to_minor, second_role=row.second_role,
        confidence_floor_pct=row.confidence_floor_pct, hold_seconds=row.hold_seconds,
        fresh_minutes=row.fresh_minutes,
    )  # fmt: skip


def caps_in_force(workspace: int) -> list[DailyCap]:
    """The newest version of each cap that is not retired."""
    rows = DailyCap.objects.filter(workspace_id=workspace).order_by("series", "-version").distinct("series")
    return [row for row in rows if not row.retired]


def set_threshold(*, workspace: int, series: str, actor: str, now: datetime, **values: Any) -> Threshold:
    """Write the next version of a row (a new series where `series` is empty), with its entry."""
    with transaction.atomic():
        series = series or secrets.token_hex(4)
        log.attribute(f"threshold:{series}")
        row = Threshold.objects.create(
            workspace_id=workspace, series=series, version=_next(Threshold, workspace, series), made_by=actor,
            created_at=now, **values,
        )  # fmt: skip
        _record(workspace, f"threshold:{series}", Event.THRESHOLD_SET, row, COPIED, actor, now)
    return row


def set_cap(*, workspace: int, series: str, actor: str, now: datetime, **values: Any) -> DailyCap:
    """Write the next version of a daily cap, with its entry."""
    with transaction.atomic():
        series = series or secrets.token_hex(4)
        log.attribute(f"cap:{series}")
        row = DailyCap.objects.create(
            workspace_id=workspace, series=series, version=_next(DailyCap, workspace, series), made_by=actor,
            created_at=now, **values,
        )  # fmt: skip
        _record(workspace, f"cap:{series}", Event.CAP_SET, row, CAP_COPIED, actor, now)
    return row


def _next(model: type[Threshold] | type[DailyCap], workspace: int, series: str) -> int:
    latest = model.objects.filter(workspace_id=workspace, series=series).order_by("-version").first()
    return 1 if latest is None else latest.version + 1


def _record(
    workspace: int, subject: str, event: Event, row: Any, fields: Iterable[str], actor: str, now: datetime
) -> None:
    log.record(
        workspace=workspace, subject=subject, version=row.version, event=event, actor=actor, now=now,
        body={field: getattr(row, field) for field in fields},
    )  # fmt: skip


def install(
    *,
    workspace: int,
    actor: str,
    now: datetime,
    refund_hold_seconds: int = REFUND_HOLD_SECONDS,
    with_caps: bool = True,
) -> None:
    """The default rows of a new workspace: autonomy is off, nothing passes by itself."""
    for series, values in _defaults(refund_hold_seconds):
        set_threshold(workspace=workspace, series=series, actor=actor, now=now, **values)
    if with_caps:
        _install_caps(workspace, actor, now)


def _install_caps(workspace: int, actor: str, now: datetime) -> None:
    set_cap(
        workspace=workspace, series="customer-writes", actor=actor, now=now, scope="customer",
        writes=CUSTOMER_WRITES,
    )  # fmt: skip
    set_cap(workspace=workspace, series="agent-writes", actor=actor, now=now, scope="agent", writes=AGENT_WRITES)
    for currency, (_, medium) in LIMITS.items():
        for scope, amount in (("customer", medium), ("agent", AGENT_DAY[currency])):
            set_cap(
                workspace=workspace, series=f"{scope}-{currency.lower()}", actor=actor, now=now, scope=scope,
                currency=currency, amount_minor=amount,
            )  # fmt: skip


def _defaults(hold: int) -> Iterable[tuple[str, dict[str, Any]]]:
    one: dict[str, Any] = {"people": "one"}
    yield "ticket-update", {**one, "action": "ticket.update", "tier": "low"}
    yield "contact-update", {**one, "action": "contact.update", "tier": "low"}
    yield (
        "ticket-reply",
        {
            **one,
            "action": "ticket.reply",
            "tier": "medium",
            "hold_seconds": REPLY_HOLD_SECONDS,
            "fresh_minutes": 480,
        },
    )
    for currency, (low, medium) in LIMITS.items():
        base: dict[str, Any] = {
            "action": "refund.create", "currency": currency, "hold_seconds": hold, "fresh_minutes": 240
        }  # fmt: skip
        name = f"refund-{currency.lower()}"
        yield f"{name}-low", {**base, **one, "up_to_minor": low, "tier": "low"}
        yield f"{name}-medium", {**base, **one, "above_minor": low, "up_to_minor": medium, "tier": "medium"}
        above = {**base, "above_minor": medium, "tier": "high"}
        yield f"{name}-agent", {**above, "people": "never", "proposer_kind": "agent"}
        yield (
            f"{name}-person",
            {**above, "people": "two", "second_role": "manager", "proposer_kind": "person"},
        )
