"""How considered approvals are: the team's figures for everybody, one's own for oneself, by name for managers."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from approvals.blind import answering
from approvals.considered import figures, reading
from approvals.practice import working
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Whoever looks as somebody else sees the team alone."""
    looking = bool(request.impersonator)
    names = Role.MANAGER in request.roles and not looking
    own = None if looking else request.user.pk
    context = {
        "all": reading.considered(workspace=request.workspace.pk, person=own, names=names, now=request.now),
        "names": names, "looks": answering.agreement(request.workspace.pk, request.now),
        "practice": working.team(request.now), "quick": figures.QUICK_SECONDS,
        "least": figures.LEAST_OF_ONE, "weeks": figures.WEEKS, "most": reading.MOST,
        "relax_seconds": figures.RELAX_SECONDS, "relax_least": figures.RELAX_LEAST,
    }  # fmt: skip
    return respond(request, "approvals/considered.html", {}, context)
