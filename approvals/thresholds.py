"""Thresholds and daily caps in force, their defaults, and how an admin changes them: insert-only, on the log."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from approvals import loosening
from approvals.models import DailyCap, Threshold
from approvals.risk import Rule
from audit import canonical, log
from audit.events import Event
from portal import stepup

R = TypeVar("R", Threshold, DailyCap)

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


def set_threshold(
    *, workspace: int, series: str, actor: str, now: datetime, step_up: stepup.Proof | None = None, **values: Any
) -> Threshold:
    """Write the next version of a row (a new series where `series` is empty), with its entry.

    Raises:
        stepup.StepUpError: a person loosens it without a fresh proof of presence.
    """
    with transaction.atomic():
        row = Threshold(workspace_id=workspace, series=series, made_by=actor, created_at=now, **values)
        before, after = _latest(row), _values(row, COPIED)
        why = loosening.of_threshold(before, after)
        ask = _ask(row, "threshold", after, why, high=loosening.touches_high(before, after))
        return _write(row, ask if why else None, Event.THRESHOLD_SET, after, step_up)


def set_cap(
    *, workspace: int, series: str, actor: str, now: datetime, step_up: stepup.Proof | None = None, **values: Any
) -> DailyCap:
    """Write the next version of a daily cap, with its entry.

    Raises:
        stepup.StepUpError: a person loosens it without a fresh proof of presence.
    """
    with transaction.atomic():
        row = DailyCap(workspace_id=workspace, series=series, made_by=actor, created_at=now, **values)
        after = _values(row, CAP_COPIED)
        why = loosening.of_cap(_latest(row), after)
        return _write(row, _ask(row, "cap", after, why) if why else None, Event.CAP_SET, after, step_up)


def _write(row: R, ask: stepup.Ask | None, event: Event, after: dict[str, Any], step_up: stepup.Proof | None) -> R:
    """The row and its entry; where a person loosens something, with the proof that it is them."""
    kind, _, person = row.made_by.partition(":")
    proof = {}
    if ask is not None and kind == "person":
        used = stepup.use(
            workspace=row.workspace_id, person=int(person), proof=step_up, ask=ask, now=row.created_at
        )  # fmt: skip
        proof = {"step_up": used.pk}
    row.series = row.series or secrets.token_hex(4)
    latest = _newest(row)
    row.version = 1 if latest is None else latest.version + 1
    subject = f"{'threshold' if isinstance(row, Threshold) else 'cap'}:{row.series}"
    log.attribute(subject)
    row.save(force_insert=True)
    log.record(
        workspace=row.workspace_id, subject=subject, version=row.version, event=event, actor=row.made_by,
        now=row.created_at, body={**after, **proof},
    )  # fmt: skip
    return row


def _ask(
    row: Threshold | DailyCap, kind: str, after: dict[str, Any], why: Iterable[str], *, high: bool = False
) -> stepup.Ask:
    """What is repeated to who loosens it; the digest is that of all its values."""
    series = row.series or "new"
    return stepup.Ask(
        purpose="loosen", subject=f"{kind}:{series}", digest=hashlib.sha256(canonical.encode(after)).hexdigest(),
        words=f"Loosen the {kind} {row}: {', '.join(why)}", target=f"{kind} {series}", high=high,
    )  # fmt: skip


def _newest(row: Threshold | DailyCap) -> Threshold | DailyCap | None:
    same = type(row)._default_manager.filter(workspace_id=row.workspace_id, series=row.series)
    return same.order_by("-version").first() if row.series else None


def _latest(row: Threshold | DailyCap) -> dict[str, Any] | None:
    """The values in force before; None of a new row and of one that had ended."""
    newest = _newest(row)
    if newest is None or newest.retired:
        return None
    return _values(newest, COPIED if isinstance(newest, Threshold) else CAP_COPIED)


def _values(row: Threshold | DailyCap, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(row, field) for field in fields}


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
