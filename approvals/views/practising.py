"""The practice queue: pages of invented cases, and the posts that deal and answer them. Each person sees their own."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from approvals.models import PracticeItem
from approvals.practice import catalogue, showing, working
from portal import roles
from portal.htmx import WorkspaceRequest, respond


@require_http_methods(["GET", "POST"])
def page(request: WorkspaceRequest) -> HttpResponse:
    """How it goes, and what is left; a post deals a new hand."""
    _require(request)
    ws, person = request.workspace.pk, request.user.pk
    if request.method == "POST":
        return redirect("practice-item", working.deal(workspace=ws, person=person, now=request.now)[0].pk)
    rates, answered = working.own(ws, person)
    known = [(row, showing.of(row)) for row in answered[:10] if row.drill in catalogue.DRILLS]
    context = {
        "rates": rates, "answered": known, "waiting": working.waiting(ws, person), "team": working.team(request.now),
        "days": working.TEAM_DAYS.days, "newest": working.NEWEST,
    }  # fmt: skip
    return respond(request, "approvals/practice.html", {}, context)


@require_GET
def item(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One invented case; once it is answered, what was off."""
    _require(request)
    return _show(request, pk)


@require_POST
def answer(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Approve or reject it."""
    _require(request)
    said = request.POST.get("answer", "")
    try:
        working.answer(workspace=request.workspace.pk, person=request.user.pk, item=pk, said=said, now=request.now)
    except PracticeItem.DoesNotExist as missing:
        raise Http404 from missing
    except working.BadAnswer as bad:
        return _show(request, pk, problem=str(bad), status=422)
    except working.Answered as late:
        return _show(request, pk, problem=str(late), status=409)
    return redirect("practice-item", pk)


def _require(request: WorkspaceRequest) -> None:
    if not roles.deciding(request.roles):
        raise PermissionDenied(_("Reviewers and managers practise here."))
    if request.impersonator:
        raise PermissionDenied(_("How somebody practises is for their own eyes."))


def _show(request: WorkspaceRequest, pk: int, *, problem: str = "", status: int = 200) -> HttpResponse:
    ws, person = request.workspace.pk, request.user.pk
    row = PracticeItem.objects.filter(workspace_id=ws, person_id=person, pk=pk).first()
    if row is None or row.drill not in catalogue.DRILLS:
        raise Http404
    waiting = [one for one in working.waiting(ws, person) if one.pk != pk]
    context = {"one": row, "case": showing.of(row), "waiting": waiting, "problem": problem}
    return respond(request, "approvals/practice_item.html", {}, context, status=status)
