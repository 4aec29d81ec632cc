"""How considered approvals are: the team's figures for everybody, one's own for oneself, by name for managers."""

from django.http import HttpResponse
from django.views.decorators.http import require_GET

from approvals import admin_asked
from approvals.blind import answering
from approvals.considered import figures, reading
from approvals.practice import working
from portal.admin_site import READERS
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """Whoever looks as somebody else sees the team alone."""
    looking = bool(request.impersonator)
    names = Role.MANAGER in request.roles and not looking
    own = None if looking else request.user.pk
    found = reading.considered(workspace=request.workspace.pk, person=own, names=names, now=request.now)
    opens = READERS & request.roles
    relax = [(one, admin_asked.href(one.row, dict(one.milder)) if opens else "") for one in found.relax]
    context = {
        "all": found, "relax": relax,
        "names": names, "looks": answering.agreement(request.workspace.pk, request.now),
        "practice": working.team(request.now), "quick": figures.QUICK_SECONDS,
        "least": figures.LEAST_OF_ONE, "weeks": figures.WEEKS, "most": reading.MOST,
        "relax_seconds": figures.RELAX_SECONDS, "relax_least": figures.RELAX_LEAST,
    }  # fmt: skip
    return respond(request, "approvals/considered.html", {}, context)
