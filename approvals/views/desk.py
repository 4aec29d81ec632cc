"""The desk: the queue beside the item that is looked at. Every decision comes back to it."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from approvals import (
    aftermath,
    anchors,
    background,
    boards,
    claims,
    decisions,
    deeds,
    detail,
    handoffs,
    manual,
    passages,
    payloads,
    queries,
    searching,
    standing,
    taking,
    wording,
)
from approvals.actions import ACTIONS
from approvals.models import Handoff, Proposal
from approvals.searching import Filters
from portal import roles as appointed
from portal.htmx import WorkspaceRequest, respond
from portal.retold import say

PARTS = {"desk": "approvals/_desk.html", "detail": "approvals/_detail.html", "more": "approvals/_rows.html"}
PARTS["conversation"] = PARTS["detail"]  # the page takes that part of it
WORDS = ("note", "text", "evidence", "overwrite_reason", "outcome", "why")  # fields of the forms beside an item


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a post was refused, for the person, and what they had written.

    `unsaved` is the name of a view that was not kept, and whether it was to be everybody's.
    """

    text: str
    kept: QueryDict
    unsaved: tuple[str, bool] | None = None

    @property
    def written(self) -> str:
        """Their words: shown where the form they stood in is not offered any more."""
        return next((str(self.kept[name]) for name in WORDS if self.kept.get(name)), "")


@require_GET
def queue(request: WorkspaceRequest) -> HttpResponse:
    """The home page: the queue, beside it its first item."""
    return show(request)


@require_GET
def proposal(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One proposal beside the queue."""
    return show(request, item=f"proposal:{pk}")


@require_GET
def handoff(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One hand-off or question beside the queue."""
    return show(request, item=f"handoff:{pk}")


@require_GET
def news(request: WorkspaceRequest) -> HttpResponse:
    """How many came in since the page was made; the rows stay where they are until somebody asks."""
    filters, since = searching.read(request.GET), request.GET.get("since", "")
    count = queries.newer(
        workspace=request.workspace.pk,
        filters=filters,
        person=request.user.pk,
        now=request.now,
        since=int(since) if since.isdecimal() and len(since) < 19 else 0,
    )
    return render(request, "approvals/_news.html", {"count": count, "filters": filters, "since": since})


@require_GET
def views(request: WorkspaceRequest) -> HttpResponse:
    """The counters beside the queue, as they stand now; rows stay as they are."""
    filters = searching.read(request.GET)
    return render(request, "approvals/_counted.html", {**_views(request, filters, anew=False), "query": filters.query})


def show(
    request: WorkspaceRequest,
    *,
    item: str | None = None,
    status: int = 200,
    problem: Problem | None = None,
    done: Proposal | None = None,
    deed: str = "",
) -> HttpResponse:
    """The desk with `item` opened, what was refused, and what was done: a decision, or `snoozed:handoff:3`.

    Of None the first one is marked, and its page asks for it by itself: the list is there in a third of the time, and a
    phone, which shows the list alone, never asks. "" opens none.
    """
    context = {} if item is None else opened(request, item)
    if item and request.method == "GET" and "print" in request.GET:
        return respond(request, "approvals/printed.html", {}, {**context, "filters": filters_of(request, item)})
    filters = filters_of(request, item or "")
    if "detail" in context and request.method == "GET" and not {"state", "q"} & set(request.GET):
        filters = replace(filters, state=context["detail"].proposal.state)
    context |= {
        "filters": filters,
        "item": item or "",
        "problem": problem,
        "reasons": {key: _(words) for key, words in decisions.REJECT_REASONS.items()},
        "done": _done(request, done),
        "deed": _deed(request, deed),
        "opened": status != 200 or request.resolver_match.url_name != "queue",  # type: ignore[union-attr]  # a view has a match
        "offers_next": request.impersonator is None and bool(appointed.deciding(request.roles)),
    }
    if not (request.htmx and request.htmx.target in ("detail", "conversation")):
        context |= _listed(request, filters, item, anew=request.method == "POST" or done is not None)
    return respond(request, "approvals/desk.html", PARTS, context, status=status)


def _listed(request: WorkspaceRequest, filters: Filters, item: str | None, *, anew: bool) -> dict[str, Any]:
    """The queue beside the item: what an item that is asked for alone does not need."""
    ws, after = request.workspace.pk, request.GET.get("after", "")
    said: dict[str, Any] = {"workspace": ws, "filters": filters, "person": request.user.pk, "now": request.now}
    page = queries.page(**said, after=after) if after else queries.reaching(item or "", **said)
    if request.htmx and request.htmx.target == "more":
        return {"page": page}
    first = page.rows[0] if item is None and page.rows else None
    return {
        "page": page,
        **({"item": first.item, "first": first} if first else {}),
        **_views(request, filters, anew=anew),
        "actions": tuple((name, say(action.title)) for name, action in ACTIONS.items()),
        "tiers": searching.TIERS,
        "takes": bool(taking.TAKERS & request.roles),
    }


def filters_of(request: WorkspaceRequest, item: str) -> Filters:
    """The filters in the address; a hand-off without any stands among hand-offs."""
    filters = searching.read(request.GET)
    if item.startswith("handoff:") and not filters.handoffs:
        return replace(filters, state="handoffs")
    return filters


def opened(request: WorkspaceRequest, item: str) -> dict[str, Any]:
    """Everything about the item that is looked at; 404 where it is not in this workspace."""
    kind, _colon, key = item.partition(":")
    thrown = tuple(notice.switch for notice in standing.of(request).notices)
    viewer = detail.Viewer(request.user.pk, request.roles, request.now, request.impersonator is not None, thrown)
    if kind == "proposal":
        rows = Proposal.objects.select_related("case", "submission")
        found = rows.filter(workspace=request.workspace, pk=int(key)).first()
        if found is None:
            raise Http404
        return {"detail": detail.gather(found, viewer)}
    if kind == "handoff":
        return {"handoff": _handoff(request, int(key), viewer), "decides": viewer.decides}
    return {}


def _handoff(request: WorkspaceRequest, pk: int, viewer: detail.Viewer) -> dict[str, Any]:
    ws = request.workspace.pk
    row = Handoff.objects.select_related("case", "submission", "resolved_by").filter(workspace=ws, pk=pk).first()
    if row is None:
        raise Http404
    plans = manual.found_args(row, "refund.create")
    target = f"order:{plans[0].get('order_id', '')}" if plans else ""
    facts = background.facts(ws, row.case, target, row.case.customer)
    holder = claims.holders(workspace=ws, items=[f"handoff:{pk}"], now=viewer.now).get(f"handoff:{pk}")
    flags = row.submission.payload.get("flags", ()) if row.submission else row.found.get("flags", ())
    return {
        "row": row,
        "headline": queries.headline(row),
        "reason": wording.reason(row.reason),
        "who": wording.actor(row.proposer, queries.names([row.proposer])),
        "due": queries.moment(row.urgency),
        "holder": holder,
        "item": f"handoff:{pk}",
        "may": detail.lease(viewer, holder),
        "reopens": row.state == "resolved" and not handoffs.why_closed(row, viewer.person, viewer.held, now=viewer.now),
        "facts": facts,
        "citations": background.citations(row.evidence, facts),
        "came": passages.of({}, facts.ticket, anchors.quoted(row.evidence, facts.ticket)),
        "found": background.found(row.found, facts),
        "asked": payloads.asked(row.found),
        "flags": [wording.flag(flag) for flag in flags],
        "starts": [
            (n, t, len(manual.found_args(row, n))) for n, t in manual.actions_for(row.case, facts.contact_named)
        ],
        "siblings": background.siblings(ws, row.case_id),
        "handoffs": background.handoffs(ws, row.case_id, pk),
        "timeline": background.timeline(ws, row.case_id),
    }


def _views(request: WorkspaceRequest, filters: Filters, *, anew: bool) -> dict[str, Any]:
    """The views with their counters, and the agents there are."""
    views, agents = boards.groups(
        workspace=request.workspace.pk, person=request.user.pk, filters=filters, now=request.now, anew=anew
    )
    current = next((one for group in views for one in group.rows if one.current), None)
    return {"views": views, "view": current, "agents": agents}


def _done(request: WorkspaceRequest, done: Proposal | None) -> aftermath.Aftermath | None:
    """What was just done: by this very post, or named in the address a redirect led to."""
    key = request.GET.get("done", "")
    if done is None and key.isdecimal() and len(key) < 19 and not request.htmx:
        done = Proposal.objects.filter(workspace=request.workspace, pk=int(key)).first()
    return aftermath.of(done, request.now, person=request.user.pk, held=request.roles) if done else None


def _deed(request: WorkspaceRequest, deed: str) -> deeds.Deed | None:
    """The same of what decides nothing."""
    said = deed or ("" if request.htmx else request.GET.get("deed", ""))
    name, _colon, item = said.partition(":")
    ws, person = request.workspace.pk, request.user.pk
    return deeds.of(name, item, workspace=ws, person=person, now=request.now) if said else None


def address(item: str, query: str = "") -> str:
    """Where an item is looked at; "" is the queue."""
    kind, _colon, key = item.partition(":")
    path = reverse(kind, args=[int(key)]) if item else reverse("queue")
    return f"{path}?{query}" if query else path
