"""One call that takes a batch back: what is on hold is stopped, what was carried out is undone where it can be.

Each member in a transaction of its own; the answer names what could not be taken back and why.
"""

from dataclasses import dataclass

from django.db import DatabaseError
from django.utils.translation import gettext as _

from approvals import decisions, proposals, reversal, state, votes
from approvals.batches import reading
from approvals.batches.deciding import Line, NotAllowed
from approvals.models import Decision, Proposal
from approvals.state import State
from portal import roles
from portal import workspace as inside
from portal.retold import fault, say


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of it: stopped on hold, undo started (it passes the gate by itself), could not be taken back."""

    stopped: tuple[Line, ...]
    started: tuple[Line, ...]
    kept: tuple[Line, ...]


def undo(*, workspace: int, batch: str, person: int) -> Undone:
    """Take back what was approved in a batch, newest first, as far as it can be. Safe to call again.

    Raises:
        NoSuchBatch. NotAllowed: neither who decided it nor a manager.
    """
    with inside.within(workspace, person):
        given = reading.votes_of(workspace, batch)
        if not reading.may_undo(given, person, roles.of(person, workspace)):
            raise NotAllowed(_("Only who decided the batch, or a manager, takes it back."))
    stopped: list[Line] = []
    started: list[Line] = []
    kept: list[Line] = []
    for vote in given:
        try:
            done = _take_back(vote, workspace, person)
        except (decisions.DecisionError, proposals.ProposalError, reversal.UndoError, state.IllegalMove) as error:
            kept.append(Line(vote.proposal_id, fault(str(error))))
        except DatabaseError:
            kept.append(Line(vote.proposal_id, _("The database refused it; look at it by itself.")))
        else:
            (stopped if done else started).append(Line(vote.proposal_id, done or _("Its undo is on its way.")))
    return Undone(tuple(stopped), tuple(started), tuple(kept))


def _take_back(vote: Decision, workspace: int, person: int) -> str:
    """What of it was stopped, in words; "" where its undo was started.

    Raises:
        decisions.Gone: neither can be. reversal.UndoError.
    """
    with inside.within(workspace, person) as now:
        row = proposals.locked(workspace=workspace, proposal=vote.proposal_id)
        if (row.revision, row.round) != (vote.revision, vote.round):
            raise decisions.Gone(_("It was stopped or edited since; what stands there now is not of this batch."))
        mine = vote.person_id == person and votes.gave(row, person)
        if row.state == State.APPROVED or (row.state == State.PENDING and mine):
            seen, waited = decisions.Seen(row.revision, row.digest), row.state == State.PENDING
            decisions.stop(workspace=workspace, proposal=row.pk, seen=seen, person=person, now=now)
            return _("The approval is taken back.") if waited else _("Stopped.")
        if row.state == State.PENDING:
            raise decisions.Gone(_("It still waits for somebody else; reject it where it must not happen."))
        if row.state != State.APPLIED:
            raise decisions.Gone(_("It is %(state)s now.") % {"state": say(row.state)})
        _undo(row, vote, person)
    return ""


def _undo(row: Proposal, vote: Decision, person: int) -> None:
    """The undo of all that was approved: what changed since in part is for somebody to look at."""
    wanted = reversal.undo_preview(proposal=row)
    if wanted.nothing:
        raise reversal.NothingLeft(wanted.nothing)
    if wanted.partial:
        raise reversal.NothingLeft(_("A part of it changed since; look at its undo by itself."))
    reversal.undo(proposal=row, person=person, seen_content=wanted.content, key=f"batch:{vote.batch}:{row.pk}")
