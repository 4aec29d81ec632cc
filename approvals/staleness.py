"""What moved since the dry run: the three-way look at a proposal's fields and at what it rests on.

A target that is deleted, or is another workspace's by now, is gone: whatever was proposed for it is in conflict.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from approvals import diff
from approvals.actions import named
from approvals.models import Proposal, Revision
from portal.retold import kept
from portal.systems.base import Reader
from portal.systems.books import BooksReader
from portal.systems.records import Ticket

GONE = kept("%(what)s is not there any more")
CHANGED = kept("the record changed since")
CONVERSATION = kept("the conversation of ticket %(ticket)s")
# Of a conversation: every message, for what is one itself; or the newest of the customer's, for all else on a ticket.
TALK, WROTE = "messages", "wrote"


@dataclass(frozen=True, slots=True)
class Look:
    """`now` holds the present value per changed field, `fits` how each change meets it, `drifted` moved reads.

    `gone` names a target that is not there any more, or is "".
    """

    now: dict[str, Any]
    fits: dict[str, diff.Fit]
    drifted: tuple[str, ...]
    basis: dict[str, Any]
    outward: bool = False
    gone: str = ""

    @property
    def conflict(self) -> bool:
        """A field changed to something else meanwhile, or the whole is gone."""
        return bool(self.gone) or diff.Fit.CONFLICT in self.fits.values()

    @property
    def because(self) -> str:
        """Why what was seen no longer holds, in words; "" without a conflict."""
        if self.gone:
            return GONE % {"what": _named(self.gone)}
        return CHANGED if self.conflict else ""

    @property
    def drift(self) -> str:
        """What it rests on and moved, by name."""
        return ", ".join(map(_named, self.drifted))

    @property
    def already_so(self) -> bool:
        """Somebody made every one of the changes meanwhile; never where something goes out."""
        return bool(self.fits) and not self.outward and set(self.fits.values()) == {diff.Fit.ALREADY}

    @property
    def talked(self) -> bool:
        """The conversation went on."""
        return any(map(_is_talk, self.drifted))

    def unsettled(self, tier: str) -> bool:
        """It is worked out anew first: at high tier whatever it rests on moved, else the conversation of what goes out.

        A mere change of fields takes note of what the customer wrote and stands, as with any other drift.
        """
        return bool(self.drifted) and (tier == "high" or (self.outward and self.talked))

    def moved_elsewhere(self, basis: dict[str, Any]) -> bool:
        """The same, but for the conversation: our own messages move it too."""
        return self.basis["target_version"] != basis["target_version"] or not all(map(_is_talk, self.drifted))

    def moved(self, basis: dict[str, Any]) -> bool:
        """Something moved, though it may not touch what would be written."""
        return self.basis != basis


def _named(source: str) -> str:
    """What something rests on, as it is kept: 'order #W1'."""
    kind, _colon, key = source.partition(":")
    return CONVERSATION % {"ticket": key} if _is_talk(source) else f"{kind} {key}"


def _is_talk(source: str) -> bool:
    return source.partition(":")[0] in (TALK, WROTE)


def basis(told: diff.Diff, subject: str, reader: Reader, read_to: int | None = None) -> dict[str, Any]:
    """Versions that a dry run rests on; on a ticket also how far its customer had written, whatever it would do.

    Of the conversation only what its proposer had read counts, up to the message `read_to`; all of it where None.
    """
    rests, (kind, _colon, key) = told.basis(), subject.partition(":")
    if kind != "ticket" or (ticket := reader.ticket(key)) is None:
        return rests
    if read_to is not None:
        ticket = replace(ticket, messages=tuple(one for one in ticket.messages if one.seq <= read_to))
    if (talk := f"{TALK}:{key}") in rests["reads"]:
        rests["reads"][talk] = len(ticket.messages)
    else:
        rests["reads"][f"{WROTE}:{key}"] = newest(ticket)
    return rests


def newest(ticket: Ticket | None) -> int:
    """The number of the customer's last message; 0 where there is none."""
    return max((one.seq for one in ticket.messages if one.sender == "customer"), default=0) if ticket else 0


def last(ticket: Ticket | None) -> int | None:
    """The number of the last message of all: how far who reads it now has read; None without a ticket."""
    return max((one.seq for one in ticket.messages), default=0) if ticket else None


def look(proposal: Proposal, revision: Revision) -> Look:
    """Read the target and the reads again, inside the caller's transaction."""
    reader = BooksReader(proposal.workspace_id)
    changes, effects = diff.read_content(revision.content)
    now = dict(named(proposal.action).now(proposal.target, changes, reader))
    present = {change.field: now[change.field] for change in changes if change.field in now}
    ticket = cache(reader.ticket)  # its conversation and itself are one record
    reads = {source: _version(source, reader, ticket) for source in proposal.basis["reads"]}
    drifted = tuple(s for s, version in sorted(proposal.basis["reads"].items()) if reads[s] != version)
    basis = {"target_version": _version(proposal.target, reader, ticket), "reads": reads}
    gone = "" if basis["target_version"] and not _retired(proposal.target, reader) else proposal.target
    return Look(present, diff.fits(changes, now), drifted, basis, bool(effects), gone)


def _retired(target: str, reader: Reader) -> bool:
    """A contact that was merged into another is nobody's to change."""
    kind, _, key = target.partition(":")
    contact = reader.contact(key) if kind == "contact" else None
    return contact is not None and bool(contact.merged_into)


def onto(proposal: Proposal, changes: Sequence[diff.Change]) -> tuple[diff.Change, ...]:
    """The approved changes as they meet the target now: of a list only what they add and take away is written."""
    now = named(proposal.action).now(proposal.target, changes, BooksReader(proposal.workspace_id))
    return tuple(diff.onto(change, now.get(change.field)) for change in changes)


def _version(source: str, reader: Reader, ticket: Callable[[str], Ticket | None]) -> int:
    """The version of a record now; 0 where it is gone."""
    kind, _, key = source.partition(":")
    match kind:
        case "messages":
            found = ticket(key)
            return len(found.messages) if found else 0
        case "wrote":
            return newest(ticket(key))
        case "clause":
            return next((clause.version for clause in reader.clauses() if clause.clause_id == key), 0)
        case "ticket":
            return _of(ticket(key))
        case "order":
            return _of(reader.order(key))
        case "contact":
            return _of(reader.contact(key))
    return 0


def _of(record: Any) -> int:
    return 0 if record is None else int(record.version)
