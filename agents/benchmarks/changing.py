"""Thresholds that changed over a quarter of a year, each change by the service that admins use."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals import risk, thresholds
from approvals.models import Threshold

ACTOR, SEED = "system:benchmark", 20_27
CHANGES = 40
"""Versions that follow those of a new workspace."""
EDGES = (8_000, 10_000, 12_500, 15_000)


@dataclass(frozen=True, slots=True)
class Time:
    """What was in force from a moment on."""

    at: datetime
    rules: Sequence[risk.Rule]


def change(workspace: int, began: datetime, ended: datetime) -> None:
    """The rows of a new workspace, then its changes one after the other."""
    thresholds.install(workspace=workspace, actor=ACTOR, now=began, with_caps=False)
    for number, (series, values) in enumerate(itertools.islice(_changes(workspace), CHANGES), 1):
        at = began + (ended - began) * number / (CHANGES + 1)
        thresholds.set_threshold(workspace=workspace, series=series, actor=ACTOR, now=at, **values)


def times(workspace: int) -> list[Time]:
    """Each moment that something changed, oldest first."""
    last = {row.created_at: row.pk for row in Threshold.objects.filter(workspace=workspace).order_by("pk")}
    return [
        Time(at, [thresholds.as_rule(row) for row in thresholds.in_force(workspace, upto=pk)])
        for at, pk in last.items()
    ]


def current(workspace: int, series: str, **other: Any) -> dict[str, Any]:
    """The values of a series' newest version, some of them other."""
    row = Threshold.objects.filter(workspace=workspace, series=series).latest("version")
    return {name: getattr(row, name) for name in thresholds.COPIED} | other


def _changes(workspace: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """An edge moves, one agent is trusted more than others, a row ends and comes back; else people and floors."""
    chance = random.Random(SEED)  # nosec B311  # an order, not a secret
    yield "triage-sure", {"action": "ticket.update", "agent": "triage", "tier": "low", "people": "one"}
    while True:
        edge = chance.choice(EDGES)
        yield "refund-eur-low", current(workspace, "refund-eur-low", up_to_minor=edge, hold_seconds=edge // 10)
        yield "refund-eur-medium", current(workspace, "refund-eur-medium", above_minor=edge)
        for series in ("contact-update", "triage-sure", "ticket-update"):
            people, floor = chance.choice(("automatic", "one", "one", "two")), chance.choice((70, 80, 85, 90, 95))
            yield series, current(workspace, series, people=people, confidence_floor_pct=floor)
        retired = Threshold.objects.filter(workspace=workspace, series="refund-gbp-low").latest("version").retired
        yield "refund-gbp-low", current(workspace, "refund-gbp-low", retired=not retired)
