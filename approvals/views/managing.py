"""The managers' page: what is late, stuck or dead, who has what in hand; and the few posts it offers."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from approvals import claims, outbox, overseeing
from approvals.models import Outbox
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role

READERS = frozenset({Role.MANAGER, Role.ADMIN})


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Everything that calls a manager."""
    return _show(request)


@require_POST
def assign(request: WorkspaceRequest) -> HttpResponse:
    """Give an item into somebody's hands; to oneself is taking it over."""
    _require(request)
    to, item, ws = request.POST.get("to", ""), request.POST.get("item", ""), request.workspace.pk
    if not (to.isdecimal() and len(to) < 19):
        return _show(request, problem="Choose who gets it.", status=422)
    try:
        with transaction.atomic():
            if int(to) == request.user.pk:
                claims.take_over(workspace=ws, item=item, by=request.user.pk, now=request.now)
            else:
                claims.assign(workspace=ws, item=item, to=int(to), by=request.user.pk, now=request.now)
    except claims.NoSuchItem as missing:
        raise Http404 from missing
    except claims.ClaimError as error:
        return _show(request, problem=str(error), status=409)
    return redirect("escalations" if request.POST.get("back") == "escalations" else "manage")


@require_POST
def revive(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Let dead work be tried again."""
    if not Outbox.objects.filter(workspace=request.workspace, pk=pk).exists():
        raise Http404
    _require(request)
    outbox.revive(workspace=request.workspace.pk, outbox=pk, person=request.user.pk, now=request.now)
    return redirect("manage")


def _require(request: WorkspaceRequest) -> None:
    if not READERS & request.roles:
        raise PermissionDenied("Only managers and admins oversee the work of others.")


def _show(request: WorkspaceRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    _require(request)
    overview = overseeing.overview(workspace=request.workspace.pk, now=request.now)
    context = {"all": overview, "problem": problem, "manages": Role.MANAGER in request.roles}
    return respond(request, "approvals/manage.html", {}, context, status=status)
