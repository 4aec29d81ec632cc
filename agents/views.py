"""The page of a run: its waterfall, what was read, what was handed in, and what came of it by its trace."""

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_GET

from agents import waterfall
from agents.models import Run
from approvals import background, wording
from approvals.models import Submission
from portal.htmx import WorkspaceRequest, respond


@require_GET
def run(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """One run; 404 where it is not in this workspace."""
    ws = request.workspace.pk
    row = Run.objects.select_related("case", "instruction").filter(workspace=ws, pk=pk).first()
    if row is None:
        raise Http404
    proposer = f"agent:{row.agent}"
    handed_in = Submission.objects.filter(workspace=ws, proposer=proposer, run=f"run:{pk}").defer("payload")
    context = {
        "run": row,
        "who": wording.actor(proposer, {}),
        "fall": waterfall.of(row),
        "papers": list(handed_in.order_by("pk")),
        "timeline": background.timeline(ws, row.case_id, trace_id=row.trace_id),
        "case_id": row.case_id,
    }
    return respond(request, "agents/run.html", {}, context)
