"""The managers' round: what was escalated and why, today's money, tomorrow's backlog, notes for the next shift."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import escalations, overseeing, shifts
from approvals.models import ShiftNote
from portal import roles
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role
from portal.retold import fault

READERS = frozenset({Role.MANAGER, Role.ADMIN})


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Everything of the round."""
    return _show(request)


@require_POST
def leave(request: WorkspaceRequest) -> HttpResponse:
    """A note for the next shift, about a case or in general."""
    _require(request)
    text, named = request.POST.get("text", ""), request.POST.get("case", "").strip()
    if named and not (named.isdecimal() and len(named) < 19):
        problem = "case: " + _("write the number of a case, or leave it empty.")
        return _show(request, problem=problem, text=text, status=422)
    ws, case = request.workspace.pk, int(named) if named else None
    try:
        shifts.leave(workspace=ws, person=request.user.pk, text=text, case=case, now=request.now)
    except shifts.NoteError as error:
        return _show(request, problem=fault(str(error)), text=text, status=422)
    return redirect("escalations")


@require_POST
def settle(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A note is done with."""
    if not ShiftNote.objects.filter(workspace=request.workspace, pk=pk).exists():
        raise Http404
    _require(request)
    shifts.settle(workspace=request.workspace.pk, person=request.user.pk, note=pk, now=request.now)
    return redirect("escalations")


def _require(request: WorkspaceRequest) -> None:
    if not READERS & request.roles:
        raise PermissionDenied(_("Only managers and admins see what was escalated."))


def _show(request: WorkspaceRequest, *, problem: str = "", text: str = "", status: int = 200) -> HttpResponse:
    _require(request)
    ws = request.workspace.pk
    context = {
        "all": escalations.escalations(workspace=ws, now=request.now),
        "notes": shifts.open_notes(ws),
        "load": overseeing.load(ws, request.now),
        "manages": bool(roles.deciding(request.roles)) and Role.MANAGER in request.roles,
        "problem": problem,
        "text": text,
        "case": request.POST.get("case", "") or request.GET.get("case", ""),
    }
    return respond(request, "approvals/escalations.html", {}, context, status=status)
