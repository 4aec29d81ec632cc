"""The banner above every page of a workspace: what is switched off, and workers that do not answer."""

from typing import Any

from django import template
from django.template import Context

from approvals import standing as reads
from portal.templatetags import notices

register = template.Library()


@register.inclusion_tag("approvals/_standing.html", takes_context=True)
def standing(context: Context) -> dict[str, Any]:
    """The banner; empty outside a workspace, and where there is nothing to say."""
    request = context.get("request")
    workspace = getattr(request, "workspace", None)
    standing = reads.of(request) if request is not None and workspace is not None else None
    key = f"{standing.key}-{notices.count(request)}" if standing else ""
    return {"request": request, "workspace": workspace, "standing": standing, "key": key}
