"""The end of an apply that went well: what is written to our own books, the receipt, the state, in one go."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from approvals import actions, diff, handoffs, outbox, proposals, staleness
from approvals.models import Proposal, Receipt, Revision
from audit import log
from audit.events import Event
from portal import failpoints
from portal.retold import kept
from portal.systems.base import BooksError

SYSTEM = "system:apply"
BEHIND = kept("%(what)s: done outside, but our own books could not follow: %(why)s")


def write(row: Proposal, revision: Revision, *, now: datetime) -> None:
    """Apply to our own books: the approved bytes or nothing.

    Where somebody did it meanwhile nothing is written, and nothing of this can be undone.
    """
    changes, _ = diff.read_content(revision.content)
    already = staleness.look(row, revision).already_so
    try:
        if not already:
            _book(row, revision)
    except BooksError as error:
        proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": str(error)})
        return
    failpoints.hit("apply.after_write", row.pk)
    _end(row, () if already else changes, now=now, body={"already_so": already})


def after_answer(row: Proposal, revision: Revision, *, now: datetime, answer: Mapping[str, Any]) -> None:
    """An outside system has done it: our books follow. Where they cannot, a person hears of it; it happened."""
    changes, _ = diff.read_content(revision.content)
    try:
        with transaction.atomic():
            _book(row, revision)
    except BooksError as error:
        changes = ()
        handoffs.open_for(
            row, reason="books_behind", now=now, found=dict(answer),
            summary=BEHIND % {"what": row.summary, "why": error},
        )  # fmt: skip
    _end(row, changes, now=now, body={"outside": dict(answer)})


def _book(row: Proposal, revision: Revision) -> None:
    reference = f"proposal:{row.pk}"
    changes, effects = diff.read_content(revision.content)
    changes = staleness.onto(row, changes)
    log.attribute(reference)
    actions.named(row.action).apply(row.target, changes, effects, actions.writer(row.workspace_id), reference)


def _end(row: Proposal, changes: tuple[diff.Change, ...], *, now: datetime, body: Mapping[str, Any]) -> None:
    Receipt.objects.create(
        workspace_id=row.workspace_id, proposal=row, revision=row.revision, digest=row.digest,
        changed=[change.as_json() for change in changes], applied_at=now,
    )  # fmt: skip
    proposals.transition(row, Event.PROPOSAL_APPLIED, actor=SYSTEM, now=now, body=body)
    for waiting in row.dependents.all():
        outbox.nudge(proposals.APPLY, "apply", row.workspace_id, waiting.proposal_id)
