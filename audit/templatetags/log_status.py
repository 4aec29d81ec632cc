"""The line at the foot of every page of a workspace: how the log stands."""

from typing import Any

from django import template
from django.template import Context

from audit import status

register = template.Library()
EXPLORING = frozenset({"manager", "admin", "auditor"})


@register.inclusion_tag("audit/_status.html", takes_context=True)
def log_status(context: Context) -> dict[str, Any]:
    """For people with a role here, who may read the log; the link is for those who may read all of it."""
    request: Any = context.get("request")
    roles: frozenset[str] = getattr(request, "roles", frozenset())
    if getattr(request, "workspace", None) is None or not roles:
        return {"log": None}
    return {"request": request, "log": status.now(request.now), "explores": bool(EXPLORING & set(roles))}
