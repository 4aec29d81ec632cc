"""What nobody decided in time ends here, in the `apply` process; what a customer waits for goes to a person.

Nothing is ever approved for want of an answer, and a missing answer is never taken for a no.
"""

from datetime import datetime
from typing import Any

from approvals import deadlines, dependencies, handoffs, instructions, payloads, proposals, votes
from approvals.models import Instruction, Proposal
from approvals.state import State
from audit.events import Event
from portal.retold import kept

SYSTEM = "system:apply"
WAITING = (State.PENDING, State.STALE)
BECAUSE = kept("nobody decided in time")
MEANWHILE = kept("It expired meanwhile.")


def may_end(row: Proposal, *, now: datetime) -> bool:
    """Whether its time to end has come; never before what it waits for has ended."""
    return now >= ends_at(row) and not any(d.on.state in dependencies.MAY_STILL_HAPPEN for d in dependencies.of(row))


def ends_at(row: Proposal) -> datetime:
    """When it ends if nobody decides."""
    return deadlines.expires_at(
        deadlines.moment(row.urgency), action=row.action, is_undo=row.undoes_id is not None
    )  # fmt: skip


def expire(row: Proposal, *, now: datetime) -> list[Proposal]:
    """End a proposal the caller holds locked, with those that wait for it and could not be sent without it.

    Where somebody waits, one hand-off carries all of them, as far as they were worked out. Returns what ended.
    """
    ending = [row, *_waiting_for(row)]
    for one in ending:
        _answer_for(one, now=now)
        proposals.transition(one, Event.PROPOSAL_EXPIRED, actor=SYSTEM, now=now, body={"because": BECAUSE})
    if deadlines.waited_for(action=row.action, is_undo=row.undoes_id is not None):
        handoffs.open_for(
            row, reason="expired", summary=row.summary, now=now, found=_found(ending),
            evidence=_evidence(row),
        )  # fmt: skip
    return ending


def _answer_for(row: Proposal, *, now: datetime) -> None:
    """An agent that was asked again need not answer any more."""
    asked = Instruction.objects.filter(workspace_id=row.workspace_id, proposal=row, answered_at=None).first()
    if asked is not None:
        instructions.answer(asked, MEANWHILE, actor=SYSTEM, now=now)


def _waiting_for(row: Proposal) -> list[Proposal]:
    """Undecided proposals of the case that wait for this one; one that somebody just decides is left to them."""
    rows = Proposal.objects.select_for_update(of=("self",), skip_locked=True).filter(
        workspace_id=row.workspace_id, case_id=row.case_id, state__in=WAITING,
        pk__in=row.dependents.values("proposal_id"),
    )  # fmt: skip
    return list(rows.order_by("pk"))


def _found(ending: list[Proposal]) -> dict[str, Any]:
    """What a person goes on from: the arguments as they stood, and those of what waited."""
    row, *others = ending
    found: dict[str, Any] = {"args": votes.current(row).args}
    if row.amount_minor is not None:
        found |= {"amount_minor": row.amount_minor, "currency": row.currency}
    if row.flags:
        found["flags"] = list(row.flags)
    if others:
        found["drafts"] = [
            {"action": one.action, "target": one.target, "args": votes.current(one).args} for one in others
        ]
    return found


def _evidence(row: Proposal) -> list[payloads.Citation]:
    try:
        return payloads.read(payloads.Paper, row.submission.payload).evidence
    except payloads.PayloadError:
        return []
