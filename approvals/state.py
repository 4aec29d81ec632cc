"""The one table of legal moves of a proposal, and who may make them. Pure; the trigger is built from it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from audit.events import Event


class State(StrEnum):
    """Where a proposal stands; reversal is not a state."""

    PENDING = "pending"
    APPROVED = "approved"
    APPLYING = "applying"
    APPLIED = "applied"
    DENIED = "denied"
    STALE = "stale"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    FAILED = "failed"
    UNKNOWN = "unknown"


OPEN = (State.PENDING, State.APPROVED, State.APPLYING, State.STALE, State.UNKNOWN)
WITHOUT_EFFECT = (State.REJECTED, State.EXPIRED, State.WITHDRAWN, State.FAILED)


class Kind(StrEnum):
    """What a person's decision was. Only `approve` and `reject` are votes."""

    APPROVE = "approve"
    REJECT = "reject"
    EDIT = "edit"
    REDO = "redo"
    STOP = "stop"
    UNVOTE = "unvote"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    SEND_BACK = "send_back"
    FOUND = "found"
    NOT_FOUND = "not_found"
    FOUND_STALE = "found_stale"


Process = Literal["web", "apply"]


@dataclass(frozen=True, slots=True)
class Move:
    """One legal move. Web makes it only beside a decision of one of `decisions`, in the same transaction."""

    before: State | None
    event: Event
    after: State
    by: tuple[Process, ...]
    decisions: tuple[Kind, ...] = ()
    new_revision: bool = False
    new_round: bool = False


S, E, K = State, Event, Kind
MOVES: tuple[Move, ...] = (
    Move(None, E.PROPOSAL_PROPOSED, S.PENDING, ("apply",)),
    Move(None, E.PROPOSAL_ALLOWED, S.APPROVED, ("apply",)),
    Move(None, E.PROPOSAL_DENIED, S.DENIED, ("apply",)),
    Move(S.PENDING, E.PROPOSAL_EDITED, S.PENDING, ("web",), (K.EDIT,), new_revision=True),
    Move(S.PENDING, E.PROPOSAL_REVISED, S.PENDING, ("apply",), (K.SEND_BACK,), new_revision=True),
    Move(S.STALE, E.PROPOSAL_REVISED, S.PENDING, ("apply",), (K.SEND_BACK,), new_revision=True),
    Move(S.PENDING, E.PROPOSAL_RESCHEDULED, S.PENDING, ("apply",)),
    Move(S.STALE, E.PROPOSAL_RESCHEDULED, S.STALE, ("apply",)),
    Move(S.PENDING, E.PROPOSAL_REBASED, S.PENDING, ("web", "apply"), (K.APPROVE,)),
    Move(S.PENDING, E.PROPOSAL_APPROVED, S.APPROVED, ("web", "apply"), (K.APPROVE,)),
    Move(S.PENDING, E.PROPOSAL_UNVOTED, S.PENDING, ("web",), (K.UNVOTE,), new_round=True),
    Move(S.PENDING, E.PROPOSAL_REJECTED, S.REJECTED, ("web",), (K.REJECT,)),
    Move(S.PENDING, E.PROPOSAL_STALE, S.STALE, ("web", "apply"), (K.FOUND_STALE,)),
    Move(S.APPROVED, E.PROPOSAL_STALE, S.STALE, ("apply",)),
    Move(S.STALE, E.PROPOSAL_REJECTED, S.REJECTED, ("web",), (K.REJECT,)),
    Move(S.STALE, E.PROPOSAL_REDONE, S.PENDING, ("web",), (K.REDO,), new_revision=True),
    Move(S.FAILED, E.PROPOSAL_REDONE, S.PENDING, ("web",), (K.REDO,), new_revision=True),
    Move(S.PENDING, E.PROPOSAL_EXPIRED, S.EXPIRED, ("apply",)),
    Move(S.STALE, E.PROPOSAL_EXPIRED, S.EXPIRED, ("apply",)),
    Move(S.APPROVED, E.PROPOSAL_STOPPED, S.PENDING, ("web",), (K.STOP,), new_round=True),
    Move(S.REJECTED, E.PROPOSAL_REOPENED, S.PENDING, ("web",), (K.REOPEN,), new_round=True),
    Move(S.PENDING, E.PROPOSAL_WITHDRAWN, S.WITHDRAWN, ("web", "apply"), (K.WITHDRAW,)),
    Move(S.STALE, E.PROPOSAL_WITHDRAWN, S.WITHDRAWN, ("web", "apply"), (K.WITHDRAW,)),
    Move(S.APPROVED, E.PROPOSAL_WITHDRAWN, S.WITHDRAWN, ("web", "apply"), (K.WITHDRAW,)),
    Move(S.APPROVED, E.PROPOSAL_APPLYING, S.APPLYING, ("apply",)),
    Move(S.APPLYING, E.PROPOSAL_APPLIED, S.APPLIED, ("apply",)),
    Move(S.APPLYING, E.PROPOSAL_FAILED, S.FAILED, ("apply",)),
    Move(S.APPLYING, E.PROPOSAL_UNKNOWN, S.UNKNOWN, ("apply",)),
    Move(S.UNKNOWN, E.PROPOSAL_APPLIED, S.APPLIED, ("apply",)),
    Move(S.UNKNOWN, E.PROPOSAL_FAILED, S.FAILED, ("apply",)),
    Move(S.UNKNOWN, E.PROPOSAL_CLEARED, S.APPROVED, ("apply",)),
)


class IllegalMove(ValueError):
    """The table holds no such move."""


def move(before: State | None, event: Event) -> Move:
    """The legal move for an event.

    Raises:
        IllegalMove: naming the state and the event.
    """
    for candidate in MOVES:
        if candidate.before == before and candidate.event == event:
            return candidate
    raise IllegalMove(f"a proposal that is {before or 'not there yet'} cannot take {event}")
