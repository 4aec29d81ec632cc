"""Notes for the next shift: everybody here reads them; reviewers, managers and admins leave and settle them."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import shifts
from approvals.models import Case, ShiftNote
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role
from portal.retold import fault

WRITERS = frozenset({Role.REVIEWER, Role.MANAGER, Role.ADMIN})


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """All that nobody settled."""
    return _show(request)


@require_POST
def leave(request: WorkspaceRequest) -> HttpResponse:
    """A note for the next shift, about a case or in general."""
    _require(request)
    text, named = request.POST.get("text", ""), request.POST.get("case", "").strip()
    if named and not (named.isdecimal() and len(named) < 19):
        problem = "case: " + _("leave it on the page of its case.")
        return _show(request, problem=problem, text=text, status=422)
    ws, case = request.workspace.pk, int(named) if named else None
    try:
        shifts.leave(workspace=ws, person=request.user.pk, text=text, case=case, now=request.now)
    except shifts.NoteError as error:
        return _show(request, problem=fault(str(error)), text=text, case=case, status=422)
    return _back(request, case)


@require_POST
def settle(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A note is done with."""
    if not ShiftNote.objects.filter(workspace=request.workspace, pk=pk).exists():
        raise Http404
    _require(request)
    row = shifts.settle(workspace=request.workspace.pk, person=request.user.pk, note=pk, now=request.now)
    return _back(request, row.case_id)


def _require(request: WorkspaceRequest) -> None:
    if not WRITERS & request.roles:
        raise PermissionDenied(_("Only who works here leaves and settles notes."))


def _comes_from(request: WorkspaceRequest) -> str:
    """The page that a refused form stood on, so that the next try leads back there."""
    back = request.POST.get("back", "")
    return back if back in ("case", "escalations") else ""


def _back(request: WorkspaceRequest, case: int | None) -> HttpResponse:
    """To the page that the form stood on."""
    match request.POST.get("back"):
        case "case" if case is not None:
            return redirect("case", pk=case)
        case "escalations":
            return redirect("escalations")
    return redirect("shift-notes")


def _show(
    request: WorkspaceRequest, *, problem: str = "", text: str = "", case: int | None = None, status: int = 200
) -> HttpResponse:
    ws = request.workspace.pk
    about = Case.objects.filter(workspace_id=ws, pk=case).first() if case is not None else None
    context = {
        "notes": shifts.open_notes(ws), "notes_for": bool(WRITERS & request.roles), "about": about,
        "problem": problem, "text": text, "comes_from": _comes_from(request),
    }  # fmt: skip
    return respond(request, "approvals/notes.html", {}, context, status=status)
