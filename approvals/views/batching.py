"""Several of a kind together: the groups there are, what differs in each, two of them opened, then all decided.

The two are drawn from what was chosen, and shown whole on a page of their own; its signed marks say that they were.
What was decided so has a page of its own, and is taken back with one post.
"""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from approvals import batches, looks, wording
from approvals.actions import named
from approvals.models import Proposal
from approvals.state import State
from approvals.views import deciding, desk
from portal.htmx import WorkspaceRequest, respond
from portal.retold import say

Seen = tuple[int, int, str]
LEFT_OUT = "left_out_of_batch"


@dataclass(frozen=True, slots=True)
class Row:
    """One member: what the form posts back, and its values in the columns that differ."""

    proposal: Proposal
    value: str
    chosen: bool
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One group in words; `differs` are the columns."""

    title: str
    differs: tuple[str, ...]
    rows: tuple[Row, ...]
    total: str
    more: bool


@require_GET
def page(request: WorkspaceRequest) -> HttpResponse:
    """What this person could decide together now; `of` names what they picked in the queue."""
    deciding.require_deciding(request)
    keys = ",".join(request.GET.getlist("of")).split(",")[:99]
    picked = {int(key) for key in keys if key.isdecimal() and len(key) < 19}
    return _page(request, picked or None)


@require_POST
def decide(request: WorkspaceRequest) -> HttpResponse:
    """Approve what was chosen, once the two that are drawn from it were shown."""
    deciding.require_deciding(request)
    members = [seen for text in request.POST.getlist("member")[: 2 * batches.MOST] if (seen := _seen(text))]
    try:
        answer = batches.decide(
            workspace=request.workspace.pk, members=members, opened=_opened(request, members), person=request.user.pk
        )
    except batches.NotOpened as drawn:
        return _confirm(request, members, sorted(drawn.drawn))
    except batches.BatchError as error:
        return _page(request, {pk for pk, *_rest in members}, problem=say(str(error)), status=409)
    left_out = [(line.proposal, line.words) for line in (*answer.refused, *answer.changed)]
    if answer.approved or _read(request, answer.batch):
        request.session[LEFT_OUT] = {"batch": answer.batch, "lines": left_out}
        return HttpResponseRedirect(reverse("batch", args=[answer.batch]), status=303)
    return _done(request, None, left_out)


@require_GET
def batch(request: WorkspaceRequest, key: str) -> HttpResponse:
    """What was approved together, with the way back; what was left out is told to who decided it, once."""
    found = _read(request, key)
    if found is None:
        raise Http404
    told: dict[str, Any] = request.session.get(LEFT_OUT, {})
    lines = request.session.pop(LEFT_OUT)["lines"] if told.get("batch") == key else []
    inside = {part.proposal.pk for part in found.parts if part.stands}
    return _done(request, found, [(pk, words) for pk, words in lines if pk not in inside])


@require_POST
def take_back(request: WorkspaceRequest) -> HttpResponse:
    """Stop or undo what was approved in one batch, as far as it can be."""
    deciding.require_deciding(request)
    try:
        answer = batches.undo(
            workspace=request.workspace.pk, batch=request.POST.get("batch", ""), person=request.user.pk
        )
    except batches.NoSuchBatch as missing:
        raise Http404 from missing
    except batches.BatchError as error:
        raise PermissionDenied(say(str(error))) from error
    told = {name: _named(request, getattr(answer, name)) for name in ("stopped", "started", "kept")}
    return respond(request, "approvals/batch_undone.html", {}, told)


def _read(request: WorkspaceRequest, key: str) -> batches.Batch | None:
    try:
        found = batches.read(workspace=request.workspace.pk, batch=key, person=request.user.pk)
        return replace(found, left=0) if request.impersonator else found
    except batches.NoSuchBatch:
        return None


def _done(request: WorkspaceRequest, found: batches.Batch | None, left_out: Sequence[tuple[int, str]]) -> HttpResponse:
    named = _named(request, [batches.Line(pk, words) for pk, words in left_out])
    context = {"batch": found, "number": len(found.parts) if found else 0, "left_out": named}
    return respond(request, "approvals/batch_done.html", {}, context)


def _named(request: WorkspaceRequest, lines: Sequence[batches.Line]) -> list[tuple[int, str, str]]:
    """Id, summary and what came of it; a proposal that is not here has no summary."""
    rows = Proposal.objects.filter(workspace=request.workspace, pk__in=[line.proposal for line in lines])
    summaries = dict(rows.values_list("pk", "summary"))
    return [(line.proposal, say(summaries.get(line.proposal, "")), line.words) for line in lines]


def _page(request: WorkspaceRequest, picked: Set[int] | None, *, problem: str = "", status: int = 200) -> HttpResponse:
    """The groups with what was picked ticked; all of it where nobody picked yet (None)."""
    found = batches.groups(workspace=request.workspace.pk, person=request.user.pk, now=request.now)
    shown = [_shown(group, picked) for group in found]
    grouped = {member.proposal.pk for group in found for member in group.members}
    others = [pk for pk in picked or () if pk not in grouped]
    rest = list(Proposal.objects.filter(workspace=request.workspace, pk__in=others).defer("basis"))
    context = {
        "groups": [one for one in shown if not picked or any(row.chosen for row in one.rows)],
        "alone": [row for row in rest if row.state == State.PENDING],
        "over": [row for row in rest if row.state != State.PENDING], "problem": problem,
    }  # fmt: skip
    return respond(request, "approvals/batches.html", {}, context, status=status)


def _shown(group: batches.Group, picked: Set[int] | None) -> Shown:
    rows = tuple(
        Row(
            one.proposal, ":".join(map(str, one.seen)), picked is None or one.proposal.pk in picked,
            tuple(_value(one, name) for name in group.differs),
        )
        for one in group.members
    )  # fmt: skip
    template = group.template
    return Shown(
        f"{say(named(template.action).title)}, {say(template.tier)}",
        tuple(wording.field(name) for name in group.differs), rows,
        wording.amount(group.total_minor, template.currency) if template.currency else "", group.more,
    )  # fmt: skip


def _value(member: batches.Member, name: str) -> str:
    """What it would write there."""
    for change in member.changes:
        if change.field == name:
            return wording.plain(change.after) if isinstance(change.after, str | int | list) else _("empty")
    return "; ".join(wording.plain(effect[name]) for effect in member.effects if name in effect)


def _confirm(request: WorkspaceRequest, members: Sequence[Seen], drawn: Sequence[int]) -> HttpResponse:
    """The two that were drawn, whole; 404 where one of them is not here."""
    details = [desk.opened(request, f"proposal:{pk}")["detail"] for pk in drawn]
    context: dict[str, Any] = {"members": [":".join(map(str, seen)) for seen in members], "details": details}
    return respond(request, "approvals/batch_confirm.html", {}, context)


def _opened(request: WorkspaceRequest, members: Sequence[Seen]) -> set[int]:
    """Those whose page this person was shown, by its mark."""
    marks = request.POST.getlist("look")[:10]
    return {
        pk for pk, revision, digest in members for mark in marks
        if looks.seconds(
            mark, proposal=pk, revision=revision, digest=digest, person=request.user.pk, now=request.now
        ) is not None
    }  # fmt: skip


def _seen(text: str) -> Seen | None:
    """`12:1:<digest>` as a form posts it."""
    key, _colon, rest = text.partition(":")
    revision, _colon, digest = rest.partition(":")
    fits = key.isdecimal() and revision.isdecimal() and len(key) < 19 and len(revision) < 10
    return (int(key), int(revision), digest) if fits else None
