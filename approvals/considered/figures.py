"""Figures over decisions: time by size of change, evidence opened, streaks, rules that could be relaxed. Pure."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TypeVar

from django.utils.translation import gettext_noop as noop

K = TypeVar("K", bound=Hashable)
WEEK, WEEKS = timedelta(days=7), 8
QUICK_SECONDS = 5
# Of one person fewer decisions than these say nothing.
LEAST_OF_ONE = 20
# A rule whose people only ever said yes, at once, asks them for nothing.
RELAX_LEAST, RELAX_SECONDS = 50, 10
SIZES = ((1, noop("one value")), (4, noop("two to four")), (200, noop("five and more")))


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision (`approve`, `reject`, `edit`, `send_back`), with what the log tells of it.

    `rule` is the series of the threshold that asked for it, `size` how many values and effects were shown (0 where
    they were erased), `seconds` how long it was in sight and `opened` what was opened of the evidence, None where
    nobody knows; `offered` says that there was something to open.
    """

    at: datetime
    person: int
    action: str
    rule: str
    kind: str
    size: int
    seconds: int | None = None
    opened: int | None = None
    offered: bool = False
    batch: bool = False
    undone: bool = False
    confidence_pct: int = 100

    @property
    def approved(self) -> bool:
        """Whether it was a yes to what was there."""
        return self.kind == "approve"


@dataclass(frozen=True, slots=True)
class Figures:
    """Of several decisions; None where there is nothing to say. `median` is of approvals on their own, in seconds."""

    decided: int
    approved_pct: int | None
    median: int | None
    quick_pct: int | None
    opened_pct: int | None
    streak: int

    @property
    def enough(self) -> bool:
        """Whether it says anything about one person."""
        return self.decided >= LEAST_OF_ONE


@dataclass(frozen=True, slots=True)
class Relaxable:
    """A rule that could be relaxed: so many approvals of what it asks for, all unchanged, most within `median`.

    None of them was of less confidence than `least_pct`.
    """

    rule: str
    action: str
    decided: int
    median: int
    least_pct: int = 100


def figures(rows: Sequence[Decided]) -> Figures:
    """What a group of decisions says. Time and evidence count where somebody approved one by itself."""
    alone = [row for row in rows if row.approved and not row.batch]
    times = [row.seconds for row in alone if row.seconds is not None]
    offered = [row.opened for row in alone if row.offered and row.opened is not None]
    return Figures(
        decided=len(rows),
        approved_pct=_pct(sum(row.approved for row in rows), len(rows)),
        median=round(median(times)) if times else None,
        quick_pct=_pct(sum(one < QUICK_SECONDS for one in times), len(times)),
        opened_pct=_pct(sum(one > 0 for one in offered), len(offered)),
        streak=streak(rows),
    )


def streak(rows: Iterable[Decided]) -> int:
    """The longest run of approvals of one person without another word of theirs."""
    longest, running = 0, dict[int, int]()
    for row in sorted(rows, key=lambda row: row.at):
        running[row.person] = running.get(row.person, 0) + 1 if row.approved else 0
        longest = max(longest, running[row.person])
    return longest


def by_week(rows: Sequence[Decided], now: datetime) -> list[tuple[datetime, Figures]]:
    """Seven days each, back from now, newest first; the time is when they began (UTC)."""
    groups = _grouped(rows, lambda row: (now - row.at) // WEEK)
    return [(now - (n + 1) * WEEK, figures(groups.get(n, ()))) for n in range(WEEKS)]


def by_size(rows: Sequence[Decided]) -> list[tuple[str, str, Figures]]:
    """Of each action, by how much was to be read."""
    groups = _grouped([row for row in rows if row.size], lambda row: (row.action, _band(row.size)))
    return [(action, SIZES[band][1], figures(groups[action, band])) for action, band in sorted(groups)]


def by_person(rows: Sequence[Decided]) -> Mapping[int, Figures]:
    """Of each person."""
    return {person: figures(own) for person, own in _grouped(rows, lambda row: row.person).items()}


def to_relax(rows: Sequence[Decided]) -> list[Relaxable]:
    """Rules whose decisions were all approvals of what was proposed, at once, and none of them taken back since."""
    found = []
    for (rule, action), asked in sorted(_grouped(rows, lambda row: (row.rule, row.action)).items()):
        times = [row.seconds for row in asked if row.seconds is not None]
        if rule and len(times) >= RELAX_LEAST and all(row.approved and not row.undone for row in asked):
            middle = round(median(times))
            least = min(row.confidence_pct for row in asked)
            found += [Relaxable(rule, action, len(asked), middle, least)] if middle < RELAX_SECONDS else []
    return found


def _grouped(rows: Iterable[Decided], key: Callable[[Decided], K]) -> dict[K, list[Decided]]:
    groups: dict[K, list[Decided]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def _band(size: int) -> int:
    return next((at for at, (most, _words) in enumerate(SIZES) if size <= most), len(SIZES) - 1)


def _pct(part: int, whole: int) -> int | None:
    return round(100 * part / whole) if whole else None
