"""Posts that lay an item aside, bring it back, call a manager to it, or say that none is needed any more."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.http import require_POST

from approvals import asides, claims, matters
from approvals.views import claiming, deciding, desk
from portal.htmx import WorkspaceRequest


@require_POST
def snooze(request: WorkspaceRequest, item: str) -> HttpResponse:
    """For so many minutes; the next item is opened."""
    minutes = request.POST.get("minutes", "")
    length = timedelta(minutes=int(minutes) if minutes.isdecimal() and len(minutes) < 6 else 0)
    return _aside(request, item, asides.snooze, "snoozed", onward=True, until=request.now + length)


@require_POST
def wake(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Back to the others, now."""
    return _aside(request, item, asides.wake, "woken")


@require_POST
def escalate(request: WorkspaceRequest, item: str) -> HttpResponse:
    """A manager is wanted, and why; who works through the queue goes on to the next."""
    why, matter = request.POST.get("why", ""), request.POST.get("matter", matters.UNCLEAR)
    playing = desk.filters_of(request, item).playing
    return _aside(request, item, asides.escalate, "escalated", onward=playing, reason=why, matter=matter)


@require_POST
def settle(request: WorkspaceRequest, item: str) -> HttpResponse:
    """No manager is wanted any more."""
    return _aside(request, item, asides.settle, "settled")


def _aside(
    request: WorkspaceRequest, item: str, act: Callable[..., None], deed: str, *, onward: bool = False, **said: Any
) -> HttpResponse:
    deciding.require_deciding(request)
    known = claiming.known(request, item)
    try:
        with transaction.atomic():
            act(workspace=request.workspace.pk, item=known, person=request.user.pk, now=request.now, **said)
            if onward:
                claims.release(workspace=request.workspace.pk, item=known, person=request.user.pk)
    except asides.AsideError as error:
        return deciding.refused(request, item, error)
    return deciding.back_to(request, deciding.next_of(request, item) if onward else item, deed=f"{deed}:{item}")
