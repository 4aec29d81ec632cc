"""What moved since the dry run: the three-way look at a proposal's fields and at what it rests on."""

from dataclasses import dataclass
from typing import Any

from approvals import diff
from approvals.actions import named
from approvals.models import Proposal, Revision
from portal.systems.base import Reader
from portal.systems.books import BooksReader


@dataclass(frozen=True, slots=True)
class Look:
    """`now` holds the present value per changed field, `fits` how each change meets it, `drifted` moved reads."""

    now: dict[str, Any]
    fits: dict[str, diff.Fit]
    drifted: tuple[str, ...]
    basis: dict[str, Any]
    outward: bool = False

    @property
    def conflict(self) -> bool:
        """A field changed to something else meanwhile."""
        return diff.Fit.CONFLICT in self.fits.values()

    @property
    def already_so(self) -> bool:
        """Somebody made every one of the changes meanwhile; never where something goes out."""
        return bool(self.fits) and not self.outward and set(self.fits.values()) == {diff.Fit.ALREADY}

    def moved(self, basis: dict[str, Any]) -> bool:
        """Something moved, though it may not touch what would be written."""
        return self.basis != basis


def look(proposal: Proposal, revision: Revision) -> Look:
    """Read the target and the reads again, inside the caller's transaction."""
    reader = BooksReader(proposal.workspace_id)
    changes, effects = diff.read_content(revision.content)
    now = dict(named(proposal.action).now(proposal.target, changes, reader))
    present = {change.field: now[change.field] for change in changes if change.field in now}
    reads = {source: _version(source, reader) for source in proposal.basis["reads"]}
    drifted = tuple(s for s, version in sorted(proposal.basis["reads"].items()) if reads[s] != version)
    basis = {"target_version": _version(proposal.target, reader), "reads": reads}
    return Look(present, diff.fits(changes, now), drifted, basis, bool(effects))


def _version(source: str, reader: Reader) -> int:
    """The version of a record now; 0 where it is gone."""
    kind, _, key = source.partition(":")
    match kind:
        case "messages":
            ticket = reader.ticket(key)
            return len(ticket.messages) if ticket else 0
        case "clause":
            return next((clause.version for clause in reader.clauses() if clause.clause_id == key), 0)
        case "ticket":
            return _of(reader.ticket(key))
        case "order":
            return _of(reader.order(key))
        case "contact":
            return _of(reader.contact(key))
    return 0


def _of(record: Any) -> int:
    return 0 if record is None else int(record.version)
