"""The managers' page: what is late, stuck or dead, who has what in hand; and the few posts it offers."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import claims, outbox, overseeing, queries
from approvals.models import Handoff, Outbox, Proposal
from approvals.views import claiming, desk, escalating
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role
from portal.retold import say

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
        return _not_given(request, item, _("Choose who gets it."), status=422)
    try:
        with transaction.atomic():
            if int(to) == request.user.pk:
                claims.take_over(workspace=ws, item=item, by=request.user.pk, now=request.now)
            else:
                claims.assign(workspace=ws, item=item, to=int(to), by=request.user.pk, now=request.now)
    except claims.NoSuchItem as missing:
        raise Http404 from missing
    except claims.ClaimError as error:
        return _not_given(request, item, say(str(error)), status=409)
    if request.POST.get("back") == "item":
        return redirect(desk.address(item))
    return redirect("escalations" if request.POST.get("back") == "escalations" else "manage")


@require_GET
def give(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Who could have an item in hand, and how much each has."""
    return _give(request, item)


def _give(request: WorkspaceRequest, item: str, *, problem: str = "", status: int = 200) -> HttpResponse:
    if Role.MANAGER not in request.roles:
        raise PermissionDenied(_("Only a manager gives items into others' hands."))
    ws, known = request.workspace.pk, claiming.known(request, item)
    kind, _colon, key = known.partition(":")
    if kind == "proposal":
        headline = Proposal.objects.get(workspace=ws, pk=key).summary
    else:
        headline = queries.headline(Handoff.objects.get(workspace=ws, pk=key))
    context = {
        "item": known, "kind": kind, "key": key, "headline": headline, "load": overseeing.load(ws, request.now),
        "holder": claims.holders(workspace=ws, items=[known], now=request.now).get(known),
        "problem": problem,
    }  # fmt: skip
    return respond(request, "approvals/give.html", {}, context, status=status)


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
        raise PermissionDenied(_("Only managers and admins oversee the work of others."))


def _not_given(request: WorkspaceRequest, item: str, problem: str, *, status: int) -> HttpResponse:
    """The page that the form stood on, and why it came to nothing."""
    match request.POST.get("back"):
        case "item" if Role.MANAGER in request.roles:
            return _give(request, item, problem=problem, status=status)
        case "escalations":
            return escalating.show(request, problem=problem, status=status)
    return _show(request, problem=problem, status=status)


def _show(request: WorkspaceRequest, *, problem: str = "", status: int = 200) -> HttpResponse:
    _require(request)
    overview = overseeing.overview(workspace=request.workspace.pk, now=request.now)
    context = {"all": overview, "problem": problem, "manages": Role.MANAGER in request.roles}
    return respond(request, "approvals/manage.html", {}, context, status=status)
