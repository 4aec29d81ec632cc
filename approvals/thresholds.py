"""Thresholds and daily caps in force, their defaults, and how an admin changes them: insert-only, on the log."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from approvals import loosening
from approvals.models import DailyCap, Threshold
from approvals.risk import Rule
from audit import log
from audit.events import Event
from portal import retold

R = TypeVar("R", Threshold, DailyCap)
Model = type[Threshold] | type[DailyCap]


class ThresholdError(Exception):
    """Base of what setting a threshold or a cap refuses."""


class Loosens(ThresholdError):
    """A second admin has to agree first: `words` say what it loosens, `values` what `series` was to become."""

    def __init__(self, words: tuple[str, ...], series: str, values: dict[str, Any]) -> None:
        said = _("This loosens something, so a second admin agrees first: %(what)s.")
        super().__init__(said % {"what": ", ".join(map(retold.say, words))})
        self.words, self.series, self.values = words, series, values


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


def in_force(workspace: int, *, upto: int | None = None) -> list[Threshold]:
    """The newest version of each series that is not retired; as it was when the row `upto` was the last, if given."""
    known = Threshold.objects.filter(workspace_id=workspace)
    rows = known if upto is None else known.filter(pk__lte=upto)
    return [row for row in rows.order_by("series", "-version").distinct("series") if not row.retired]


def newest(workspace: int) -> int:
    """The last row that was written; 0 where there is none."""
    return Threshold.objects.filter(workspace_id=workspace).aggregate(last=Max("pk"))["last"] or 0


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
    *,
    workspace: int,
    series: str,
    actor: str,
    now: datetime,
    why: str = "",
    agreed: Mapping[str, Any] | None = None,
    **values: Any,
) -> Threshold:
    """Write the next version of a row (a new series where `series` is empty), with its entry.

    `agreed` says in the entry who proposed it and who agreed, where it loosens something.

    Raises:
        Loosens: a person wants it, and nobody else has agreed.
    """
    row = Threshold(workspace_id=workspace, series=series, made_by=actor, created_at=now, **values)
    return _write(row, Event.THRESHOLD_SET, COPIED, why, agreed)


def set_cap(
    *,
    workspace: int,
    series: str,
    actor: str,
    now: datetime,
    why: str = "",
    agreed: Mapping[str, Any] | None = None,
    **values: Any,
) -> DailyCap:
    """Write the next version of a daily cap, with its entry; see `set_threshold`.

    Raises:
        Loosens: a person wants it, and nobody else has agreed.
    """
    row = DailyCap(workspace_id=workspace, series=series, made_by=actor, created_at=now, **values)
    return _write(row, Event.CAP_SET, CAP_COPIED, why, agreed)


def _write(row: R, event: Event, fields: Sequence[str], why: str, agreed: Mapping[str, Any] | None) -> R:
    """The row and its entry."""
    with transaction.atomic():
        lock(row.workspace_id)
        after = _values(row, fields)
        words = loosened(type(row), row.workspace_id, row.series, after)
        if words and agreed is None and row.made_by.startswith("person:"):
            raise Loosens(words, row.series, after)
        row.series = row.series or secrets.token_hex(4)
        row.version = version_of(type(row), row.workspace_id, row.series) + 1
        subject = f"{'threshold' if isinstance(row, Threshold) else 'cap'}:{row.series}"
        log.attribute(subject)
        row.save(force_insert=True)
        log.record(
            workspace=row.workspace_id, subject=subject, version=row.version, event=event, actor=row.made_by,
            now=row.created_at, body={**after, **({"why": why} if why else {}), **(agreed or {})},
        )  # fmt: skip
    return row


def lock(workspace: int) -> None:
    """Until the transaction ends nobody else changes what is in force: what was compared with stays so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", [f"thresholds:{workspace}"])


def loosened(model: Model, workspace: int, series: str, after: Mapping[str, Any]) -> tuple[str, ...]:
    """What these values of a series would loosen, in words; none where they are stricter in everything."""
    before = values_of(model, workspace, series)
    return loosening.of_threshold(before, after) if model is Threshold else loosening.of_cap(before, after)


def values_of(model: Model, workspace: int, series: str) -> dict[str, Any] | None:
    """The values of a series in force; None of a new one and of one that has ended."""
    row = _newest(model, workspace, series)
    if row is None or row.retired:
        return None
    return _values(row, COPIED if model is Threshold else CAP_COPIED)


def version_of(model: Model, workspace: int, series: str) -> int:
    """The newest version of a series; 0 of a new one."""
    row = _newest(model, workspace, series)
    return 0 if row is None else row.version


def _newest(model: Model, workspace: int, series: str) -> Threshold | DailyCap | None:
    same = model._default_manager.filter(workspace_id=workspace, series=series)
    return same.order_by("-version").first() if series else None


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
    for currency, (_low, medium) in LIMITS.items():
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
