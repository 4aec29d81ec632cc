"""The report of a proposal, as a page and as JSON."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from approvals import reports
from approvals.models import Proposal
from portal.htmx import WorkspaceRequest, respond


@require_GET
def page(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """To read and to print."""
    return respond(request, "approvals/report.html", {}, {"report": _report(request, pk)})


@require_GET
def as_json(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The same values for programs, `countersign.report.v1`."""
    text = _report(request, pk).model_dump_json(indent=2)
    name = f'inline; filename="report-{pk}.json"'
    return HttpResponse(text, content_type="application/json", headers={"Content-Disposition": name})


def _report(request: WorkspaceRequest, pk: int) -> reports.Report:
    rows = Proposal.objects.select_related("case", "submission", "workspace").filter(workspace=request.workspace)
    return reports.of(get_object_or_404(rows, pk=pk), reports.Reader(request.roles, request.now))
