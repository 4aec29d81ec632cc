"""What came of a decision, in one sentence, and the way back while there is one. Shown as a toast."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import actions, decisions, instructions, meanwhile, rerun, votes, wording
from approvals.models import Proposal
from approvals.state import State

NOTED = noop("Noted. It is on record as soon as a worker has booked it.")


@dataclass(frozen=True, slots=True)
class Aftermath:
    """`way_back` names what can still be done about it; `until` is when that ends by itself (UTC)."""

    proposal: Proposal
    text: str
    way_back: Literal["", "stop", "unvote", "reopen", "undo"] = ""
    until: datetime | None = None


def of(proposal: Proposal, now: datetime, *, person: int, held: AbstractSet[str]) -> Aftermath:
    """The sentence and this person's way back for where a proposal stands now."""
    reversible = actions.named(proposal.action).reversibility == "reversible"
    match State(proposal.state):
        case State.PENDING:
            back = votes.gave(proposal, person) and instructions.open_on(proposal) is None
            return Aftermath(proposal, _waiting(proposal), "unvote" if back else "")
        case State.APPROVED if proposal.hold_until and proposal.hold_until > now:
            return Aftermath(proposal, _("Approved. It is carried out in"), "stop", proposal.hold_until)
        case State.APPROVED | State.APPLYING:
            return Aftermath(proposal, _("Approved, and being carried out."), "undo" if reversible else "")
        case State.APPLIED:
            return Aftermath(proposal, _("Approved and carried out."), "undo" if reversible else "")
        case State.REJECTED:
            return _rejected(proposal, now, person, held)
        case State.STALE:
            return Aftermath(
                proposal, _("Not approved: the record moved since it was proposed. It stands under Stale now.")
            )
        case State.UNKNOWN:
            said = meanwhile.found(proposal) is not None
            return Aftermath(proposal, _(NOTED) if said else _("It was sent, and nobody knows yet what became of it."))
    return Aftermath(proposal, _("It stands under “%(state)s” now.") % {"state": wording.state(proposal.state)})


def _rejected(proposal: Proposal, now: datetime, person: int, held: AbstractSet[str]) -> Aftermath:
    if "manager" in held:
        return Aftermath(proposal, _("Rejected."), "reopen")
    until = decisions.reopens_until(proposal, person)
    if until is None or until < now:
        return Aftermath(proposal, _("Rejected."))
    return Aftermath(proposal, _("Rejected. You can undo that for"), "reopen", until)


def _waiting(proposal: Proposal) -> str:
    if instructions.open_on(proposal) is not None:
        return _("Sent back with what you wrote. Nobody approves it until the agent has answered.")
    given = len({vote.person_id for vote in votes.approvals_of(proposal)})
    if given:
        told = {"given": given, "people": proposal.people}
        return _("Your approval counts: %(given)s of %(people)s. It waits for somebody else.") % told
    if proposal.round > 1:
        return _("It waits for a decision again.")
    return _("Saved. %(checked)s It waits for a decision.") % {"checked": rerun.last(proposal)}
