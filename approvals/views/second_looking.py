"""Second looks: what was decided, judged again by somebody who had no part in it and does not see how."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import decisions
from approvals.blind import answering, drawing, showing
from approvals.models import SecondLook
from portal import roles
from portal.htmx import WorkspaceRequest, respond


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """What waits for a second look of this person."""
    _require(request)
    context = {
        "waiting": answering.waiting(request.workspace.pk, request.user.pk, request.now),
        "one_of": drawing.ONE_OF, "first": drawing.FIRST_OF_VERSION, "days": answering.OFFERED.days,
    }  # fmt: skip
    return respond(request, "approvals/second_looks.html", {}, context)


@require_GET
def look(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One of them, as it was when it was decided."""
    _require(request)
    return _show(request, pk)


@require_POST
def answer(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What this person would have done; then the next."""
    _require(request)
    said = {name: request.POST.get(name, "") for name in ("verdict", "reason", "note")}
    try:
        answering.answer(workspace=request.workspace.pk, person=request.user.pk, look=pk, now=request.now, **said)
    except SecondLook.DoesNotExist as missing:
        raise Http404 from missing
    except answering.BadAnswer as bad:
        why = str(bad).partition(": ")[2]
        return _show(request, pk, problem=f"{why[:1].upper()}{why[1:]}", status=422)
    except answering.NotYours as other:
        return _refuse(request, str(other))
    return redirect("second-looks")


def _require(request: WorkspaceRequest) -> None:
    if not roles.deciding(request.roles):
        raise PermissionDenied(_("Reviewers and managers take second looks."))


def _show(request: WorkspaceRequest, pk: int, *, problem: str = "", status: int = 200) -> HttpResponse:
    try:
        row = answering.find(request.workspace.pk, request.user.pk, pk)
    except SecondLook.DoesNotExist as missing:
        raise Http404 from missing
    except answering.NotYours as other:
        return _refuse(request, str(other))
    context = {
        "look": row, "case": showing.of(row), "problem": problem,
        "reasons": {key: _(words) for key, words in decisions.REJECT_REASONS.items()},
        "kept": request.POST,
    }  # fmt: skip
    return respond(request, "approvals/second_look.html", {}, context, status=status)


def _refuse(request: WorkspaceRequest, why: str) -> HttpResponse:
    context = {"problem": why, "written": request.POST.get("note", "")}
    return respond(request, "approvals/second_look.html", {}, context, status=403)
