"""Recovery cases: what went out and cannot be called back is handed to a person, with what is known of it.

One open case for each proposal. It comes through the gate like everything else.
"""

from typing import Any

from approvals import background, diff, proposals, showing, votes
from approvals.models import Attempt, Handoff, Proposal, Submission
from approvals.reversal import previews
from approvals.reversal.previews import NotYet, Outward, UndoError, Unrecorded
from approvals.reversal.starting import NotAllowed
from portal import roles
from portal.retold import kept

REASON = "recovery"
RECOVER = kept("Recover: %(summary)s. %(stands)s")
OPEN_ALREADY = kept("A recovery case of this is open already: hand-off %(number)s.")
OPENS_NOW = kept("A recovery case of this is open already: the gate opens it just now.")
STANDS = {
    "": kept("It was sent, and nothing here can call it back."),
    "pending": kept("The money is on its way and cannot be called back."),
    "settled": kept("The money has arrived: only who has it can send it back."),
    "bounced": kept("The money came back to us: the customer does not have it."),
}
WHO_OPENS = kept("Only reviewers and managers open a recovery case.")
CAN_BE_UNDONE = kept("It can be undone: a recovery case is for what went out of the house.")


class AlreadyOpen(UndoError):
    """A recovery case of it is open."""


def sent(proposal: Proposal) -> str:
    """How it stands with what was sent, in words; "" where nothing went out."""
    try:
        previews.require_carried_out(proposal)
    except Outward:
        last = _done(proposal)
        return STANDS[last.follow if last else ""]
    except NotYet:
        return ""
    return ""


def way_back(proposal: Proposal) -> str:
    """What became of the way back of something carried out, in words: how it stands outside, or that no values are
    kept; "" where it can be undone or was not carried out.
    """
    if stands := sent(proposal):
        return stands
    try:
        previews.require_carried_out(proposal)
        previews.recorded(proposal)
    except Unrecorded as lost:
        return str(lost)
    except UndoError:
        return ""
    return ""


def open_case(proposal: Proposal) -> Handoff | Submission | None:
    """The open recovery case of a proposal, as a submission while the gate has not taken it."""
    asked = proposal.undo_submissions.filter(kind=Submission.Is.HANDOFF)
    if waiting := asked.filter(status=Submission.Status.NEW).first():
        return waiting
    return Handoff.objects.filter(submission__in=asked, state="open").order_by("-pk").first()


def already(there: Handoff | Submission) -> str:
    """Why there is no second one beside it."""
    return OPEN_ALREADY % {"number": there.pk} if isinstance(there, Handoff) else OPENS_NOW


def open_recovery(*, proposal: Proposal, person: int, key: str) -> Submission:
    """Hand in a recovery case: what was sent, to whom, how much, and by which receipt and attempts.

    Raises:
        NotAllowed: no deciding role. AlreadyOpen: there is one.
        UndoError: nothing of it went out, or it can be undone instead.
    """
    if not roles.deciding(roles.of(person, proposal.workspace_id)):
        raise NotAllowed(WHO_OPENS)
    row = proposals.locked(workspace=proposal.workspace_id, proposal=proposal.pk)
    if again := row.undo_submissions.filter(proposer=f"person:{person}", run="", key=key, kind="handoff").first():
        return again
    stands = sent(row)
    if not stands:
        previews.require_carried_out(row)
        raise UndoError(CAN_BE_UNDONE)
    if there := open_case(row):
        raise AlreadyOpen(already(there))
    summary = RECOVER % {"summary": row.summary, "stands": stands}
    return proposals.submit(
        workspace=row.workspace_id, case=row.case_id, kind=Submission.Is.HANDOFF, proposer=f"person:{person}",
        key=key, undoes=row.pk,
        payload={"reason": REASON, "summary": summary[:1000], "found": _found(row)},
    )  # fmt: skip


def _found(row: Proposal) -> dict[str, Any]:
    """What is known of what was sent."""
    _, effects = diff.read_content(votes.current(row).content)
    last, books = _done(row), background.facts(row.workspace_id, row.case, row.target, row.customer).books
    to = [showing.method(str(effect["to"]), books) for effect in effects if effect.get("to")]
    found: dict[str, Any] = {
        "proposal": row.pk, "sent": row.summary, "sent_at": f"{row.receipt.applied_at:%Y-%m-%d %H:%M} UTC",
        "to": ", ".join(to) or row.customer, "customer_id": row.customer, "receipt": row.receipt.pk,
    }  # fmt: skip
    if row.amount_minor is not None:
        found |= {"amount_minor": row.amount_minor, "currency": row.currency}
    if last is not None:
        found |= {"attempt": last.pk, "system": last.system, "outside_id": last.outside_id, "money": last.follow}
    return found


def _done(proposal: Proposal) -> Attempt | None:
    """The attempt that had the effect; None where our own books are the system."""
    return proposal.attempts.filter(state=Attempt.State.DONE).first()
