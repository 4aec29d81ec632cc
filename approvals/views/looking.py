"""What an open page tells: that it is open, and when it is left for how long. Works for whoever may see the page."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from approvals import looks, onlookers, times
from approvals.models import Proposal
from approvals.views import claiming, desk
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
    """Who else has it open, and whether the customer wrote; who acts as somebody else looks unseen."""
    known, seen = claiming.known(request, item), []
    if request.impersonator is None:
        seen = onlookers.look(
            workspace=request.workspace.pk, item=known, person=request.user.pk, name=request.user.name, now=request.now
        )
    told = {"wrote": _wrote_since(request, known), "where": desk.address(known)}
    return render(request, "approvals/_others.html", {"others": seen, **told})


def _wrote_since(request: WorkspaceRequest, item: str) -> int:
    """The number of the customer's newest message, where an open item does not show yet that it came; else 0."""
    shown = request.POST.get("wrote", "")
    if not shown.isdecimal():
        return 0
    kind, _colon, key = item.partition(":")
    newest = times.wrote_since(request.workspace.pk, kind, [int(key)]).get(int(key), 0)
    return newest if str(newest) != shown else 0
