"""What people rejected of an agent in a case before, read for its later runs there, and heeded by every agent alike.

An agents process sees rejections of agents' proposals and no other decision, nor who made them: row security.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Q
from pydantic import JsonValue

from agents.gateway.asker import Asker
from agents.models import Run
from agents.steps import heeding
from agents.steps.base import Trace
from agents.types import Outcome, Rejected
from approvals import decisions
from approvals.models import Decision, Submission
from approvals.state import Kind, State

# The newest of a case are told.
MOST = 10
# It said "not yet", and the customer has been asked since.
TOO_EARLY = "ask_customer"


def of(workspace: int, runs: Sequence[Run]) -> Mapping[int, tuple[Rejected, ...]]:
    """What stood rejected when each run began, oldest first, by run: one statement where nothing did, else two."""
    rows = Decision.objects.filter(
        workspace_id=workspace, kind=Kind.REJECT, proposal__case__in={run.case_id for run in runs},
        proposal__state=State.REJECTED, proposal__proposer__startswith="agent:",
    )  # fmt: skip
    found: list[Any] = list(
        rows.order_by("pk").values_list(
            "proposal_id", "proposal__case_id", "proposal__proposer", "proposal__action", "proposal__target",
            "reason", "note", "created_at", named=True,
        )
    )  # fmt: skip
    drafts = _drafts(workspace, {row.proposal_id for row in found}) if found else {}
    told: dict[int, tuple[Rejected, ...]] = {}
    for run in runs:
        mine = {
            row.proposal_id: _rejected(row, drafts[row.proposal_id])
            for row in found
            if (row.proposal__case_id, row.proposal__proposer) == (run.case_id, f"agent:{run.agent}")
            and row.created_at <= run.created_at
            and drafts[row.proposal_id]
        }
        told[run.pk] = tuple(mine.values())[-MOST:]
    return told


def heed(outcome: Outcome, before: Sequence[Rejected], run: Run, trace: Trace, asker: Asker | None) -> Outcome:
    """The outcome as it is where nothing was rejected; else as `heeding.heed`, a step that says what it left out."""
    if not before:
        return outcome
    heeded = trace.step(heeding.STEP, heeding.heed, outcome, before, run.case.subject)
    if asker is not None and (words := heeding.left_out(outcome, heeded)):
        asker.note(heeding.STEP, words)
    return heeded


def _rejected(row: Any, args: Mapping[str, JsonValue]) -> Rejected:
    why = decisions.REJECT_REASONS.get(row.reason, row.reason)
    return Rejected(
        f"proposal:{row.proposal_id}", row.proposal__action, row.proposal__target, dict(args), why, row.note,
        row.reason == TOO_EARLY,
    )  # fmt: skip


def _drafts(workspace: int, proposals: set[int]) -> dict[int, Mapping[str, JsonValue]]:
    """The arguments of the agent's newest draft of each; empty where it was erased."""
    rows = Submission.objects.filter(
        Q(proposal__in=proposals) | Q(revises__in=proposals), workspace_id=workspace, kind=Submission.Is.ACTION
    )
    found: dict[int, Mapping[str, JsonValue]] = {key: {} for key in proposals}
    for first, again, payload in rows.order_by("pk").values_list("proposal__pk", "revises_id", "payload"):
        args = payload.get("args")
        found[again or first] = args if isinstance(args, dict) else {}
    return found
