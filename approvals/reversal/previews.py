"""What an undo would do now, field by field, out of the receipt: taken back, back already, or changed since.

Reads only. Refuses what was not carried out, what went out of the house, and what left no values behind.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from approvals import actions, diff
from approvals.diff import Change, Fit
from approvals.models import Proposal, Receipt
from approvals.reversal import layers
from approvals.reversal.layers import Part, Write
from approvals.state import OPEN, State
from audit.events import Event
from audit.models import Entry
from portal.retold import kept
from portal.systems.base import Reader

# Stands on an undo that leaves fields alone because they changed since: its starter may not approve it alone.
PARTIAL = "partial_undo"


NOTHING_LEFT = kept("Every field was changed again since; there is nothing of this left to undo (%(whys)s).")
ALL_BACK = kept("All of it is as it was before already (%(whys)s).")
NO_WAY_BACK = kept("%(action)s: this action does not say how it is taken back.")
UNWRITABLE = kept("The values before cannot be written any more: %(why)s")
NEVER = kept("It was never carried out (it is %(state)s), so there is nothing to undo.")
WROTE_NOTHING = kept("It wrote nothing: somebody had done the same before, so there is nothing of it to undo.")
OUTSIDE = kept("It was done outside, and no values from before it are kept here: it cannot be undone.")
ERASED = kept("The values from before it are no longer kept (personal data was erased): it cannot be undone.")
# States, as they stand within these.
STATES = (
    kept("pending"), kept("approved"), kept("applying"), kept("applied"), kept("denied"), kept("stale"),
    kept("rejected"), kept("expired"), kept("withdrawn"), kept("failed"), kept("unknown"),
)  # fmt: skip
UNDOES_ALREADY = kept("Proposal %(number)s undoes this already and is %(state)s; look at that.")
ON_HOLD = kept("It is on hold and not carried out yet: stop it, then there is nothing to undo.")
UNDER_WAY = kept("It is being carried out just now; look at the undo again when it is done.")
NOBODY_KNOWS = kept("Nobody knows yet whether it happened; a manager settles that first.")
NOT_DONE = kept("It was not carried out: reject or withdraw it, then there is nothing to undo.")
WENT_OUT = kept("It went out and nothing takes it back: open a recovery case instead.")
STARTED = kept("An undo of this was started already; the gate checks it just now.")


class UndoError(Exception):
    """Base of why something cannot be taken back; the message is for the person, kept in English."""


class NotYet(UndoError):
    """It was not carried out, or nobody knows."""


class UnderWay(UndoError):
    """An undo of it is open; `proposal` is that undo, None while the gate checks it."""

    def __init__(self, message: str, proposal: int | None = None) -> None:
        super().__init__(message)
        self.proposal = proposal


class Outward(UndoError):
    """It went out of the house, where nothing takes it back."""


class Unrecorded(UndoError):
    """Its receipt holds no values to go back to."""


class NothingLeft(UndoError):
    """No field of it could be taken back now."""


@dataclass(frozen=True, slots=True)
class Undo:
    """An undo as it would be started now. `args` and `content` (SHA-256 of its bytes) are empty where nothing is left.

    `changes` is what would be written, from what is there now to what was there before.
    """

    proposal: Proposal
    parts: tuple[Part, ...]
    args: Mapping[str, Any]
    changes: tuple[Change, ...]
    content: str

    @property
    def conflicts(self) -> tuple[Part, ...]:
        """Fields that changed since: they stay as they are."""
        return tuple(part for part in self.parts if part.fate is Fit.CONFLICT)

    @property
    def back(self) -> tuple[Part, ...]:
        """Fields that are as they were before already."""
        return tuple(part for part in self.parts if part.fate is Fit.ALREADY)

    @property
    def partial(self) -> bool:
        """Whether something of it stays, because it changed since."""
        return bool(self.changes and self.conflicts)

    @property
    def nothing(self) -> str:
        """Why nothing of it can be taken back, or ""."""
        if self.changes:
            return ""
        whys = "; ".join(dict.fromkeys(part.because for part in self.parts))
        if self.conflicts:
            return NOTHING_LEFT % {"whys": whys}
        return ALL_BACK % {"whys": whys}


def offered(proposal: Proposal) -> Literal["", "undo", "recover"]:
    """Which way back a page offers for something that was carried out."""
    if proposal.state != State.APPLIED:
        return ""
    if actions.named(proposal.action).reversibility != "reversible":
        return "recover"
    under_way = Proposal.objects.filter(undoes=proposal, state__in=OPEN).exists()
    return "undo" if not under_way and proposal.receipt.changed else ""


def undo_preview(*, proposal: Proposal) -> Undo:
    """What an undo would take back now.

    Raises:
        UndoError: there is nothing to take back, or an undo is under way (see its subclasses).
    """
    require_carried_out(proposal)
    refuse_second(proposal)
    reader = actions.reader(proposal.workspace_id)
    return worked_out(proposal, reader, writes_since(proposal))


def worked_out(proposal: Proposal, reader: Reader, later: Sequence[Write]) -> Undo:
    """The same for a proposal that was carried out, whether or not an undo of it is open.

    Raises:
        Unrecorded, NothingLeft.
    """
    action, changed = actions.named(proposal.action), recorded(proposal)
    now = action.now(proposal.target, changed, reader)
    parts = layers.parts(proposal.pk, changed, now, later)
    clean = [part.change for part in parts if part.fate is Fit.CLEAN]
    if not clean:
        return Undo(proposal, parts, {}, (), "")
    args = action.undo_args(clean, now)
    if not args:
        raise NothingLeft(NO_WAY_BACK % {"action": action.title})
    try:
        preview = action.preview(proposal.target, action.parse(args), proposal.case.customer, reader)
        content = preview.diff.content()
    except (actions.ActionError, diff.DiffError) as error:
        raise NothingLeft(UNWRITABLE % {"why": error}) from error
    return Undo(proposal, parts, args, preview.diff.changes, diff.content_hash(content))


def writes_since(proposal: Proposal) -> tuple[Write, ...]:
    """Applied writes on the same record since, oldest first; receipts of one record are numbered in their order."""
    found = writes_on(proposal.workspace_id, [proposal.target], after=proposal.receipt.pk)
    return tuple(found.get(proposal.target, ()))


def writes_on(workspace: int, targets: Iterable[str], *, after: int) -> dict[str, list[Write]]:
    """Applied writes per record behind the receipt `after`, oldest first."""
    rows = Receipt.objects.filter(workspace_id=workspace, proposal__target__in=list(targets), pk__gt=after)
    found: dict[str, list[Write]] = {}
    for receipt, proposal, undoes, target, changed in rows.order_by("pk").values_list(
        "pk", "proposal_id", "proposal__undoes_id", "proposal__target", "changed"
    ):
        found.setdefault(target, []).append(Write(receipt, proposal, undoes, _changes(changed)))
    return found


def require_carried_out(proposal: Proposal) -> None:
    """Something to take back must be there, and within reach.

    Raises:
        NotYet, Outward.
    """
    match State(proposal.state):
        case State.APPLIED:
            if actions.named(proposal.action).reversibility != "reversible":
                raise Outward(WENT_OUT)
        case State.APPROVED:
            raise NotYet(ON_HOLD)
        case State.APPLYING:
            raise NotYet(UNDER_WAY)
        case State.UNKNOWN:
            raise NotYet(NOBODY_KNOWS)
        case State.PENDING | State.STALE:
            raise NotYet(NOT_DONE)
        case _:
            raise NotYet(NEVER % {"state": proposal.state})


def refuse_second(proposal: Proposal) -> None:
    """One undo at a time.

    Raises:
        UnderWay: naming the open one.
    """
    if proposal.undo_submissions.filter(status="new", kind="action").exists():
        raise UnderWay(STARTED)
    if is_open := Proposal.objects.filter(undoes=proposal, state__in=OPEN).order_by("-pk").first():
        raise UnderWay(UNDOES_ALREADY % {"number": is_open.pk, "state": is_open.state}, is_open.pk)


def recorded(proposal: Proposal) -> tuple[Change, ...]:
    """What the receipt says was changed.

    Raises:
        Unrecorded: with the reason.
    """
    if changed := _changes(proposal.receipt.changed):
        return changed
    body = _applied_as(proposal)
    if body.get("already_so"):
        raise Unrecorded(WROTE_NOTHING)
    if body.get("outside"):
        raise Unrecorded(OUTSIDE)
    raise Unrecorded(ERASED)


def _applied_as(proposal: Proposal) -> Mapping[str, Any]:
    """The body of the entry that says it was carried out."""
    entry = Entry.objects.filter(
        workspace_id=proposal.workspace_id, subject=f"proposal:{proposal.pk}", event=Event.PROPOSAL_APPLIED
    ).first()
    body: Mapping[str, Any] = json.loads(entry.canonical)["body"] if entry else {}
    return body


def _changes(changed: Any) -> tuple[Change, ...]:
    return tuple(Change.of_json(change) for change in changed or ())
