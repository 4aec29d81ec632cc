"""One's own notices: the page, and marking them read."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from approvals import noticed
from portal import notices
from portal.htmx import WorkspaceRequest, respond


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Newest first, a page by key."""
    rows = notices.newest(
        workspace=request.workspace.pk, person=request.user.pk, before=_number(request.GET.get("before", ""))
    )
    shown = rows[: notices.SHOWN]
    context = {
        "lines": noticed.lines(request.workspace.pk, shown),
        "more": shown[-1].pk if len(rows) > notices.SHOWN else None,
        "upto": shown[0].pk if shown else None,
        "older": "before" in request.GET,
        "on_notices": True,
    }
    return respond(request, "approvals/notices.html", {}, context)


@require_POST
def read(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One of one's own."""
    if not notices.read(workspace=request.workspace.pk, person=request.user.pk, notice=pk, now=request.now):
        raise Http404
    return redirect("notices")


@require_POST
def read_all(request: WorkspaceRequest) -> HttpResponse:
    """All that was on the screen, and what is older."""
    upto = _number(request.POST.get("upto", ""))
    if upto is not None:
        notices.read_all(workspace=request.workspace.pk, person=request.user.pk, upto=upto, now=request.now)
    return redirect("notices")


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 19 else None
