"""The page of who works what: managers set team queues and languages per person."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from portal import skills
from portal.htmx import WorkspaceRequest
from portal.models import Queue, Role

PAGE = "portal/team.html"


@require_GET
def team(request: WorkspaceRequest) -> HttpResponse:
    """Everybody who decides here, with what they work."""
    return _page(request)


@require_POST
def set_skills(request: WorkspaceRequest, person: int) -> HttpResponse:
    """Put what the form says in place of what the person had."""
    if person not in {key for key, *_rest in skills.team(request.workspace.pk)}:
        raise Http404
    _require_manager(request)
    try:
        skills.set_for(
            workspace=request.workspace.pk, person=person, teams=request.POST.getlist("teams"),
            languages=request.POST.get("languages", "").replace(",", " ").lower().split(),
            by=request.user.pk, now=request.now,
        )  # fmt: skip
    except skills.SkillError as error:
        return _page(request, problem=str(error).partition(": ")[2], about=person)
    return redirect("team")


def _page(request: WorkspaceRequest, *, problem: str = "", about: int = 0) -> HttpResponse:
    _require_manager(request)
    people = [
        {
            "key": key, "name": name, "teams": teams, "languages": " ".join(languages),
            "problem": problem if key == about else "",
            "written": request.POST.get("languages", "") if key == about else " ".join(languages),
        }
        for key, name, teams, languages in skills.team(request.workspace.pk)
    ]  # fmt: skip
    queues = list(Queue.objects.filter(workspace=request.workspace).order_by("title").values_list("name", "title"))
    return render(request, PAGE, {"people": people, "queues": queues}, status=422 if problem else 200)


def _require_manager(request: WorkspaceRequest) -> None:
    if Role.MANAGER not in request.roles:
        raise PermissionDenied(_("Only managers say who works what."))


urlpatterns = [
    path("", team, name="team"),
    path("<int:person>/", set_skills, name="set-skills"),
]
