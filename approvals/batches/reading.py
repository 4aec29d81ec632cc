"""What became of a batch: who approved what together and when, and what of it can still be taken back. Reads only."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from approvals import actions
from approvals.batches.deciding import BatchError
from approvals.models import Decision, Proposal, Submission
from approvals.state import Kind, State
from portal import roles
from portal.models import Person, Role

_NAME = re.compile("[0-9a-f]{32}")


class NoSuchBatch(BatchError):
    """Nothing was decided under this name here."""


@dataclass(frozen=True, slots=True)
class Part:
    """One member. `stands`: it is still what was approved; `loose`: it can be stopped, or its undo started.

    `waits`: for the approval of somebody else.
    """

    proposal: Proposal
    stands: bool
    loose: bool
    waits: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """What `person` approved together; `left` is how many of them who looks may take back now."""

    name: str
    person: Person
    at: datetime
    parts: tuple[Part, ...]
    left: int

    @property
    def some_wait(self) -> bool:
        """Whether some of what who looks may take back is not approved before somebody else agrees."""
        return any(part.waits and part.loose for part in self.parts)

    @property
    def all_wait(self) -> bool:
        """Whether that is so of all that still stands."""
        return all(part.waits for part in self.parts if part.stands)


def votes_of(workspace: int, batch: str) -> list[Decision]:
    """The newest vote on each member, newest first: who takes a batch back may approve the same again.

    Raises:
        NoSuchBatch.
    """
    found: dict[int, Decision] = {}
    if _NAME.fullmatch(batch):
        rows = Decision.objects.filter(workspace_id=workspace, batch=batch, kind=Kind.APPROVE)
        for vote in rows.select_related("proposal", "person").defer("proposal__basis").order_by("-pk"):
            found.setdefault(vote.proposal_id, vote)
    if not found:
        raise NoSuchBatch(_("There is no such batch here."))
    return list(found.values())


def may_undo(votes: Sequence[Decision], person: int, held: Collection[str]) -> bool:
    """Who decided all of it, or a manager."""
    mine = all(vote.person_id == person for vote in votes)
    return bool(roles.deciding(held)) and (mine or Role.MANAGER in held)


def read(*, workspace: int, batch: str, person: int) -> Batch:
    """The batch as it stands, for somebody who looks at it.

    Raises:
        NoSuchBatch.
    """
    votes = votes_of(workspace, batch)
    keys = [vote.proposal_id for vote in votes]
    begun = set(Submission.objects.filter(workspace_id=workspace, undoes__in=keys).values_list("undoes", flat=True))
    parts = tuple(sorted((_part(vote, begun, person) for vote in votes), key=lambda part: part.proposal.pk))
    may = may_undo(votes, person, roles.of(person, workspace))
    left = sum(part.loose for part in parts) if may else 0
    return Batch(batch, votes[0].person, votes[0].created_at, parts, left)


def _part(vote: Decision, begun: Collection[int | None], person: int) -> Part:
    row = vote.proposal
    stands = (row.revision, row.round) == (vote.revision, vote.round)
    waits = stands and row.state == State.PENDING
    undoable = actions.named(row.action).reversibility == "reversible" and row.pk not in begun
    mine = waits and vote.person_id == person
    loose = mine or row.state == State.APPROVED or (row.state == State.APPLIED and undoable)
    return Part(row, stands, stands and loose, waits)
