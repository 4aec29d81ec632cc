"""The page of a run: its waterfall, what was read, what was handed in, what came of it; and its part of the vault."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from agents import vault, waterfall
from agents.models import Run
from approvals import background, wording
from approvals.models import Submission
from audit import envelopes
from portal import stepup, stepup_views
from portal.htmx import WorkspaceRequest, respond
from portal.models import Role


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
        "in_vault": vault.held(pk) if Role.AUDITOR in request.roles else None,
    }
    return respond(request, "agents/run.html", {}, context)


@require_http_methods(["GET", "POST"])
@never_cache
def open_vault(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """The full transcripts of a run, for an auditor who says why and proves presence; each opening is an entry."""
    run = get_object_or_404(Run.objects.select_related("case"), workspace=request.workspace, pk=pk)
    if Role.AUDITOR not in request.roles:
        raise PermissionDenied(_("Only auditors open the vault."))
    context: dict[str, Any] = {"run": run, "in_vault": vault.held(pk), "reason": request.POST.get("reason", "")}
    status = 200
    if request.method == "POST":
        try:
            with transaction.atomic():
                context["opened"] = vault.open_run(
                    run=run, person=request.user.pk, reason=context["reason"], proof=stepup_views.proof(request),
                    now=request.now,
                )  # fmt: skip
        except stepup.Needed as needed:
            return _prove(request, needed, pk)
        except (vault.VaultError, stepup.StepUpError, envelopes.EnvelopeError) as error:
            context["problem"], status = str(error), 422
    return respond(request, "agents/vault.html", {}, context, status=status)


def _prove(request: WorkspaceRequest, needed: stepup.Needed, pk: int) -> HttpResponse:
    try:
        return stepup_views.ask(request, needed, back=reverse("vault", args=[pk]))
    except stepup.TooMany as too_many:
        raise PermissionDenied(str(too_many)) from too_many
