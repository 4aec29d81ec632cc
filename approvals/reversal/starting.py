"""Starts undos: hands compensating proposals in at the door, one or many, each for exactly what was on the screen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from approvals import actions, proposals
from approvals.models import Proposal, Submission
from approvals.reversal import previews
from approvals.reversal.previews import PARTIAL, NothingLeft, UndoError
from portal import roles
from portal.models import Role
from portal.retold import kept

AT_ONCE = 200
UNDO, UNDO_IN_PART = kept("Undo of proposal %(number)s"), kept("Undo of proposal %(number)s in part: %(left)s")
STAYS = kept("%(field)s stays as it is, %(because)s")
TOO_MANY = kept("%(count)s at once; at most %(most)s.")
WHO_UNDOES = kept("Only reviewers and managers undo.")
MOVED = kept("The record changed since you looked; look at the undo again.")
WHO_UNDOES_MANY = kept("Only managers undo many at once.")
NO_SUCH = kept("There is no such proposal that was carried out.")
ANOTHER = kept("It is another action on another record than what it undoes.")
MOVED_SINCE = kept("The record changed since it was started; look at the undo again.")


class NotAllowed(UndoError):
    """This person may not undo."""


class Moved(UndoError):
    """What the undo would write is not what was on the screen."""


@dataclass(frozen=True, slots=True)
class Line:
    """What came of one undo of many: `submission` where it was started, else why not."""

    proposal: int
    words: str
    submission: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of many: started, changed since they were looked at, refused; each newest first."""

    started: tuple[Line, ...]
    changed: tuple[Line, ...]
    refused: tuple[Line, ...]


def undo(*, proposal: Proposal, person: int, seen_content: str, key: str) -> Submission:
    """Hand in the compensating proposal for what is clean; the same `key` again is the same undo.

    Where nothing changed since, the tier is below high and one person is enough, the starter's approval counts for
    exactly what they saw.

    Raises:
        NotAllowed: no deciding role. Moved: the record changed since it was looked at.
        UndoError: as `undo_preview`, or nothing is left to take back.
    """
    if not roles.deciding(roles.of(person, proposal.workspace_id)):
        raise NotAllowed(WHO_UNDOES)
    row = proposals.locked(workspace=proposal.workspace_id, proposal=proposal.pk)
    if again := row.undo_submissions.filter(proposer=f"person:{person}", run="", key=key, kind="action").first():
        return again
    wanted = previews.undo_preview(proposal=row)
    if wanted.nothing:
        raise NothingLeft(wanted.nothing)
    if wanted.content != seen_content:
        raise Moved(MOVED)
    return proposals.submit(
        workspace=row.workspace_id, case=row.case_id, kind=Submission.Is.ACTION, proposer=f"person:{person}",
        key=key, undoes=row.pk, seen_content=wanted.content,
        payload={
            "action": row.action, "target": row.target, "args": dict(wanted.args), "confidence": 1,
            "justification": _why(wanted), "evidence": [], "flags": [PARTIAL] if wanted.partial else [],
        },
    )  # fmt: skip


def _why(wanted: previews.Undo) -> str:
    left = "; ".join(STAYS % {"field": part.change.field, "because": part.because} for part in wanted.conflicts)
    return (UNDO_IN_PART if left else UNDO) % {"number": wanted.proposal.pk, "left": left}


def undo_many(*, workspace: int, proposals: Sequence[tuple[int, str]], person: int, key: str) -> Answer:
    """Start the undo of each (id, content that was seen), newest first, each by itself: one that fails stops none.

    Raises:
        NotAllowed: not a manager. UndoError: more than `AT_ONCE`.
    """
    if Role.MANAGER not in roles.of(person, workspace):
        raise NotAllowed(WHO_UNDOES_MANY)
    if len(proposals) > AT_ONCE:
        raise UndoError(TOO_MANY % {"count": len(proposals), "most": AT_ONCE})
    seen = dict(proposals)
    rows = Proposal.objects.filter(workspace_id=workspace, pk__in=seen, receipt__isnull=False)
    started, changed, refused = [], [], []
    for row in rows.order_by("-receipt__pk"):
        try:
            with transaction.atomic():
                made = undo(proposal=row, person=person, seen_content=seen[row.pk], key=f"undo:{row.pk}:{key}")
            started.append(Line(row.pk, row.summary, made.pk))
        except Moved as moved:
            changed.append(Line(row.pk, str(moved)))
        except UndoError as error:
            refused.append(Line(row.pk, str(error)))
    there = {line.proposal for line in (*started, *changed, *refused)}
    refused += [Line(pk, NO_SUCH) for pk in sorted(set(seen) - there)]
    return Answer(tuple(started), tuple(changed), tuple(refused))


def no_undo(submission: Submission, *, action: str, target: str, args: Mapping[str, Any], flags: Sequence[str]) -> str:
    """Why what was handed in as an undo is none, or "": asked by the gate, which works it out again itself.

    Only what comes out of the receipt may stand under the name of an undo, whose starter may approve it.
    """
    undone = submission.undoes
    if undone is None:
        return ""
    try:
        previews.require_carried_out(undone)
        wanted = previews.worked_out(undone, actions.reader(undone.workspace_id), previews.writes_since(undone))
    except UndoError as error:
        return str(error)
    if (action, target) != (undone.action, undone.target):
        return ANOTHER
    if dict(args) != dict(wanted.args) or (PARTIAL in flags) != wanted.partial:
        return wanted.nothing or MOVED_SINCE
    return ""
