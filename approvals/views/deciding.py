"""Posts that decide: each says what was on the screen, makes one call, and opens the next item.

A refused one leaves nothing half done and comes back beside what was written: 403, 409 or 422.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from approvals import claims, decisions, handoffs, proposals, queries, state
from approvals.models import Handoff, Proposal
from approvals.views import desk
from portal import roles
from portal.htmx import WorkspaceRequest

REFUSALS = (
    decisions.DecisionError,
    claims.ClaimError,
    proposals.ProposalError,
    state.IllegalMove,
    handoffs.HandoffError,
)


@require_POST
def approve(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One person's yes."""
    return _decide(request, pk, decisions.approve, onward=True)


@require_POST
def reject(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One person's no, with its reason."""
    said = {name: request.POST.get(name, "").strip() for name in ("reason", "note")}
    return _decide(request, pk, decisions.reject, onward=True, **said)


@require_POST
def withdraw(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The proposer or a manager takes it back."""
    return _decide(request, pk, decisions.withdraw, onward=True)


@require_POST
def stop(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Stop what is on hold."""
    return _decide(request, pk, decisions.stop)


@require_POST
def reopen(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Take a rejection back."""
    return _decide(request, pk, decisions.reopen)


@require_POST
def redo(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same arguments against the records as they are now."""
    return _decide(request, pk, decisions.redo)


@require_POST
def claim(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Take an item in hand; a manager may take it from somebody else."""
    require_deciding(request)
    try:
        with transaction.atomic():
            claims.claim(
                workspace=request.workspace.pk,
                item=_known(request, item),
                person=request.user.pk,
                now=request.now,
                take_over="take_over" in request.POST and "manager" in request.roles,
            )
    except claims.ClaimError as error:
        return refused(request, item, error)
    return back_to(request, item)


@require_POST
def release(request: WorkspaceRequest, item: str) -> HttpResponse:
    """Put one's own item back."""
    claims.release(workspace=request.workspace.pk, item=_known(request, item), person=request.user.pk)
    return back_to(request, item)


@require_POST
def resolve(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Say what came of a hand-off or a question."""
    require_deciding(request)
    item, ws = f"handoff:{pk}", request.workspace.pk
    try:
        with transaction.atomic():
            claims.check(workspace=ws, item=item, person=request.user.pk, now=request.now)
            row = handoffs.resolve(
                workspace=ws,
                handoff=pk,
                person=request.user,
                outcome=request.POST.get("outcome", ""),
                now=request.now,
            )
            claims.release(workspace=ws, item=item, person=request.user.pk)
    except Handoff.DoesNotExist as missing:
        raise Http404 from missing
    except REFUSALS as error:
        return refused(request, item, error)
    return back_to(request, _next(request, item, row.urgency, row.pk))


def _decide(
    request: WorkspaceRequest, pk: int, act: Callable[..., Proposal], *, onward: bool = False, **said: Any
) -> HttpResponse:
    item = f"proposal:{pk}"
    try:
        row = decide(request, pk, act, **said)
    except REFUSALS as error:
        return refused(request, item, error)
    return back_to(request, _next(request, item, row.urgency, pk) if onward else item, done=row)


def decide(request: WorkspaceRequest, pk: int, act: Callable[..., Proposal], **said: Any) -> Proposal:
    """Make the call in a savepoint, unless somebody else has the item; one's own lease ends with it."""
    ws, item, person = request.workspace.pk, f"proposal:{pk}", request.user.pk
    try:
        with transaction.atomic():
            claims.check(workspace=ws, item=item, person=person, now=request.now)
            row = act(workspace=ws, proposal=pk, seen=seen(request), person=person, now=request.now, **said)
            claims.release(workspace=ws, item=item, person=person)
    except Proposal.DoesNotExist as missing:
        raise Http404 from missing
    return row


def seen(request: WorkspaceRequest) -> decisions.Seen:
    """What was on the screen.

    Raises:
        decisions.BadInput: the form does not say.
    """
    revision, digest = request.POST.get("revision", ""), request.POST.get("digest", "")
    if not revision.isdecimal() or len(revision) > 9 or len(digest) != 64:
        raise decisions.BadInput("The form does not say what was on the screen; look at the page again.")
    return decisions.Seen(int(revision), digest)


def refused(request: WorkspaceRequest, item: str, error: Exception) -> HttpResponse:
    """The same item again, with the reason and what was written."""
    text = str(error)
    field, colon, rest = text.partition(": ")
    words = f"{rest[:1].upper()}{rest[1:]}." if colon and field in ("reason", "outcome") else text
    return desk.show(request, item=item, status=status_of(error), problem=desk.Problem(words, request.POST))


def status_of(error: Exception) -> int:
    """403 may not, 422 cannot be read, 409 somebody or something was first."""
    if isinstance(error, decisions.NotAllowed):
        return 403
    bad = isinstance(error, decisions.BadInput) or type(error) is handoffs.HandoffError
    return 422 if bad else 409


def back_to(request: WorkspaceRequest, item: str, *, done: Proposal | None = None) -> HttpResponse:
    """The desk with this item: at once for HTMX, by a redirect for everybody else."""
    query = desk.filters_of(request, "").query
    where = desk.address(item, query)
    if request.htmx:
        response = desk.show(request, item=item, done=done)
        response["HX-Push-Url"] = where
        return response
    tail = f"done={done.pk}" if done else ""
    return redirect(desk.address(item, "&".join(part for part in (query, tail) if part)))


def require_deciding(request: WorkspaceRequest) -> None:
    """Only reviewers and managers change anything here.

    Raises:
        PermissionDenied.
    """
    if not roles.deciding(request.roles):
        raise PermissionDenied("Only reviewers and managers decide.")


def _next(request: WorkspaceRequest, item: str, urgency: int, pk: int) -> str:
    return queries.following(
        workspace=request.workspace.pk,
        filters=desk.filters_of(request, item),
        person=request.user.pk,
        now=request.now,
        cursor=f"{urgency}.{pk}",
        item=item,
    )


def _known(request: WorkspaceRequest, item: str) -> str:
    """An item of this workspace, or 404."""
    kind, _, key = item.partition(":")
    models: dict[str, type[Proposal] | type[Handoff]] = {"proposal": Proposal, "handoff": Handoff}
    model = models.get(kind) if key.isdecimal() and len(key) < 19 else None
    if model is None or not model._default_manager.filter(workspace=request.workspace, pk=int(key)).exists():
        raise Http404
    return item
