"""What people rejected of an agent in a case before, read for its later runs there, and heeded by every agent alike.

An agents process sees rejections of agents' proposals and no other decision, nor who made them: row security.
"""

from collections.abc import Mapping, Sequence

from django.db.models import Q

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
    found = list(
        rows.order_by("pk").values_list(
            "proposal_id", "proposal__case_id", "proposal__proposer", "proposal__action", "proposal__target",
            "reason", "note", "created_at",
        )
    )  # fmt: skip
    drafts = _drafts(workspace, {row[0] for row in found}) if found else {}
    told: dict[int, tuple[Rejected, ...]] = {}
    for run in runs:
        mine = {
            row[0]: _rejected(row, drafts[row[0]])
            for row in found
            if (row[1], row[2]) == (run.case_id, f"agent:{run.agent}") and row[7] <= run.created_at and drafts[row[0]]
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


def _rejected(row: tuple[object, ...], args: Mapping[str, object]) -> Rejected:
    number, _case, _proposer, action, target, reason, note, _at = row
    why = decisions.REJECT_REASONS.get(str(reason), str(reason))
    return Rejected(
        f"proposal:{number}", str(action), str(target), dict(args),  # type: ignore[arg-type]
        why, str(note), reason == TOO_EARLY,
    )  # fmt: skip


def _drafts(workspace: int, proposals: set[int]) -> dict[int, Mapping[str, object]]:
    """The arguments of the agent's newest draft of each; empty where it was erased."""
    rows = Submission.objects.filter(
        Q(proposal__in=proposals) | Q(revises__in=proposals), workspace_id=workspace, kind=Submission.Is.ACTION
    )
    found: dict[int, Mapping[str, object]] = {key: {} for key in proposals}
    for first, again, payload in rows.order_by("pk").values_list("proposal__pk", "revises_id", "payload"):
        args = payload.get("args")
        found[again or first] = args if isinstance(args, dict) else {}
    return found
