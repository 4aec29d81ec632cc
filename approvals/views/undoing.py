"""The way back: the page of one undo, the recovery case where there is none, and the page to undo many together."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST

from approvals import background, counting, queries, reversal, showing, votes, wording
from approvals.diff import Change
from approvals.marks import Piece
from approvals.models import Proposal
from approvals.reversal.layers import Part
from approvals.showing import Books
from approvals.state import State
from approvals.views import deciding
from portal.htmx import WorkspaceRequest, respond
from portal.models import Queue, Role
from portal.retold import fault, say

LOCAL = "%Y-%m-%dT%H:%M"


class Search(forms.Form):
    """Which undos: of a run, of an agent or one of its versions, of a window of time in the person's own zone."""

    run = forms.IntegerField(required=False, min_value=1, max_value=2**62, label=_lazy("Run"))
    agent = forms.RegexField(r"^[a-z0-9_-]{1,40}$", required=False)
    version = forms.CharField(required=False, max_length=40)
    since = forms.DateTimeField(required=False, input_formats=[LOCAL, f"{LOCAL}:%S"])
    until = forms.DateTimeField(required=False, input_formats=[LOCAL, f"{LOCAL}:%S"])


@dataclass(frozen=True, slots=True)
class Shown:
    """One field three ways as text for the page; `because` says why it is not taken back."""

    label: str
    set_to: tuple[Piece, ...]
    now: tuple[Piece, ...]
    before: tuple[Piece, ...]
    because: str
    first: int | None


@require_http_methods(["GET", "POST"])
def undo(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """What an undo would take back now; posting it starts exactly that."""
    deciding.require_deciding(request)
    row = get_object_or_404(Proposal.objects.select_related("case", "submission"), workspace=request.workspace, pk=pk)
    if request.method == "GET":
        return _page(request, row)
    try:
        with transaction.atomic():
            made = reversal.undo(
                proposal=row, person=request.user.pk, seen_content=request.POST.get("seen_content", ""),
                key=f"undo:{pk}:{_key(request)}",
            )  # fmt: skip
    except reversal.UndoError as error:
        return _page(request, row, problem=say(str(error)), status=409)
    return redirect("submission", pk=made.pk)


@require_POST
def recover(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Open a recovery case for what went out and cannot be called back."""
    deciding.require_deciding(request)
    row = get_object_or_404(Proposal.objects.select_related("case", "submission"), workspace=request.workspace, pk=pk)
    try:
        with transaction.atomic():
            made = reversal.open_recovery(proposal=row, person=request.user.pk, key=f"recover:{pk}:{_key(request)}")
    except reversal.UndoError as error:
        return _page(request, row, problem=say(str(error)), status=409)
    return redirect("submission", pk=made.pk)


@require_http_methods(["GET", "POST"])
def together(request: WorkspaceRequest) -> HttpResponse:
    """Undo a run, a version of an agent or a window of time; for managers."""
    if Role.MANAGER not in request.roles:
        raise PermissionDenied(_("Only managers undo many at once."))
    context: dict[str, Any] = {"agents": counting.agents(request.workspace.pk), "asked": request.GET, "status": 200}
    if request.method == "POST":
        context |= _started(request)
    if any(request.GET.get(name) for name in Search.base_fields):
        context |= _searched(request)
    return respond(request, "approvals/undo_together.html", {}, context, status=context.pop("status"))


def _page(request: WorkspaceRequest, row: Proposal, *, problem: str = "", status: int = 200) -> HttpResponse:
    run = row.submission.run.removeprefix("run:") if Role.MANAGER in request.roles else ""
    context: dict[str, Any] = {"proposal": row, "problem": problem, "key": secrets.token_hex(8), "run": run}
    try:
        wanted = reversal.undo_preview(proposal=row)
        context |= {"undo": wanted, **_fields(wanted, background.facts(row.workspace_id, row.case).books)}
    except reversal.UndoError as error:
        context |= {"refusal": say(str(error)), "way": _way(request, row, error)}
        context["open_undo"] = error.proposal if isinstance(error, reversal.UnderWay) else None
        if problem == say(str(error)):
            context["problem"] = ""
    if context.get("way") == "recover":
        context |= {"stands": reversal.sent(row), "recovery": reversal.open_case(row)}
    return respond(request, "approvals/undo.html", {}, context, status=status)


def _way(request: WorkspaceRequest, row: Proposal, error: reversal.UndoError) -> str:
    """What the page offers instead: stop, wait, recover, look at the open undo, or nothing."""
    if isinstance(error, reversal.Outward):
        return "recover"
    if isinstance(error, reversal.UnderWay):
        return "open" if error.proposal else "wait"
    if row.state == State.APPROVED and row.hold_until and row.hold_until > request.now:
        mine = any(vote.person_id == request.user.pk for vote in votes.approvals_of(row))
        return "stop" if mine or Role.MANAGER in request.roles else "held"
    return "wait" if row.state in (State.APPROVED, State.APPLYING) else ""


def _fields(wanted: reversal.Undo, books: Books) -> dict[str, Any]:
    """Rows of the page: what would be written, what changed since, what is back already."""
    return {
        "rows": showing.fields(wanted.changes, books),
        "conflicts": _shown(wanted.conflicts, books),
        "back": _shown(wanted.back, books),
    }


def _shown(parts: Iterable[Part], books: Books) -> list[Shown]:
    def text(part: Part, value: Any) -> tuple[Piece, ...]:
        """As it stands, without marks: nothing of this is about to change."""
        same = Change(part.change.field, part.change.op, value, value)
        return showing.fields([same], books)[0].after

    return [
        Shown(
            wording.field(part.change.field), text(part, part.change.after), text(part, part.now),
            text(part, part.change.before), say(part.because), part.first,
        )
        for part in sorted(parts, key=lambda part: wording.place(part.change.field))
    ]  # fmt: skip


def _searched(request: WorkspaceRequest) -> dict[str, Any]:
    """What the form asks for, or why it cannot be searched for."""
    form = Search(request.GET)
    if not form.is_valid():
        return {"errors": form.errors, "status": 422}
    after = request.GET.get("after", "")
    wanted = {name: value for name, value in form.cleaned_data.items() if value}
    wanted["after"] = int(after) if after.isdecimal() and len(after) < 19 else None
    try:
        found = reversal.find(workspace=request.workspace.pk, **wanted)
    except reversal.BadSearch as error:
        return {"problem": fault(str(error)), "status": 422}
    books = Books(queues=dict(Queue.objects.filter(workspace=request.workspace).values_list("name", "title")))
    query = {name: request.GET[name] for name in Search.base_fields if request.GET.get(name)}
    people = queries.names(undo.proposal.proposer for undo in found.undos)
    undos = [
        {"undo": undo, "who": wording.actor(undo.proposal.proposer, people), **_fields(undo, books)}
        for undo in found.undos
    ]
    return {"found": found, "key": secrets.token_hex(8), "query": urlencode(query), "undos": undos}


def _started(request: WorkspaceRequest) -> dict[str, Any]:
    """Start what was ticked, each named with the content that was seen: `id:content`."""
    chosen = [value.partition(":") for value in request.POST.getlist("undo")]
    seen = [(int(pk), content) for pk, _colon, content in chosen if pk.isdecimal() and len(pk) < 19]
    if not seen:
        return {"problem": _("Nothing was ticked."), "status": 422}
    try:
        answer = reversal.undo_many(
            workspace=request.workspace.pk, proposals=seen, person=request.user.pk, key=_key(request)
        )
    except reversal.UndoError as error:
        return {"problem": say(str(error)), "status": 409}
    return {"answer": answer}


def _key(request: WorkspaceRequest) -> str:
    return request.POST.get("key", "")[:32] or secrets.token_hex(8)
