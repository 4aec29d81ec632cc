"""The page of sweeps of the contacts: what they found, how far they are, and the buttons that begin and stop one."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from agents.gateway import budgets
from agents.models import Sweep
from agents.steps.contacts import AGENT
from agents.sweeps import planning, reading
from agents.sweeps.models import PER_SWEEP
from approvals import queries, wording
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role

READERS = frozenset({Role.MANAGER, Role.ADMIN})
SHOWN = 20


@require_GET
def sweeps(request: WorkspaceRequest) -> HttpResponse:
    """The newest sweeps."""
    return _show(request)


@require_POST
def begin_sweep(request: WorkspaceRequest) -> HttpResponse:
    """Begin one now."""
    _require(request)
    try:
        planning.begin(workspace=request.workspace.pk, actor=f"person:{request.user.pk}", now=request.now)
    except planning.UnderWay as under_way:
        return _show(request, problem=str(under_way), status=409)
    return redirect("sweeps")


@require_POST
def stop_sweep(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Stop one that is under way; what it handed in stays."""
    _require(request)
    try:
        planning.stop(workspace=request.workspace.pk, sweep=pk, actor=f"person:{request.user.pk}", now=request.now)
    except Sweep.DoesNotExist as error:
        raise Http404 from error
    except planning.Over as over:
        return _show(request, problem=str(over), status=409)
    return redirect("sweeps")


def _require(request: WorkspaceRequest) -> None:
    if not READERS & request.roles:
        raise PermissionDenied(_("Only managers and admins sweep the contacts."))


def _show(request: WorkspaceRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    _require(request)
    rows = list(Sweep.objects.filter(workspace=request.workspace).order_by("-pk")[:SHOWN])
    people = queries.names([who for row in rows for who in (row.started_by, row.stopped_by)])
    plan = planning.plan_in_force(request.workspace.pk)
    each = budgets.most_of(request.workspace.pk, agent=AGENT.name, asked_by=f"person:{request.user.pk}")
    context = {
        "rows": [(row, _("the plan") if row.started_by == planning.SCHEDULE else wording.actor(row.started_by, people),
                  wording.actor(row.stopped_by, people)) for row in rows],
        "newest": rows[0] if rows else None, "progress": reading.progress(rows[0]) if rows else None,
        "plan": plan, "problem": problem, "each": each, "most": each * (plan.per_sweep if plan else PER_SWEEP),
        "under_way": bool(rows) and rows[0].finished_at is None, "plans": Role.ADMIN in request.roles,
        "zone": request.workspace.time_zone,
    }  # fmt: skip
    parts = {"sweeps": "agents/_sweeps.html"}
    return respond(request, "agents/sweeps.html", parts, context, status=status)
