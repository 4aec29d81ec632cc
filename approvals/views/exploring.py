"""The audit explorer: search the log, look at one entry, take its proof along, export what was found.

Whoever holds `audit.explore` searches all of it; others see the log of a case. An export is itself an entry.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop
from django.views.decorators.http import require_GET, require_POST

from approvals import exploring, exporting, tabular
from audit import explorer, proofs
from audit.explorer import Wanted
from audit.models import Entry
from portal.htmx import WorkspaceRequest, respond
from portal.retold import fault, say
from portal.templatetags.clock import zone

PARTS = {"entries": "audit/_entries.html"}
CASE_ONLY = noop("Managers, admins and auditors search the whole log. The log of one case opens from the case's page.")


@require_GET
def search(request: WorkspaceRequest) -> HttpResponse:
    """What the filters in the address ask for, newest first."""
    asked, problem, found = exploring.read(request.GET), "", explorer.Page((), "")
    _require(request, asked)
    try:
        found = explorer.page(
            workspace=request.workspace.pk, wanted=_wanted(request, asked), after=request.GET.get("after", "")
        )
    except exploring.BadSearch as error:
        problem = fault(str(error))
    context = {
        "asked": asked,
        "problem": problem,
        "lines": exploring.page_of(exploring.lines(request.workspace.pk, found.entries)),
        "after": found.after,
        "later": bool(request.GET.get("after")),
        "whole": _explores(request),
        "actors": exploring.actors(request.workspace.pk, asked.who),
        "events": exploring.events(),
    }
    return respond(request, "audit/explorer.html", PARTS, context, status=422 if problem else 200)


@require_POST
def export(request: WorkspaceRequest) -> HttpResponse | StreamingHttpResponse:
    """All that the filters ask for, as it streams; who took what along is on the log."""
    if not _explores(request):
        raise PermissionDenied(_(CASE_ONLY))
    asked, form = exploring.read(request.POST), request.POST.get("format", "")
    if form not in tabular.FORMS:
        raise Http404
    try:
        wanted = _wanted(request, asked)
    except exploring.BadSearch as error:
        return HttpResponse(fault(str(error)), status=422, content_type="text/plain; charset=utf-8")
    ws, person = request.workspace.pk, request.user.pk
    with transaction.atomic():
        noted = exporting.note(workspace=ws, person=person, form=form, query=asked.query, now=request.now)
    answer = StreamingHttpResponse(
        exporting.stream(workspace=ws, person=person, wanted=wanted, form=form, up_to=noted.pk),
        content_type=tabular.FORMS[form],
    )
    answer["Content-Disposition"] = f'attachment; filename="log-{request.workspace.slug}.{form}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_GET
def entry(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One entry in words, with its values and its proof, and beneath them the bytes that were hashed."""
    row = _entry(request, pk)
    beside = Entry.objects.filter(workspace_id=request.workspace.pk, subject=row.subject)
    context = {
        "line": exploring.lines(request.workspace.pk, [row])[0],
        "entry": row,
        "about": exploring.address_of(exploring.lines(request.workspace.pk, [row])[0].about),
        "digest": proofs.digest(row),
        "sealed": proofs.sealed([row]).get(row.pk),
        "before": beside.filter(version=row.version - 1).only("pk").first(),
        "after": beside.filter(version=row.version + 1).only("pk").first(),
        "whole": _explores(request),
    }
    return respond(request, "audit/entry.html", {}, context)


@require_GET
def entry_json(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The exact bytes of the leaf."""
    row = _entry(request, pk)
    return _file(row.canonical.encode(), "application/json", f"{_name(row)}.entry.json")


@require_GET
def entry_proof(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """That these bytes are in the log, as a C2SP tlog-proof; 409 while they are under no checkpoint."""
    row = _entry(request, pk)
    try:
        text = proofs.tlog_proof(row)
    except proofs.ProofError as error:
        return HttpResponse(say(str(error)), status=409, content_type="text/plain; charset=utf-8")
    return _file(text.encode(), "text/plain; charset=utf-8", f"{_name(row)}.tlog-proof")


def _wanted(request: WorkspaceRequest, asked: exploring.Search) -> Wanted:
    return exploring.wanted(asked, workspace=request.workspace.pk, zone=zone(request.user.time_zone))


def _entry(request: WorkspaceRequest, pk: int) -> Entry:
    row = get_object_or_404(Entry.objects.prefetch_related("payloads"), workspace_id=request.workspace.pk, pk=pk)
    if not row.case and not _explores(request):
        raise PermissionDenied(_(CASE_ONLY))
    return row


def _explores(request: WorkspaceRequest) -> bool:
    return bool(request.user.has_perm("audit.explore", request.workspace))


def _require(request: WorkspaceRequest, asked: exploring.Search) -> None:
    if not request.user.has_perm("audit.read", request.workspace) or not (asked.case or _explores(request)):
        raise PermissionDenied(_(CASE_ONLY))


def _name(row: Entry) -> str:
    """A name for a file: 'proposal-12-v3'."""
    return f"{''.join(c if c.isascii() and c.isalnum() else '-' for c in row.subject)}-v{row.version}"


def _file(data: bytes, content_type: str, name: str) -> HttpResponse:
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(data, content_type=content_type, headers=headers)
