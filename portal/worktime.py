"""Working time: when a desk is open, how much of that lies between two moments, when so much has gone by. Pure.

A moment is open when the wall clock of the desk's zone reads from opening up to closing, which is exact over a
change of the clocks: an hour that does not exist is not worked, one that comes twice is worked twice.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from portal.retold import kept

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NOTHING = timedelta()
DAY = timedelta(days=1)
# A desk that opens at no moment of so many days is refused; nothing is ever looked for further ahead.
LONGEST_CLOSED = 366
MOST_CLOSED = 400
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


# What is wrong with hours, without the field: kept in English, told again where it is shown.
_YEAR_SHUT = kept("the desk does not open for more than a year")
_NO_ZONE = kept("there is no %(zone)s; write it as in Europe/Berlin")
_NO_DAY_NAME = kept("%(name)s is no day; the days are %(days)s")
_TOO_MANY = kept("at most %(most)s days")
_NEVER_CLOSES = kept("a desk that never closes has no closing days; give its hours as well")
_NO_MINUTE = kept("not one minute would be open within a year")
_NO_SPAN = kept("write when it opens and closes as 09:00 and 17:00; 24:00 is midnight")
_BACKWARDS = kept("it must close after it opens, the same day")
_NO_DATE = kept("%(text)s is no day; write it as 2026-12-25")


class WorktimeError(ValueError):
    """Hours that cannot be kept; the message names the field first: `time_zone`, `mon` to `sun`, `closed_on`."""


@dataclass(frozen=True, slots=True)
class Hours:
    """`open` maps a weekday (Monday is 0) to opening and closing in minutes of the day; none at all never closes."""

    zone: str = "UTC"
    open: tuple[tuple[int, int, int], ...] = ()
    closed: frozenset[date] = field(default_factory=frozenset)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from one moment to another; negative where `end` is the earlier one."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)  # two walls of one zone compare by what they read
        if end < start:
            return -self.between(end, start)
        if not self.open:
            return end - start
        total = NOTHING
        for opens, closes in self._spans(start):
            if opens >= end:
                break
            total += min(closes, end) - opens
        return total

    def after(self, start: datetime, length: timedelta) -> datetime:
        """The first moment (UTC) when so much working time has gone by since `start`.

        Raises:
            WorktimeError: the desk does not open for more than a year.
        """
        start = start.astimezone(UTC)
        if length <= NOTHING:
            return start
        if not self.open:
            return start + length
        for opens, closes in self._spans(start):
            if closes - opens >= length:
                return opens + length
            length -= closes - opens
        raise WorktimeError(f"closed_on: {_YEAR_SHUT}")

    def open_from(self, moment: datetime) -> datetime | None:
        """The first open moment (UTC) from then on; None where none comes for a year."""
        moment = moment.astimezone(UTC)
        return moment if not self.open else next((opens for opens, _ in self._spans(moment)), None)

    def _spans(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What is open from a moment on, in order; ends after a year without any."""
        start = start.astimezone(UTC)
        day = start.astimezone(_zone(self.zone)).date() - DAY
        empty = 0
        while empty <= LONGEST_CLOSED:
            empty += 1
            for opens, closes in _of_day(self, day):
                if closes > start:
                    empty = 0
                    yield max(opens, start), closes
            day += DAY


ALWAYS = Hours()


def read(time_zone: str, hours: Mapping[str, Any], closed_on: Sequence[Any]) -> Hours:
    """Hours as they are kept: `{"mon": ["09:00", "17:00"]}` and ISO dates.

    Raises:
        WorktimeError: naming the field.
    """
    if time_zone not in zones():
        raise WorktimeError("time_zone: " + _NO_ZONE % {"zone": repr(str(time_zone)[:40])})
    unknown = sorted(set(hours) - set(DAYS))
    if unknown:
        said = {"name": repr(str(unknown[0])[:20]), "days": ", ".join(DAYS)}
        raise WorktimeError("hours: " + _NO_DAY_NAME % said)
    opened = tuple((DAYS.index(name), *_span(name, hours[name])) for name in DAYS if name in hours)
    if len(closed_on) > MOST_CLOSED:
        raise WorktimeError("closed_on: " + _TOO_MANY % {"most": MOST_CLOSED})
    closed = frozenset(_date(value) for value in closed_on)
    if closed and not opened:
        raise WorktimeError(f"closed_on: {_NEVER_CLOSES}")
    return Hours(time_zone, opened, closed)


def refuse_never_open(hours: Hours, today: date) -> None:
    """Every due time needs an open minute some day.

    Raises:
        WorktimeError: no minute is open for a year, from today on or around the closing days to come.
    """
    for day in {today, *(day for day in hours.closed if day > today)}:
        try:
            hours.after(datetime.combine(day, time(), UTC), timedelta(minutes=1))
        except WorktimeError as never:
            raise WorktimeError(f"closed_on: {_NO_MINUTE}") from never


def _span(name: str, value: Any) -> tuple[int, int]:
    pair = list(value) if isinstance(value, list | tuple) else []
    if len(pair) != 2 or not all(isinstance(part, str) and _CLOCK.fullmatch(part) for part in pair):
        raise WorktimeError(f"{name}: {_NO_SPAN}")
    opens, closes = (int(part[:2]) * 60 + int(part[3:]) for part in pair)
    if closes <= opens:
        raise WorktimeError(f"{name}: {_BACKWARDS}")
    return opens, closes


def _date(value: Any) -> date:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise WorktimeError("closed_on: " + _NO_DATE % {"text": repr(str(value)[:20])}) from error


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Every time zone there is."""
    return frozenset(available_timezones())


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=4096)
def _of_day(hours: Hours, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """What is open on a date, in UTC. The clock may change on it: each part then has an offset of its own."""
    found = next((one for one in hours.open if one[0] == day.weekday()), None)
    if found is None or day in hours.closed:
        return ()
    zone, midnight = _zone(hours.zone), datetime.combine(day, time(), UTC)
    opens, closes = (midnight + timedelta(minutes=minutes) for minutes in found[1:])
    before, behind = _offset(zone, midnight - DAY), _offset(zone, midnight + 2 * DAY)
    if before == behind:
        return ((opens - before, closes - before),)
    change = _change(zone, midnight - DAY, midnight + 2 * DAY)
    early = (opens - before, min(closes - before, change))
    late = (max(opens - behind, change), closes - behind)
    return tuple((a, b) for a, b in (early, late) if a < b)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or NOTHING


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The second between two moments from which on the second one's offset holds."""
    behind = _offset(zone, high)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        low, high = (low, middle) if _offset(zone, middle) == behind else (middle, high)
    return high
