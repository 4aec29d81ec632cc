"""When a person wants their digest and when they want to be left alone, in their own time zone. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from django.utils.translation import gettext as _

from portal.worktime import Hours

DAY = timedelta(days=1)
# A month of days, each with an end of quiet hours and an opening.
MOST_STEPS = 62


class QuietError(ValueError):
    """A time that is none; the message is for the person."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """`digests` are times of day, at least one; `quiet` from and until, over midnight where it ends earlier."""

    zone: tzinfo
    digests: tuple[time, ...]
    quiet: tuple[time, time] | None = None

    def is_quiet(self, now: datetime) -> bool:
        """Whether nothing may be sent at this moment (UTC)."""
        if self.quiet is None:
            return False
        begins, ends = self.quiet
        local = now.astimezone(self.zone).time()
        return begins <= local < ends if begins < ends else local >= begins or local < ends

    def awake(self, now: datetime) -> datetime:
        """The first moment from now on (UTC) at which something may be sent."""
        return self._next(now, [self.quiet[1]]) if self.quiet is not None and self.is_quiet(now) else now

    def next_digest(self, now: datetime) -> datetime:
        """The next of the digest's times (UTC); one within the quiet hours comes after them."""
        return self.awake(self._next(now, self.digests))

    def _next(self, now: datetime, times: Iterable[time]) -> datetime:
        """The first moment after now whose time of day is one of these."""
        today, found = now.astimezone(self.zone).date(), []
        for at in times:
            for days in (-1, 0, 1, 2):
                wall = datetime.combine(today + days * DAY, at, self.zone)
                found += [moment for fold in (0, 1) if (moment := wall.replace(fold=fold).astimezone(UTC)) > now]
        return min(found)


def both(now: datetime, rhythm: Rhythm, hours: Hours) -> datetime:
    """The first moment from now on (UTC) not quiet and within the hours; where none is, the first not quiet."""
    moment = now
    for _step in range(MOST_STEPS):
        awake = rhythm.awake(moment)
        opens = hours.open_from(awake)
        if opens is None:
            break
        if opens <= moment:
            return moment
        moment = opens
    return rhythm.awake(now)


def read_times(text: str) -> list[str]:
    """Times of day out of what somebody typed, '8:00, 16:30', in order and each once.

    Raises:
        QuietError.
    """
    parts = text.replace(";", ",").replace(",", " ").split()
    if not 1 <= len(parts) <= 6:
        raise QuietError(_("Write one to six times of day, such as 08:00, 16:30."))
    return sorted({f"{read_time(part):%H:%M}" for part in parts})


def read_time(text: str) -> time:
    """One time of day.

    Raises:
        QuietError.
    """
    try:
        return datetime.strptime(text, "%H:%M").time()
    except ValueError as error:
        raise QuietError(_("“%(text)s” is no time of day; write it as 08:00.") % {"text": text[:20]}) from error
