"""Working time: tables over nights, weekends, closing days and changes of the clocks, and laws that always hold."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from portal import worktime
from portal.worktime import ALWAYS, DAYS, Hours, WorktimeError

OFFICE = worktime.read("Europe/Berlin", {day: ["09:00", "17:00"] for day in DAYS[:5]}, ["2026-12-25"])
NIGHTS = worktime.read("Europe/Berlin", {day: ["01:00", "04:00"] for day in DAYS}, [])


def berlin(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"), fold=fold).astimezone(UTC)


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


# 2026-11-20 is a Friday, 2026-12-25 too.
@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-11-20 10:00", 2, "2026-11-20 12:00"),
        ("2026-11-20 10:00", 0, "2026-11-20 10:00"),
        ("2026-11-20 16:00", 1, "2026-11-20 17:00"),  # up to closing, not to the next opening
        ("2026-11-20 16:00", 2, "2026-11-23 10:00"),  # over the weekend
        ("2026-11-21 03:00", 0, "2026-11-21 03:00"),
        ("2026-11-21 03:00", 1, "2026-11-23 10:00"),  # from a closed moment
        ("2026-11-20 17:00", 0.5, "2026-11-23 09:30"),
        ("2026-12-24 16:00", 2, "2026-12-28 10:00"),  # over a closing day and the weekend behind it
        ("2026-11-16 09:00", 40, "2026-11-20 17:00"),
        ("2026-11-16 09:00", 41, "2026-11-23 10:00"),
    ],
)
def test_so_much_working_time_has_gone_by(start: str, length: float, end: str) -> None:
    assert OFFICE.after(berlin(start), hours(length)) == berlin(end)
    assert OFFICE.between(berlin(start), berlin(end)) == hours(length)


def test_an_hour_that_does_not_exist_is_not_worked() -> None:
    """On 29 March 2026 the clocks of Berlin go from 02:00 to 03:00."""
    assert NIGHTS.between(berlin("2026-03-29 00:00"), berlin("2026-03-29 12:00")) == hours(2)
    assert NIGHTS.after(berlin("2026-03-29 01:30"), hours(1)) == berlin("2026-03-29 03:30")
    gone = worktime.read("Europe/Berlin", {"sun": ["02:00", "03:00"], "mon": ["09:00", "10:00"]}, [])
    assert gone.between(berlin("2026-03-29 00:00"), berlin("2026-03-29 23:00")) == hours(0)
    assert gone.after(berlin("2026-03-29 00:00"), hours(1)) == berlin("2026-03-30 10:00")
    half = worktime.read("Europe/Berlin", {"sun": ["02:30", "04:00"]}, [])
    assert half.after(berlin("2026-03-29 00:00"), hours(0.5)) == berlin("2026-03-29 03:30")


def test_an_hour_that_comes_twice_is_worked_twice() -> None:
    """On 25 October 2026 they go from 03:00 to 02:00."""
    assert NIGHTS.between(berlin("2026-10-25 00:00"), berlin("2026-10-25 12:00")) == hours(4)
    assert NIGHTS.after(berlin("2026-10-25 01:30"), hours(1)) == berlin("2026-10-25 02:30")
    assert NIGHTS.after(berlin("2026-10-25 01:30"), hours(2)) == berlin("2026-10-25 02:30", fold=1)
    early = worktime.read("Europe/Berlin", {"sun": ["01:00", "02:30"]}, [])
    assert early.between(berlin("2026-10-25 00:00"), berlin("2026-10-25 23:00")) == hours(
        2
    )  # 01:00 to 02:30, 02:00 to 02:30
    assert early.after(berlin("2026-10-25 01:00"), hours(1.75)) == berlin("2026-10-25 02:15", fold=1)


def test_office_hours_stand_on_the_wall_whatever_the_offset() -> None:
    friday, monday = berlin("2026-10-23 16:00"), berlin("2026-10-26 10:00")
    assert OFFICE.after(friday, hours(2)) == monday
    assert (friday.hour, monday.hour) == (14, 9)  # the offset moved, the wall clock did not
    apia = worktime.read("Pacific/Apia", {day: ["09:00", "17:00"] for day in DAYS}, [])
    thursday = datetime(2011, 12, 29, 16, tzinfo=ZoneInfo("Pacific/Apia"))
    assert apia.after(thursday, hours(2)).astimezone(ZoneInfo("Pacific/Apia")).date() == date(2011, 12, 31)


def test_without_hours_it_never_closes() -> None:
    start = berlin("2026-12-25 03:00")
    assert ALWAYS.after(start, hours(30)) == start + hours(30)
    assert ALWAYS.between(start, start + hours(30)) == hours(30)
    until_midnight = worktime.read("UTC", {day: ["00:00", "24:00"] for day in DAYS}, [])
    assert until_midnight.between(start, start + hours(30)) == hours(30)


@pytest.mark.parametrize(
    ("zone", "opened", "closed", "field"),
    [
        ("Mars/Olympus", {}, [], "time_zone"),
        ("", {}, [], "time_zone"),
        ("UTC", {"someday": ["09:00", "17:00"]}, [], "hours"),
        ("UTC", {"mon": ["9:00", "17:00"]}, [], "mon"),
        ("UTC", {"tue": ["17:00", "09:00"]}, [], "tue"),
        ("UTC", {"wed": ["09:00", "09:00"]}, [], "wed"),
        ("UTC", {"thu": ["09:00", "24:30"]}, [], "thu"),
        ("UTC", {"fri": ["09:00"]}, [], "fri"),
        ("UTC", {"sat": "09:00"}, [], "sat"),
        ("UTC", {"sun": [9, 17]}, [], "sun"),
        ("UTC", {"mon": ["09:00", "17:00"]}, ["2026-02-30"], "closed_on"),
        ("UTC", {"mon": ["09:00", "17:00"]}, [20261225], "closed_on"),
        ("UTC", {"mon": ["09:00", "17:00"]}, ["2026-12-25"] * 401, "closed_on"),
        ("UTC", {}, ["2026-12-25"], "closed_on"),
    ],
)
def test_hours_that_cannot_be_kept_are_refused_by_the_name_of_the_field(
    zone: str, opened: dict[str, object], closed: list[object], field: str
) -> None:
    with pytest.raises(WorktimeError, match=f"^{field}: "):
        worktime.read(zone, opened, closed)


def test_a_desk_that_never_opens_within_a_year_is_refused() -> None:
    today = date(2026, 11, 21)
    mondays = [date(2026, 11, 23) + timedelta(weeks=number) for number in range(54)]
    shut = Hours("UTC", ((0, 540, 1020),), frozenset(mondays))
    with pytest.raises(WorktimeError, match=r"^closed_on: not one minute"):
        worktime.refuse_never_open(shut, today)
    later = Hours("UTC", ((0, 540, 1020),), frozenset(day + timedelta(weeks=80) for day in mondays))
    with pytest.raises(WorktimeError, match=r"^closed_on: not one minute"):
        worktime.refuse_never_open(later, today)
    worktime.refuse_never_open(Hours("UTC", ((0, 540, 1020),), frozenset(mondays[:40])), today)
    worktime.refuse_never_open(ALWAYS, today)


@st.composite
def desks(draw: st.DrawFn) -> Hours:
    zone = draw(st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]))
    days = draw(st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True))
    spans = []
    for day in sorted(days):
        opens = draw(st.integers(0, 1439))
        spans.append((day, opens, draw(st.integers(opens + 1, 1440))))
    closed = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=6))
    return Hours(zone, tuple(spans), closed)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
lengths = st.timedeltas(timedelta(), timedelta(days=3))


@settings(max_examples=100, deadline=None)
@given(desks(), moments, lengths)
def test_after_and_between_undo_each_other(desk: Hours, start: datetime, length: timedelta) -> None:
    end = desk.after(start, length)
    assert end >= start
    assert desk.between(start, end) == length
    assert desk.after(start, desk.between(start, end)) == end  # the first such moment, and the same again


@settings(max_examples=100, deadline=None)
@given(desks(), moments, lengths, lengths)
def test_time_adds_up(desk: Hours, start: datetime, first: timedelta, second: timedelta) -> None:
    middle = desk.after(start, first)
    assert desk.after(middle, second) == desk.after(start, first + second) or second == timedelta()
    end = start + first + second
    inside = start + first
    assert desk.between(start, inside) + desk.between(inside, end) == desk.between(start, end)
    assert desk.between(end, start) == -desk.between(start, end)


@settings(max_examples=100, deadline=None)
@given(desks(), moments, moments, lengths)
def test_who_starts_later_ends_no_earlier(desk: Hours, one: datetime, other: datetime, length: timedelta) -> None:
    first, second = sorted((one, other))
    assume(length)
    assert desk.after(first, length) <= desk.after(second, length)
    assert timedelta() <= desk.between(first, second) <= second - first


@settings(max_examples=100, deadline=None)
@given(desks(), st.datetimes(datetime(2026, 1, 2), datetime(2026, 12, 30), timezones=st.just(UTC)))
def test_an_open_moment_is_one_whose_wall_clock_says_so(desk: Hours, moment: datetime) -> None:
    """Against the definition itself, minute by minute around changes of the clocks and anywhere else."""
    moment = moment.replace(second=0, microsecond=0)
    wall = moment.astimezone(ZoneInfo(desk.zone))
    minute = wall.hour * 60 + wall.minute
    is_open = wall.date() not in desk.closed and any(
        day == wall.weekday() and opens <= minute < closes for day, opens, closes in desk.open
    )
    assert desk.between(moment, moment + timedelta(minutes=1)) == timedelta(minutes=1 if is_open else 0)
