"""Times as people read them, in their own time zone: relative in a list, with the exact one where there is room.

What a list leaves out is a tooltip there, and stands in words on the page that it leads to.
"""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.template import Context
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from portal import hours, worktime

register = template.Library()

_UNITS = ((86_400, gettext_noop("%s d")), (3_600, gettext_noop("%s h")), (60, gettext_noop("%s min")))


def span(length: timedelta) -> str:
    """A length of time in its largest unit, two units below four: '3 min', '2 h 5 min', '7 h'."""
    seconds = int(abs(length).total_seconds())
    for position, (size, name) in enumerate(_UNITS):
        whole, rest = divmod(seconds, size)
        if whole:
            smaller = rest // _UNITS[position + 1][0] if position + 1 < len(_UNITS) and whole < 4 else 0
            return _(name) % whole + (f" {_(_UNITS[position + 1][1]) % smaller}" if smaller else "")
    return _("under 1 min")


@register.simple_tag(takes_context=True)
def when(context: Context, value: datetime | None, *, exact: bool = False) -> str | SafeString:
    """'3 min ago' or 'in 2 h', with the exact time as a tooltip; `exact` puts it behind: '2 h ago, 14:05'."""
    return "" if value is None else _time(context, value, _distance(context, value), exact=exact)


@register.simple_tag(takes_context=True)
def due(context: Context, value: datetime | None) -> str | SafeString:
    """'2 h left' or '5 min over'; what is over carries a class."""
    if value is None:
        return ""
    distance = value - _now(context)
    return _left(context, value, distance, over=distance < timedelta())


@register.simple_tag(takes_context=True)
def left(
    context: Context, value: datetime | None, *, exact: bool = False, kept: worktime.Hours | None = None
) -> str | SafeString:
    """As `due`, in the workspace's working time: '3 h left' on a Friday evening may mean Monday noon.

    `kept` are its `working_hours`, where they are known already.
    """
    kept = working_hours(context) if kept is None else kept
    now = _now(context)
    if value is None or not kept.open:
        return "" if value is None else _left(context, value, value - now, over=value < now, exact=exact)
    return _left(context, value, kept.between(now, value), over=value <= now, working=True, exact=exact)


def working_hours(context: Context) -> worktime.Hours:
    """Those of the workspace that the page is in; always, outside of one."""
    workspace = getattr(context.get("request"), "workspace", None)
    return hours.of_row(workspace) if workspace is not None else worktime.ALWAYS


def _left(
    context: Context, value: datetime, remaining: timedelta, *, over: bool, working: bool = False, exact: bool = False
) -> SafeString:
    minutes = int(abs(remaining).total_seconds()) // 60
    words = _remaining(minutes, over, working, get_language() or "")
    note = _(", in working time") if working else ""
    return _time(context, value, words, "over" if over else "", note=note, exact=exact)


@lru_cache(maxsize=8_192)
def _remaining(minutes: int, over: bool, working: bool, _language: str) -> str:
    length = timedelta(minutes=minutes)
    return (_("%s over") if over else _("%s left")) % (_hours(length) if working else span(length))


def _hours(length: timedelta) -> str:
    """A length of working time; a day of it would say nothing."""
    whole, minutes = divmod(int(abs(length).total_seconds()) // 60, 60)
    parts = [_("%s h") % whole] * (whole > 0) + [_("%s min") % minutes] * (minutes > 0 and whole < 4)
    return " ".join(parts) or _("under 1 min")


@register.simple_tag(takes_context=True)
def at(context: Context, value: datetime | None) -> str | SafeString:
    """The exact time, with the distance as a tooltip."""
    if value is None:
        return ""
    local = value.astimezone(_zone(context))
    said = value.isoformat(), _distance(context, value), day(local, ", H:i:s")
    return format_html('<time datetime="{}" title="{}">{}</time>', *said)


@register.simple_tag(takes_context=True)
def clock_time(context: Context, value: datetime) -> SafeString:
    """'14:05' of a time today, '3 May, 14:05' of another day, with the distance as a tooltip."""
    said = value.isoformat(), _distance(context, value), _short(context, value)
    return format_html('<time datetime="{}" title="{}">{}</time>', *said)


@register.simple_tag(takes_context=True)
def exact(context: Context, value: datetime) -> str:
    """'03 May 2026, 14:05 CEST', for a place that takes no markup."""
    return _exact(value.astimezone(_zone(context)))


@register.simple_tag(takes_context=True)
def date_of(context: Context, value: datetime) -> str:
    """The day it was where the person is: '03 May 2026'."""
    return day(value.astimezone(_zone(context)))


@register.simple_tag(takes_context=True)
def countdown(context: Context, value: datetime) -> SafeString:
    """Minutes and seconds left until a moment; a script counts them down from what the server said."""
    left = max(0, int((value - _now(context)).total_seconds()))
    return format_html(
        '<time datetime="{}" data-left="{}" role="timer" aria-live="off">{}:{}</time>',
        value.isoformat(),
        left,
        left // 60,
        f"{left % 60:02}",
    )


def day(local: datetime, time: str = "") -> str:
    """'03 May 2026', and the time in Django's letters behind it: 03 May 2026, 14:05 for ", H:i"."""
    return dateformat.format(local, _("d M Y") + time)


def _distance(context: Context, value: datetime) -> str:
    distance = value - _now(context)
    return (_("in %s") if distance > timedelta() else _("%s ago")) % span(distance)


def _short(context: Context, value: datetime) -> str:
    local, now = value.astimezone(_zone(context)), _now(context).astimezone(_zone(context))
    if local.date() == now.date():
        return f"{local:%H:%M}"
    return dateformat.format(local, _("j M, H:i") if local.year == now.year else _("d M Y") + ", H:i")


def _time(
    context: Context, value: datetime, words: str, css: str = "", *, note: str = "", exact: bool = False
) -> SafeString:
    if exact:
        words = f"{words}, {_short(context, value)}"
    return _markup(value, _zone(context), words, css, note, get_language() or "")


# The lines of a list differ from one look to the next by a minute or not at all, and dates are slow to write.
@lru_cache(maxsize=8_192)
def _markup(value: datetime, zone: tzinfo, words: str, css: str, note: str, _language: str) -> SafeString:
    said = f"{_exact(value.astimezone(zone))}{note}"
    return format_html('<time datetime="{}" title="{}" class="{}">{}</time>', value.isoformat(), said, css, words)


def _exact(local: datetime) -> str:
    return f"{day(local, ', H:i')} {local:%Z}"


def _now(context: Context) -> datetime:
    now: datetime = getattr(context.get("request"), "now", None) or timezone.now()
    return now


def _zone(context: Context) -> tzinfo:
    return zone(getattr(getattr(context.get("request"), "user", None), "time_zone", "UTC"))


def zone(name: str) -> tzinfo:
    """A person's time zone by its IANA name; UTC where it is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
