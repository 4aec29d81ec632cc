"""How a proposal begins: what was asked, taken apart, and the row, first revision and entry that come of it.

Called by the gate alone, after preview and verdict; asks nothing itself, writes nothing.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from approvals import citations, deadlines, dependencies, diff, payloads, placing, proposals, risk, staleness
from approvals.actions import named
from approvals.actions.base import Action, Preview
from approvals.models import Proposal, Revision, Submission
from approvals.sitting import Opened, Sitting
from approvals.state import State
from approvals.taint import Taint
from audit.events import Event


@dataclass(frozen=True, slots=True)
class Asked:
    """An action submission, taken apart."""

    submission: Submission
    action: Action
    args: dict[str, Any]
    target: str
    confidence_pct: int
    flags: tuple[str, ...]
    taints: tuple[Taint, ...] = ()


def take_apart(submission: Submission) -> Asked:
    """What an action submission asks for.

    Raises:
        payloads.PayloadError, ActionError: naming the field that is off.
    """
    paper = payloads.read(payloads.ActionPaper, submission.payload)
    return Asked(
        submission, named(paper.action), dict(paper.args), paper.target, round(paper.confidence * 100),
        tuple(sorted(set(paper.flags))),
    )  # fmt: skip


def is_justified(asked: Asked) -> bool:
    """Whether it names its evidence; a person who hands something in answers for it in person."""
    submission = asked.submission
    return submission.proposer.startswith("person:") or citations.justified(submission.payload)


def begin(
    asked: Asked, preview: Preview, content: bytes, verdict: risk.Verdict, holders: Mapping[str, str], sitting: Sitting
) -> Proposal:
    """Its row, first revision and entry, for the sitting to write; it counts on the day of `holders`."""
    submission, nonce, now = asked.submission, secrets.token_bytes(32), sitting.now
    hours, (event, after) = sitting.rulebook.hours, _start(verdict)
    proposal = Proposal(
        pk=sitting.next_id(), workspace_id=submission.workspace_id, submission=submission, case_id=submission.case_id,
        action=asked.action.name, target=asked.target, state=after, digest=diff.digest(content, nonce),
        basis=staleness.basis(preview.diff, submission.case.subject, sitting.reader, submission.read_to),
        tier=verdict.tier, people=verdict.people, proposer=submission.proposer,
        customer=preview.customer, amount_minor=preview.amount_minor, currency=preview.currency,
        confidence_pct=asked.confidence_pct, summary=preview.summary, flags=list(asked.flags),
        content_key=proposals.content_key(asked.action, asked.args), undoes_id=submission.undoes_id, created_at=now,
        team=placing.team_in(submission.case, sitting.reader), language=submission.language,
        proposer_version=submission.proposer_version,
        urgency=deadlines.urgency(hours, now, deadlines.DUE[verdict.tier]),
        fresh_until=hours.after(now, timedelta(minutes=verdict.fresh_minutes)),
        hold_until=now + timedelta(seconds=verdict.hold_seconds) if after == State.APPROVED else None,
    )  # fmt: skip
    revision = Revision(
        workspace_id=proposal.workspace_id, proposal=proposal, number=1, args=asked.args, content=content.decode(),
        nonce=nonce, digest=proposal.digest, verdict=verdict.as_json(), people=verdict.people,
        second_role=verdict.second_role, made_by=submission.proposer, created_at=now,
        taint=[one.as_json() for one in asked.taints],
        read_to=submission.read_to,
    )  # fmt: skip
    entry = proposals.draft_move(
        proposal, event, {"version": 1, "state": str(after), "revision": 1}, actor=submission.proposer, now=now,
        body={"run": submission.run, "tier": verdict.tier, "rules": list(verdict.rules), "policy": verdict.policy},
        personal={"summary": proposal.summary},
    )  # fmt: skip
    sitting.open(Opened(proposal, revision, entry), holders)
    return proposal


def _start(verdict: risk.Verdict) -> tuple[Event, State]:
    if not verdict.allowed:
        return Event.PROPOSAL_DENIED, State.DENIED
    if verdict.people == 0:
        return Event.PROPOSAL_ALLOWED, State.APPROVED
    return Event.PROPOSAL_PROPOSED, State.PENDING


def depend(proposal: Proposal) -> None:
    """Tie it to the proposals of its run that its submission names."""
    submission = proposal.submission
    for on in Proposal.objects.filter(
        workspace_id=proposal.workspace_id, submission__run=submission.run, submission__proposer=submission.proposer,
        submission__key__in=payloads.siblings(submission.depends_on),
    ):  # fmt: skip
        dependencies.depend(proposal, on)
