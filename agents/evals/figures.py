"""Shares and percentiles of an evaluation. Pure: no Django, clock, network or settings."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")


def share(hits: Iterable[bool]) -> float | None:
    """The part that is true, to four places; None where there is nothing to count."""
    counted = list(hits)
    return round(sum(counted) / len(counted), 4) if counted else None


def ratio(part: int, whole: int) -> float | None:
    """`part / whole` to four places; None where there is nothing to count."""
    return round(part / whole, 4) if whole else None


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile, to two places."""
    if not values:
        return None
    rank = -(-percent * len(values) // 100)
    return round(sorted(values)[max(0, rank - 1)], 2)


def by(rows: Iterable[T], key: Callable[[T], str], hit: Callable[[T], bool]) -> dict[str, dict[str, Any]]:
    """Per group: how many rows, and the share of hits."""
    groups: dict[str, list[bool]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(hit(row))
    return {name: {"rows": len(hits), "share": share(hits)} for name, hits in sorted(groups.items())}
