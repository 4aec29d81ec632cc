"""The report of a proposal, as a page and as JSON."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import translation
from django.views.decorators.http import require_GET

from approvals import reports
from approvals.models import Proposal
from portal import figures
from portal.htmx import WorkspaceRequest, respond


@require_GET
def page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """To read and to print."""
    row = _row(request, pk)
    return respond(request, "approvals/report.html", {}, {"report": _report(request, row), "state": row.state})


@require_GET
def as_json(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same values for programs, `countersign.report.v1`, in the language that programs read."""
    with translation.override(settings.LANGUAGE_CODE), figures.written(figures.PLAIN):
        text = _report(request, _row(request, pk)).model_dump_json(indent=2)
    name = f'inline; filename="report-{pk}.json"'
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": name})


def _row(request: WorkspaceRequest, pk: int) -> Proposal:
    rows = Proposal.objects.select_related("case", "submission", "workspace").filter(workspace=request.workspace)
    return get_object_or_404(rows, pk=pk)


def _report(request: WorkspaceRequest, row: Proposal) -> reports.Report:
    return reports.of(row, reports.Reader(request.roles, request.now))
