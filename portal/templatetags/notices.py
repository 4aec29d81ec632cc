"""The counter of unread notices in the head of every page; the banner's poll brings it anew."""

from typing import Any

from django import template
from django.template import Context

from portal import notices

register = template.Library()


@register.inclusion_tag("portal/_unread.html", takes_context=True)
def unread(context: Context, oob: bool = False) -> dict[str, Any]:
    """How many wait for whoever is signed in; one statement a page."""
    return {"unread": count(context.get("request")), "oob": oob, "current": context.get("on_notices")}


def count(request: Any) -> str:
    """The same once a request, which the page asks twice."""
    if getattr(request, "workspace", None) is None:
        return ""
    if not hasattr(request, "unread_notices"):
        request.unread_notices = notices.unread(workspace=request.workspace.pk, person=request.user.pk)
    found: str = request.unread_notices
    return found
