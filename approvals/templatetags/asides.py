"""The line of an opened item about being laid aside or passed on, and the forms that do so."""

from datetime import timedelta
from typing import Any

from django import template
from django.template import Context
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import asides as reads
from approvals import deadlines, matters
from portal.models import Role

register = template.Library()
OFFERED = ((30, noop("half an hour")), (60, noop("an hour")), (180, noop("three hours")), (1_440, noop("a day")))


@register.inclusion_tag("approvals/_aside.html", takes_context=True)
def aside(context: Context, item: str) -> dict[str, Any]:
    """Why a manager is wanted, and until when it is laid aside."""
    return _said(context, item)


@register.inclusion_tag("approvals/_lay_aside.html", takes_context=True)
def lay_aside(context: Context, item: str) -> dict[str, Any]:
    """The forms, with the times that are not beyond what is due."""
    said = _said(context, item)
    place, request = said["place"], said["request"]
    due = deadlines.moment(place.urgency) if place else request.now
    offered = [(minutes, _(words)) for minutes, words in OFFERED if request.now + timedelta(minutes=minutes) < due]
    choices = [(name, matters.title(name)) for name in matters.CHOSEN]
    return {**said, "offered": offered, "matters": choices, "gives": Role.MANAGER in request.roles}


def _said(context: Context, item: str) -> dict[str, Any]:
    request = context["request"]
    known = getattr(request, "places", None)  # read once for the line and the forms
    if known is None or known[0] != item:
        known = request.places = (item, reads.place(workspace=request.workspace.pk, item=item))
    place = known[1]
    asleep = bool(place and place.snoozed_until and place.snoozed_until > request.now)
    return {
        "request": request, "place": place, "named": item, "asleep": asleep, "filters": context.get("filters"),
        "matter": matters.title(place.matter) if place and place.escalated else "",
        "problem": context.get("problem"), "csrf_token": context.get("csrf_token"),
    }  # fmt: skip
