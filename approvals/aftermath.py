"""What came of a decision, in one sentence, and the way back while there is one. Shown as a toast."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from approvals import actions, instructions, meanwhile, votes, wording
from approvals.models import Proposal
from approvals.state import State

NOTED = "Noted. It is on record as soon as a worker has booked it."


@dataclass(frozen=True, slots=True)
class Aftermath:
    """`way_back` names what can still be done about it; `until` is when a hold ends (UTC)."""

    proposal: Proposal
    text: str
    way_back: Literal["", "stop", "reopen", "undo"] = ""
    until: datetime | None = None


def of(proposal: Proposal, now: datetime) -> Aftermath:
    """The sentence and the way back for where a proposal stands now."""
    reversible = actions.named(proposal.action).reversibility == "reversible"
    match State(proposal.state):
        case State.PENDING:
            return Aftermath(proposal, _waiting(proposal))
        case State.APPROVED if proposal.hold_until and proposal.hold_until > now:
            return Aftermath(proposal, "Approved. It is carried out in", "stop", proposal.hold_until)
        case State.APPROVED | State.APPLYING:
            return Aftermath(proposal, "Approved, and being carried out.", "undo" if reversible else "")
        case State.APPLIED:
            return Aftermath(proposal, "Approved and carried out.", "undo" if reversible else "")
        case State.REJECTED:
            return Aftermath(proposal, "Rejected.", "reopen")
        case State.STALE:
            return Aftermath(
                proposal, "Not approved: the record moved since it was proposed. It stands under Stale now."
            )
        case State.UNKNOWN:
            said = meanwhile.found(proposal) is not None
            return Aftermath(proposal, NOTED if said else "It was sent, and nobody knows yet what became of it.")
    return Aftermath(proposal, f"It stands under “{wording.state(proposal.state)}” now.")


def _waiting(proposal: Proposal) -> str:
    if instructions.open_on(proposal) is not None:
        return "Sent back with what you wrote. Nobody approves it until the agent has answered."
    given = len({vote.person_id for vote in votes.approvals_of(proposal)})
    if given:
        return f"Your approval counts: {given} of {proposal.people}. It waits for somebody else."
    return "It waits for a decision again." if proposal.round > 1 else "Saved. It waits for a decision."
