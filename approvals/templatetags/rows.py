"""`{% rows page.rows %}`: lines of the queue, their markup kept by everything it says: nothing kept can be wrong.

Twenty-five of them were most of what the page took; they differ between two looks in a time or in nothing.
"""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.template import Context
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from approvals.queries import Row
from portal import figures
from portal.templatetags import clock
from portal.worktime import Hours

register = template.Library()
KEPT = 4_096


@register.simple_tag(takes_context=True)
def rows(context: Context, shown: Iterable[Row]) -> SafeString:
    """The lines as this person sees them now."""
    filters, me, item = context["filters"], context["user"].pk, context.get("item")
    query, stated, picks = filters.query, filters.state == "any", context["offers_next"]
    place, hours = (get_script_prefix(), figures.manner()), clock.working_hours(context)
    lines = (
        _markup(one, one.holder == me, *_times(context, one, hours), query, stated, one.item == item, picks, *place)
        for one in shown
    )
    return format_html_join("", "{}", ((line,) for line in lines))


def _times(context: Context, one: Row, hours: Hours) -> tuple[SafeString | str, SafeString | str]:
    """Since when it waits for the log, and how long it has left: markup, or ""."""
    since = clock.clock_time(context, one.unsealed_since) if one.unsealed_since else ""
    return since, clock.left(context, one.due, kept=hours) if one.state in ("pending", "open") else ""


@lru_cache(maxsize=KEPT)
def _markup(
    one: Row,
    mine: bool,
    since: str,
    left: str,
    query: str,
    stated: bool,
    current: bool,
    picks: bool,
    _prefix: str,
    _manner: str,
) -> SafeString:
    """`since` and `left` are markup already; what is none is escaped like everything else. `picks`: may be picked.

    The workspace's address, the language and the number format are those in force, in which the template is written."""
    said = {"row": one, "mine": mine, "since": since, "left": left, "query": query, "stated": stated}
    may_be_picked = picks and one.state == "pending"
    return render_to_string("approvals/_row.html", {**said, "current": current, "picks": may_be_picked})
