"""What an open page tells: that it is open, and when it is left for how long. Works for whoever may see the page."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from approvals import looks, onlookers
from approvals.models import Proposal
from approvals.views import claiming
from portal.htmx import WorkspaceRequest


@require_POST
def looked(request: WorkspaceRequest) -> HttpResponse:
    """Sent by the page when it is left; nothing is shown for it."""
    visible = request.POST.get("seconds", "")
    try:
        looks.record(
            workspace=request.workspace.pk, text=request.POST.get("look", ""), person=request.user.pk, now=request.now,
            visible=int(visible) if visible.isdecimal() and len(visible) < 9 else 0,
        )  # fmt: skip
    except Proposal.DoesNotExist as missing:
        raise Http404 from missing
    except looks.LookError as error:
        return HttpResponse(str(error), status=422, content_type="text/plain")
    return HttpResponse(status=204)


@require_POST
def others(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Who else has it open; who acts as somebody else looks unseen."""
    known, seen = claiming.known(request, item), []
    if request.impersonator is None:
        seen = onlookers.look(
            workspace=request.workspace.pk, item=known, person=request.user.pk, name=request.user.name, now=request.now
        )
    return render(request, "approvals/_others.html", {"others": seen})
