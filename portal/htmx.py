"""Page or fragment: the one helper that decides. Also the type of a request inside a workspace.

A fragment is a template with a leading underscore that the page includes and HTMX gets alone, chosen by the
id of the element it goes into; every page works without it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django_htmx.middleware import HtmxDetails

from portal.models import Person, Workspace


class WorkspaceRequest(HttpRequest):
    """What `WorkspaceMiddleware` hands to a view: who, where, roles, the database's clock (UTC), who looks as them."""

    user: Person
    workspace: Workspace
    roles: frozenset[str]
    now: datetime
    htmx: HtmxDetails
    impersonator: Person | None


def respond(
    request: WorkspaceRequest,
    page: str,
    parts: Mapping[str, str],
    context: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render `page`, or the part whose key is the id of the element that HTMX fills. Never cached."""
    wanted = request.htmx and not request.htmx.history_restore_request
    part = parts.get(request.htmx.target or "", page) if wanted else page
    response = render(request, part, dict(context), status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    add_never_cache_headers(response)
    return response
