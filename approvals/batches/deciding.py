"""Approves a batch: the whole is refused where it is none, then each member is decided in a transaction of its own.

Called outside of any transaction. A member that changed, is forged or not this person's to decide holds up no other.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.utils.translation import gettext as _

from approvals import decisions, proposals, state
from approvals.batches import grouping
from approvals.batches.grouping import LEAST, MOST, Member, Template
from approvals.models import Proposal
from approvals.state import State
from portal import money, roles, stepup
from portal import workspace as inside
from portal.figures import figure
from portal.retold import fault, say

Seen = tuple[int, int, str]
_DIGEST = re.compile("[0-9a-f]{64}")


class BatchError(Exception):
    """Base of why a whole batch is refused, nothing of it decided; the message is for the person."""


class WrongMembers(BatchError):
    """Too many, too few, or one of them twice."""


class NotOpened(BatchError):
    """The two that were drawn have not been opened; `drawn` are their ids."""

    def __init__(self, drawn: frozenset[int]) -> None:
        named = _(" and ").join(_("proposal %(number)s") % {"number": pk} for pk in sorted(drawn))
        super().__init__(_("Open %(proposals)s first; then decide them all.") % {"proposals": named})
        self.drawn = drawn


class NotEquivalent(BatchError):
    """They are not all the same kind of change under the same rules."""


class OverLimit(BatchError):
    """Together they move more than one decision of their tier may."""


class NotAllowed(BatchError):
    """This person decides nothing here."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one member, in words for the person."""

    proposal: int
    words: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a batch: approved, changed since it was seen, refused."""

    batch: str
    approved: tuple[Line, ...]
    changed: tuple[Line, ...]
    refused: tuple[Line, ...]


def draw(*, workspace: int, person: int, members: Sequence[Seen]) -> frozenset[int]:
    """The ids that must be opened before `decide` takes exactly these members."""
    return grouping.drawn_of(grouping.batch_id(workspace, person, members), [pk for pk, *_seen in members])


def decide(*, workspace: int, members: Sequence[Seen], opened: Collection[int], person: int) -> Answer:
    """Approve each (id, revision, digest) that still stands so; `opened` are the ids the person looked at.

    Raises:
        WrongMembers, NotOpened, NotEquivalent, OverLimit, NotAllowed: nothing is decided.
    """
    _refuse_shape(members)
    drawn = draw(workspace=workspace, person=person, members=members)
    if not drawn <= set(opened):
        raise NotOpened(drawn)
    outcome = _Outcome(grouping.batch_id(workspace, person, members))
    with inside.within(workspace, person) as now:
        if not roles.deciding(roles.of(person, workspace)):
            raise NotAllowed(_("Only reviewers and managers decide."))
        standing = _standing(workspace, members, outcome, now)
    for one in sorted(standing):
        _approve(workspace, one, person, outcome)
    return outcome.answer()


class _Outcome:
    """Collects what came of each."""

    def __init__(self, batch: str) -> None:
        self.batch = batch
        self.approved: list[Line] = []
        self.changed: list[Line] = []
        self.refused: list[Line] = []

    def answer(self) -> Answer:
        return Answer(self.batch, tuple(self.approved), tuple(self.changed), tuple(self.refused))


def _refuse_shape(members: Sequence[Seen]) -> None:
    if not all(0 < pk < 2**63 and 0 < revision < 2**31 and _DIGEST.fullmatch(sha) for pk, revision, sha in members):
        raise WrongMembers(_("The form does not say what was on the screen; look at the page again."))
    ids = [pk for pk, *_seen in members]
    if len(ids) > MOST:
        raise WrongMembers(
            _("%(count)s at once; at most %(most)s are decided together.") % {"count": len(ids), "most": MOST}
        )
    if len(ids) < LEAST:
        raise WrongMembers(_("One alone is no batch; decide it on its own page."))
    if len(set(ids)) < len(ids):
        raise WrongMembers(_("One of them is named twice."))


def _standing(workspace: int, members: Sequence[Seen], outcome: _Outcome, now: datetime) -> list[Seen]:
    """Members that stand as they were seen and may go together; the others are told apart.

    Raises:
        NotEquivalent, OverLimit.
    """
    rows = Proposal.objects.filter(workspace_id=workspace, pk__in=[pk for pk, *_seen in members]).defer("basis")
    there, revisions = {row.pk: row for row in rows}, grouping.revisions_of(rows)
    waiting = [row for row in rows if row.state == State.PENDING]
    read = {member.proposal.pk: member for member in grouping.members_of(workspace, waiting, revisions)}
    apart = grouping.why_apart(workspace, read, now)
    fit: list[tuple[Seen, Member, Template]] = []
    for seen in members:
        row = there.get(seen[0])
        if row is None:
            outcome.refused.append(Line(seen[0], _("There is no such proposal here.")))
        elif why := _moved(row, seen) or apart.get(row.pk, ""):
            outcome.changed.append(Line(row.pk, why))
        elif why := _forged(row, seen) or grouping.why_alone(member := read[row.pk]):
            outcome.refused.append(Line(row.pk, why))
        else:
            fit.append((seen, member, grouping.template_of(member, revisions[row.pk])))
    _refuse_whole(workspace, fit)
    return [seen for seen, *_rest in fit]


def _moved(row: Proposal, seen: Seen) -> str:
    if row.state != State.PENDING:
        return _("It is %(state)s now.") % {"state": say(row.state)}
    return _("It was edited meanwhile; look at the new version.") if row.revision > seen[1] else ""


def _forged(row: Proposal, seen: Seen) -> str:
    """A revision that is not there yet, or bytes that never were."""
    return "" if (row.revision, row.digest) == seen[1:] else _("This is not what stands there.")


def _refuse_whole(workspace: int, fit: Sequence[tuple[Seen, Member, Template]]) -> None:
    templates = {template for *_seen, template in fit}
    if len(templates) > 1:
        raise NotEquivalent(_("They are not all the same change under the same rules; decide them group by group."))
    for template, limit in grouping.limits(workspace, templates).items():
        together = grouping.total(member for _seen, member, _template in fit)
        if limit is not None and together > limit:
            sums = {
                "together": figure(money.shown(together, template.currency)),
                "most": figure(money.shown(limit, template.currency)),
            }
            raise OverLimit(
                _("Together they move %(together)s; at most %(most)s is decided at once. Take some out.") % sums
            )


def _approve(workspace: int, seen: Seen, person: int, outcome: _Outcome) -> None:
    pk, revision, digest = seen
    try:
        with inside.within(workspace, person) as now:
            row = decisions.approve(
                workspace=workspace, proposal=pk, seen=decisions.Seen(revision, digest), person=person, now=now,
                batch=outcome.batch,
            )  # fmt: skip
    except (decisions.Gone, proposals.Moved, state.IllegalMove) as gone:
        outcome.changed.append(Line(pk, fault(str(gone))))
    except (decisions.DecisionError, proposals.ProposalError, stepup.StepUpError) as error:
        outcome.refused.append(Line(pk, fault(str(error))))
    except DatabaseError:
        outcome.refused.append(Line(pk, _("The database refused it; look at it by itself.")))
    else:
        _tell(row, outcome)


def _tell(row: Proposal, outcome: _Outcome) -> None:
    match State(row.state):
        case State.APPROVED:
            outcome.approved.append(Line(row.pk, _("Approved.")))
        case State.PENDING:
            words = _("Your approval counts; it needs %(people)s people and waits.") % {"people": row.people}
            outcome.approved.append(Line(row.pk, words))
        case _:
            outcome.changed.append(Line(row.pk, _("The record moved since; it stands under Stale now.")))
