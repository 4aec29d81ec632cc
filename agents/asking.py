"""A run on an instruction: begun once however often its message comes, and what its agent is told.

Reads what a reviewer said and the agent's own drafts; writes the run, which row security allows for an open
instruction alone.
"""

import secrets

from agents import roster
from agents.models import Run
from agents.types import Said, Told
from approvals import instructions
from approvals.models import Instruction, Proposal, Submission


def begin(*, workspace: int, instruction: int) -> int | None:
    """The run that answers an instruction, made where there is none; None where nobody waits any more."""
    asked = Instruction.objects.filter(workspace_id=workspace, pk=instruction, answered_at=None).first()
    if asked is None:
        return None
    case, proposer = Proposal.objects.values_list("case_id", "proposer").get(pk=asked.proposal_id)
    name = proposer.removeprefix("agent:")
    version = next((agent.version for agent in roster.AGENTS if agent.name == name), "")
    run, _ = Run.objects.get_or_create(
        workspace_id=workspace, instruction=asked,
        defaults={
            "case_id": case, "agent": name, "agent_version": version, "trace_id": secrets.token_hex(16),
            "asked_by": f"person:{asked.person_id}",
        },
    )  # fmt: skip
    return run.pk


def waits(run: Run) -> bool:
    """Whether somebody still waits for what a run on an instruction comes to."""
    return run.instruction is not None and Instruction.objects.filter(pk=run.instruction.pk, answered_at=None).exists()


def told(run: Run) -> Told | None:
    """What the agent is told in this run; None in a run that nobody's instruction began."""
    asked = run.instruction
    if asked is None:
        return None
    action, target = Proposal.objects.values_list("action", "target").get(pk=asked.proposal_id)
    draft = _newest_draft(asked)
    args = draft.payload.get("args")
    return Told(
        instructions.key_of(asked.pk), _said(asked), action, target, args if isinstance(args, dict) else {},
        tuple(str(key) for key in _first_draft(asked).depends_on),
    )  # fmt: skip


def _said(asked: Instruction) -> tuple[Said, ...]:
    """All that was told in this case about proposals of this agent, the instruction itself last."""
    case, proposer = Proposal.objects.values_list("case_id", "proposer").get(pk=asked.proposal_id)
    rows = Instruction.objects.filter(
        workspace_id=asked.workspace_id, proposal__case=case, proposal__proposer=proposer, pk__lte=asked.pk
    ).order_by("pk")
    return tuple(Said(target, text) for target, text in rows.values_list("proposal__target", "text"))


def _first_draft(asked: Instruction) -> Submission:
    return Submission.objects.get(pk=Proposal.objects.values_list("submission_id", flat=True).get(pk=asked.proposal_id))


def _newest_draft(asked: Instruction) -> Submission:
    again = Submission.objects.filter(
        workspace_id=asked.workspace_id, revises=asked.proposal_id, kind=Submission.Is.ACTION,
        created_at__lte=asked.created_at,
    )  # fmt: skip
    return again.order_by("pk").last() or _first_draft(asked)
