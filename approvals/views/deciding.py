"""Posts that decide: each says what was on the screen, makes one call, and opens the next item.

A refused one leaves nothing half done and comes back beside what was written: 403, 409 or 422.
"""

import contextlib
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from approvals import asides, claims, decisions, handoffs, looks, proposals, queries, resolving, revising, state
from approvals.models import Handoff, Proposal
from approvals.views import desk
from portal import roles, stepup, stepup_views
from portal.htmx import WorkspaceRequest
from portal.retold import fault

# Fields of the forms beside the item: a refusal that names one stands beside it, without the name.
NAMED = ("reason", "outcome", "happened", "evidence", "text", "overwrite_reason", "until", "why", "matter")
REFUSALS = (
    decisions.DecisionError,
    claims.ClaimError,
    proposals.ProposalError,
    state.IllegalMove,
    handoffs.HandoffError,
    asides.AsideError,
    stepup.StepUpError,
)


@require_POST
def approve(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One person's yes; on high tier with a fresh proof that it is them."""
    return _decide(request, pk, decisions.approve, onward=True, step_up=stepup_views.proof(request))


@require_POST
def resolve_unknown(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """A manager says what became of an unknown one, with a fresh proof that it is them."""
    said: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in ("happened", "evidence")}
    return _decide(request, pk, resolving.resolve, step_up=stepup_views.proof(request), **said)


@require_POST
def reject(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One person's no, with its reason."""
    said: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in ("reason", "note")}
    return _decide(request, pk, decisions.reject, onward=True, **said)


@require_POST
def send_back(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The agent is asked again, as the reviewer says."""
    return _decide(request, pk, decisions.send_back, onward=True, text=request.POST.get("text", ""))


@require_POST
def withdraw(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The proposer or a manager takes it back."""
    return _decide(request, pk, decisions.withdraw, onward=True)


@require_POST
def stop(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Stop what is on hold, or take one's approval back while it waits for a second, whoever has it in hand."""
    return _decide(request, pk, decisions.stop, anyones=True)


@require_POST
def reopen(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Take a rejection back."""
    return _decide(request, pk, decisions.reopen)


@require_POST
def redo(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same arguments against the records as they are now; over what somebody changed, with a fresh proof."""
    why = request.POST.get("overwrite_reason", "")
    return _decide(request, pk, revising.redo, overwrite_reason=why, step_up=stepup_views.proof(request))


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
    return back_to(request, _next(request, item, row.urgency, row.pk), deed=f"resolved:{item}")


@require_POST
def reopen_handoff(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Take back that a hand-off or a question was resolved."""
    require_deciding(request)
    item = f"handoff:{pk}"
    try:
        with transaction.atomic():
            handoffs.reopen(workspace=request.workspace.pk, handoff=pk, person=request.user, now=request.now)
    except Handoff.DoesNotExist as missing:
        raise Http404 from missing
    except REFUSALS as error:
        return refused(request, item, error)
    return back_to(request, item, deed=f"reopened:{item}")


def _decide(
    request: WorkspaceRequest, pk: int, act: Callable[..., Proposal], *, onward: bool = False,
    anyones: bool = False, **said: Any,
) -> HttpResponse:  # fmt: skip
    item = f"proposal:{pk}"
    try:
        row = decide(request, pk, act, anyones=anyones, **said)
    except REFUSALS as error:
        return refused(request, item, error)
    return back_to(request, _next(request, item, row.urgency, pk) if onward else item, done=row)


def decide(
    request: WorkspaceRequest, pk: int, act: Callable[..., Proposal], *, anyones: bool = False, **said: Any
) -> Proposal:
    """Make the call in a savepoint, unless somebody else has the item and it is not `anyones` to make.

    One's own lease ends with it.
    """
    ws, item, person = request.workspace.pk, f"proposal:{pk}", request.user.pk
    try:
        with transaction.atomic():
            if not anyones:
                claims.check(workspace=ws, item=item, person=person, now=request.now)
            row = act(workspace=ws, proposal=pk, seen=seen(request, pk), person=person, now=request.now, **said)
            claims.release(workspace=ws, item=item, person=person)
    except Proposal.DoesNotExist as missing:
        raise Http404 from missing
    return row


def seen(request: WorkspaceRequest, pk: int) -> decisions.Seen:
    """What was on the screen, for how long and what of the evidence was opened where the page says it.

    Raises:
        decisions.BadInput: the form does not say.
    """
    revision, digest = request.POST.get("revision", ""), request.POST.get("digest", "")
    if not revision.isdecimal() or len(revision) > 9 or len(digest) != 64:
        raise decisions.BadInput(_("The form does not say what was on the screen; look at the page again."))
    lasted = looks.seconds(
        request.POST.get("look", ""), proposal=pk, revision=int(revision), digest=digest, person=request.user.pk,
        now=request.now, visible=request.POST.get("looked", ""),
    )  # fmt: skip
    return decisions.Seen(int(revision), digest, lasted, looks.opened(request.POST.get("opened", "")))


def refused(request: WorkspaceRequest, item: str, error: Exception) -> HttpResponse:
    """The same item again, with the reason and what was written; the challenge where presence must be proved."""
    if isinstance(error, stepup.Needed):
        try:
            return stepup_views.ask(request, error, back=desk.address(item))
        except stepup.TooMany as too_many:
            error = too_many
    text = fault(str(error))
    field, colon, rest = text.partition(": ")
    words = f"{rest[:1].upper()}{rest[1:]}." if colon and field in NAMED else text
    return desk.show(request, item=item, status=status_of(error), problem=desk.Problem(words, request.POST))


def status_of(error: Exception) -> int:
    """403 may not, 422 cannot be read, 409 somebody or something was first."""
    if isinstance(error, decisions.NotAllowed | asides.NotYours | handoffs.NotYours | stepup.StepUpError):
        return 403
    bad = isinstance(error, decisions.BadInput | asides.BadInput) or type(error) is handoffs.HandoffError
    return 422 if bad else 409


def back_to(request: WorkspaceRequest, item: str, *, done: Proposal | None = None, deed: str = "") -> HttpResponse:
    """The desk with this item: at once for HTMX, by a redirect for everybody else."""
    query = desk.filters_of(request, "").query
    where = desk.address(item, query)
    if request.htmx:
        response = desk.show(request, item=item, done=done, deed=deed)
        response["HX-Push-Url"] = where
        return response
    tail = f"done={done.pk}" if done else f"deed={deed}" if deed else ""
    return redirect(desk.address(item, "&".join(part for part in (query, tail) if part)))


def require_deciding(request: WorkspaceRequest) -> None:
    """Only reviewers and managers change anything here.

    Raises:
        PermissionDenied.
    """
    if not roles.deciding(request.roles):
        raise PermissionDenied(_("Only reviewers and managers decide."))


def next_of(request: WorkspaceRequest, item: str) -> str:
    """The item behind one that still waits, in the list the address asks for."""
    kind, _colon, key = item.partition(":")
    rows: QuerySet[Any] = (Handoff if kind == "handoff" else Proposal)._default_manager.all()
    urgency = rows.filter(workspace=request.workspace, pk=int(key)).values_list("urgency", flat=True).get()
    return _next(request, item, urgency, int(key))


def serve(request: WorkspaceRequest) -> str:
    """The most urgent free item, now in this person's hands; "" where nothing is left for them.

    Raises:
        claims.ClaimError.
    """
    with transaction.atomic():
        taken = claims.claim_next(
            workspace=request.workspace.pk, person=request.user.pk, now=request.now, roles=request.roles
        )
    return taken.item if taken else ""


def _next(request: WorkspaceRequest, item: str, urgency: int, pk: int) -> str:
    if desk.filters_of(request, item).playing:
        with contextlib.suppress(claims.ClaimError):  # the decision stands; what is in hand already is done first
            return serve(request)
        return next(iter(claims.held_by(workspace=request.workspace.pk, person=request.user.pk, now=request.now)), "")
    return queries.following(
        workspace=request.workspace.pk,
        filters=desk.filters_of(request, item),
        person=request.user.pk,
        now=request.now,
        cursor=f"{urgency}.{pk}",
        item=item,
    )
