"""The managers' round: what was escalated and why, today's money, tomorrow's backlog, notes for the next shift."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from approvals import escalations, overseeing, shifts
from portal import roles
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role

READERS = frozenset({Role.MANAGER, Role.ADMIN})


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Everything of the round."""
    return show(request)


def show(request: WorkspaceRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The same, with why something came to nothing.

    Raises:
        PermissionDenied: neither manager nor admin.
    """
    _require(request)
    ws = request.workspace.pk
    context = {
        "all": escalations.escalations(workspace=ws, now=request.now),
        "notes": shifts.open_notes(ws),
        "notes_for": True,
        "load": overseeing.load(ws, request.now),
        "manages": bool(roles.deciding(request.roles)) and Role.MANAGER in request.roles,
        "problem": problem,
    }
    return respond(request, "approvals/escalations.html", {}, context, status=status)


def _require(request: WorkspaceRequest) -> None:
    if not READERS & request.roles:
        raise PermissionDenied(_("Only managers and admins see what was escalated."))
