"""Posts about who has an item in hand: claim, claim next, heartbeat, release, take over."""

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.views.decorators.http import require_POST

from approvals import claims
from approvals.models import Handoff, Proposal
from approvals.views import deciding, desk
from portal.htmx import WorkspaceRequest

NOTHING_LEFT = noop(
    "Nothing is free that you may take: the rest is yours, in other hands, waits for its customer,"
    " or is of other teams and languages."
)


@require_POST
def claim(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Take an item in hand; a manager may take it from somebody else."""
    deciding.require_deciding(request)
    ws, person, named = request.workspace.pk, request.user.pk, known(request, item)
    try:
        with transaction.atomic():
            if "take_over" in request.POST:
                claims.take_over(workspace=ws, item=named, by=person, now=request.now)
            else:
                claims.claim(workspace=ws, item=named, person=person, now=request.now)
    except claims.ClaimError as error:
        return deciding.refused(request, item, error)
    return deciding.back_to(request, item, deed=f"claimed:{item}")


@require_POST
def claim_next(request: WorkspaceRequest) -> HttpResponse:
    """Take the most urgent free item and open it; with `play` in the address each decision brings the next."""
    deciding.require_deciding(request)
    try:
        taken = deciding.serve(request)
    except claims.ClaimError as error:
        return deciding.refused(request, "", error)
    if not taken:
        return desk.show(request, item="", problem=desk.Problem(_(NOTHING_LEFT), request.POST))
    return deciding.back_to(request, taken, deed=f"claimed:{taken}")


@require_POST
def heartbeat(request: WorkspaceRequest) -> HttpResponse:
    """Renew the lease of the page that is open; 409 with words where it is over."""
    token = request.POST.get("token", "")
    if claims.heartbeat(workspace=request.workspace.pk, person=request.user.pk, token=token, now=request.now):
        return HttpResponse(status=204)
    return render(request, "approvals/_lapsed.html", status=409)


@require_POST
def release(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Put one's own item back."""
    claims.release(workspace=request.workspace.pk, item=known(request, item), person=request.user.pk)
    return deciding.back_to(request, item, deed=f"released:{item}")


def known(request: WorkspaceRequest, item: str) -> str:
    """An item of this workspace, or 404."""
    kind, _colon, key = item.partition(":")
    models: dict[str, type[Proposal] | type[Handoff]] = {"proposal": Proposal, "handoff": Handoff}
    model = models.get(kind) if key.isdecimal() and len(key) < 19 else None
    if model is None or not model._default_manager.filter(workspace=request.workspace, pk=int(key)).exists():
        raise Http404
    return item
