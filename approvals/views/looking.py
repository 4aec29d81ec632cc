"""The beacon of a page that was looked at: how long it was on the screen. Works for whoever may see the page."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_POST

from approvals import looks
from approvals.models import Proposal
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
