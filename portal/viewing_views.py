"""The page on which an admin begins to look as a colleague, and the post that ends it."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from portal import viewing
from portal.htmx import WorkspaceRequest
from portal.models import Membership, Person, Role


@require_http_methods(["GET", "POST"])
def choose(request: WorkspaceRequest) -> HttpResponse:
    """Whom to look as; a post begins it."""
    if Role.ADMIN not in request.roles:
        raise PermissionDenied(_("Only an admin looks at the desk as somebody else."))
    problem, wanted = "", request.POST.get("person", "")
    if request.method == "POST":
        try:
            viewing.begin(
                workspace=request.workspace.pk, admin=request.user, roles=request.roles, session=request.session,
                target=int(wanted) if wanted.isdecimal() and len(wanted) < 19 else 0, now=request.now,
            )  # fmt: skip
            return redirect("queue")
        except viewing.ViewError as error:
            problem = str(error)
    context = {"members": _members(request), "problem": problem, "minutes": viewing.MOST.seconds // 60}
    return render(request, "portal/view_as.html", context, status=422 if problem else 200)


@require_POST
def end(request: WorkspaceRequest) -> HttpResponse:
    """Be oneself again."""
    viewing.end(workspace=request.workspace.pk, admin=request.user, session=request.session, now=request.now)
    return redirect("queue")


def _members(request: WorkspaceRequest) -> list[tuple[Person, list[str]]]:
    """Everybody else who belongs here now, with their roles."""
    rows = Membership.objects.filter(workspace=request.workspace, active=True, person__is_active=True)
    held: dict[Person, list[str]] = {}
    for row in rows.exclude(person=request.user).select_related("person").order_by("person__name", "role"):
        held.setdefault(row.person, []).append(row.role)
    return list(held.items())


urlpatterns = [
    path("", choose, name="view-as"),
    path("end/", end, name="view-as-end"),
]
