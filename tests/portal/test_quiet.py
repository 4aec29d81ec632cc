"""Times of digests and quiet hours, in a person's zone, over midnight and over the hours that a zone skips."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal import quiet, worktime
from portal.quiet import QuietError, Rhythm, read_times

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_next_digest_is_the_next_of_the_chosen_times_in_the_persons_zone() -> None:
    rhythm = Rhythm(BERLIN, (time(8), time(16, 30)))
    assert rhythm.next_digest(utc("2026-11-22 05:00")) == utc("2026-11-22 07:00")
    assert rhythm.next_digest(utc("2026-11-22 07:00")) == utc("2026-11-22 15:30")
    assert rhythm.next_digest(utc("2026-11-22 20:00")) == utc("2026-11-23 07:00")
    assert rhythm.next_digest(utc("2026-07-01 05:00")) == utc("2026-07-01 06:00")


def test_quiet_hours_over_midnight_put_a_digest_off_until_they_end() -> None:
    rhythm = Rhythm(BERLIN, (time(23),), (time(19), time(7, 30)))
    assert rhythm.is_quiet(utc("2026-11-22 18:00"))
    assert rhythm.is_quiet(utc("2026-11-22 06:29"))
    assert not rhythm.is_quiet(utc("2026-11-22 06:30"))
    assert rhythm.next_digest(utc("2026-11-22 12:00")) == utc("2026-11-23 06:30")
    assert rhythm.awake(utc("2026-11-22 12:00")) == utc("2026-11-22 12:00")


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
ZONES = st.sampled_from(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"])


@given(MOMENTS, TIMES, TIMES, TIMES, ZONES)
def test_whatever_the_zone_nothing_comes_in_quiet_hours_and_what_waits_comes_within_two_days(
    now: datetime, digest: time, begins: time, ends: time, zone: str
) -> None:
    quiet = None if begins == ends else (begins, ends)
    rhythm = Rhythm(ZoneInfo(zone), (digest,), quiet)
    at = rhythm.next_digest(now)
    assert now < at <= now + timedelta(days=2)
    awake = rhythm.awake(now)
    assert now <= awake <= now + timedelta(days=2)
    # Where the clocks go back over the end of the quiet hours, that end comes twice: whoever sends asks again.
    assert not rhythm.is_quiet(awake) or not rhythm.is_quiet(rhythm.awake(awake + timedelta(minutes=1)))


def test_times_are_read_in_order_and_each_once() -> None:
    assert read_times("16:30, 8:00; 08:00") == ["08:00", "16:30"]


@pytest.mark.parametrize("text", ["", "noon", "25:00", "8", "1:00 2:00 3:00 4:00 5:00 6:00 7:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(QuietError):
        read_times(text)


DESK = worktime.read("Europe/Berlin", {day: ["09:00", "17:00"] for day in worktime.DAYS[:5]}, ["2026-05-04"])


@pytest.mark.parametrize(
    ("span", "hours", "now", "awake"),
    [
        (None, worktime.ALWAYS, "2026-05-01 03:00", "2026-05-01 03:00"),
        (("19:00", "07:00"), worktime.ALWAYS, "2026-05-01 20:00", "2026-05-02 07:00"),
        (("19:00", "07:00"), DESK, "2026-05-01 18:00", "2026-05-05 09:00"),  # a weekend and a closing day
        (("08:00", "10:00"), DESK, "2026-05-05 08:30", "2026-05-05 10:00"),
        (("16:00", "10:00"), DESK, "2026-05-05 16:30", "2026-05-06 10:00"),
        (None, DESK, "2026-05-05 12:00", "2026-05-05 12:00"),
        (("08:00", "18:00"), DESK, "2026-05-05 12:00", "2026-05-05 18:00"),  # no moment suits both
    ],
)
def test_quiet_hours_and_working_hours_hold_together(
    span: tuple[str, str] | None, hours: worktime.Hours, now: str, awake: str
) -> None:
    held = (quiet.read_time(span[0]), quiet.read_time(span[1])) if span else None
    moments = [datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC) for text in (now, awake)]
    assert quiet.both(moments[0], quiet.Rhythm(BERLIN, (), held), hours) == moments[1]
