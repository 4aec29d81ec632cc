"""Applies what was approved, once; undoes it by a compensating proposal; settles what ended.

Runs in the `apply` process. For our own books one transaction holds the lock, every guard again, the write, the
receipt, the state and the entries: it happens whole or not at all.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from approvals import actions, caps, dependencies, diff, outbox, proposals, staleness, votes
from approvals import verdicts as verdict_of
from approvals.models import Proposal, Receipt, Revision, Submission
from approvals.state import WITHOUT_EFFECT, State
from audit import log
from audit.events import Event
from portal import failpoints, roles
from portal import workspace as inside
from portal.systems.base import BooksError
from portal.systems.books import BooksReader

SYSTEM = "system:apply"


class UndoError(Exception):
    """Base of why something cannot be taken back; the message is for the person."""


def apply(*, workspace: int, proposal: int) -> None:
    """Apply an approved proposal whose hold is over. A second message for it finds nothing to do."""
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        if row is None or row.state != State.APPROVED:
            outbox.done(workspace=workspace, task=proposals.APPLY, object_id=proposal)
            return
        if row.hold_until is not None and row.hold_until > now:
            return
        _dispatch(row, now=now)
        failpoints.hit("apply.before_commit")
    failpoints.hit("apply.after_commit")


def _dispatch(row: Proposal, *, now: datetime) -> None:
    revision = votes.current(row)
    why = dependencies.broken(row)
    if not why and dependencies.pending(row):
        return
    proposals.lock_target(row.workspace_id, row.target)
    if why := why or _no_longer(row, revision) or caps.confirm(row, now=now):
        proposals.transition(row, Event.PROPOSAL_STALE, actor=SYSTEM, now=now, body={"because": why})
        return
    proposals.transition(row, Event.PROPOSAL_APPLYING, actor=SYSTEM, now=now)
    failpoints.hit("apply.before_write")
    _write(row, revision, now=now)


def _no_longer(row: Proposal, revision: Revision) -> str:
    """Why what was approved must not happen now, or "". Everything is asked again."""
    if revision.people and not votes.quorum(row, revision):
        return "its approvals no longer make a quorum"
    if diff.digest(revision.content.encode(), bytes(revision.nonce)) != row.digest:
        return "its bytes are not those that were approved"
    look = staleness.look(row, revision)
    if look.conflict:
        return "the record changed since"
    if any(source.startswith("messages:") for source in look.drifted) and _customer_wrote(row):
        return "the customer wrote since"
    return "" if look.already_so else _stricter(row, revision)


def _customer_wrote(row: Proposal) -> bool:
    """Whether the newest message is the customer's, not one of our own replies."""
    for source in row.basis["reads"]:
        kind, _, key = source.partition(":")
        if kind == "messages":
            ticket = BooksReader(row.workspace_id).ticket(key)
            return ticket is None or ticket.messages[-1].sender == "customer"
    return False


def _stricter(row: Proposal, revision: Revision) -> str:
    """Policy and thresholds once more: tightened since, it goes back to people."""
    action = actions.named(row.action)
    try:
        preview = action.preview(
            row.target, action.parse(revision.args), row.case.customer, BooksReader(row.workspace_id)
        )
    except actions.ActionError as error:
        return str(error)
    verdict = verdict_of.judge(
        workspace=row.workspace_id, action=action, preview=preview, proposer=row.proposer,
        confidence_pct=row.confidence_pct, flags=tuple(row.flags),
    )  # fmt: skip
    asks_more = verdict.people > revision.people or verdict.second_role not in ("", revision.second_role)
    if not verdict.allowed or asks_more:
        return "policy is stricter now: " + " ".join(verdict.reasons)
    return ""


def _write(row: Proposal, revision: Revision, *, now: datetime) -> None:
    """The approved bytes, the receipt, the state."""
    changes, effects = diff.read_content(revision.content)
    reference = f"proposal:{row.pk}"
    if already := staleness.look(row, revision).already_so:
        changes = ()  # somebody did it meanwhile: nothing is written, and nothing of this can be undone
    log.attribute(reference)
    try:
        if not already:
            actions.named(row.action).apply(row.target, changes, effects, actions.writer(row.workspace_id), reference)
    except BooksError as error:
        proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": str(error)})
        return
    failpoints.hit("apply.after_write")
    Receipt.objects.create(
        workspace_id=row.workspace_id, proposal=row, revision=row.revision, digest=row.digest,
        changed=[change.as_json() for change in changes], applied_at=now,
    )  # fmt: skip
    proposals.transition(
        row, Event.PROPOSAL_APPLIED, actor=SYSTEM, now=now, body={"effects": len(effects), "already_so": already}
    )
    for waiting in row.dependents.all():
        outbox.nudge(proposals.APPLY, "apply", row.workspace_id, waiting.proposal_id)


def settle(*, workspace: int, proposal: int) -> None:
    """Give back the caps of what ended without effect, and let what waited for it go stale."""
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        outbox.done(workspace=workspace, task=proposals.SETTLE, object_id=proposal)
        if row is None or row.state not in WITHOUT_EFFECT:
            return
        caps.release(row)
        waiting = Proposal.objects.select_for_update(of=("self",)).filter(
            workspace_id=workspace, dependencies__on=row, state__in=(State.PENDING, State.APPROVED)
        )
        for dependent in waiting.order_by("pk"):
            because = f"it waits for proposal {row.pk}, which is {row.state}"
            proposals.transition(dependent, Event.PROPOSAL_STALE, actor=SYSTEM, now=now, body={"because": because})


def undo_preview(*, proposal: Proposal) -> tuple[Mapping[str, Any], list[dict[str, Any]], str]:
    """Arguments of the undo, the changes it would make now, and their content hash.

    Raises:
        UndoError: nothing can be taken back, or all of it was changed since.
    """
    action = actions.named(proposal.action)
    if proposal.state != State.APPLIED or action.reversibility != "reversible":
        raise UndoError("This cannot be undone.")
    reader = BooksReader(proposal.workspace_id)
    changed = [diff.Change.of_json(change) for change in proposal.receipt.changed]
    now = action.now(proposal.target, changed, reader)
    clean = [c for c in changed if diff.fit(_reverse(c), now.get(c.field, diff.ABSENT)) is diff.Fit.CLEAN]
    args = action.undo_args(clean, now) if clean else None
    if not args:
        raise UndoError("Every field was changed again since; there is nothing of this left to undo.")
    try:
        preview = action.preview(proposal.target, action.parse(args), proposal.case.customer, reader)
    except actions.ActionError as error:
        raise UndoError(str(error)) from error
    content = preview.diff.content()
    return args, [c.as_json() for c in preview.diff.changes], diff.content_hash(content)


def _reverse(change: diff.Change) -> diff.Change:
    return diff.Change(change.field, change.op, change.after, change.before)


def undo(*, proposal: Proposal, person: int, seen_content: str, key: str) -> Submission:
    """Hand in the compensating proposal; its starter's approval counts for exactly what they saw.

    Raises:
        UndoError: as `undo_preview`, no deciding role, or an undo is under way.
    """
    if not roles.deciding(roles.of(person, proposal.workspace_id)):
        raise UndoError("Only reviewers and managers undo.")
    args, _, content = undo_preview(proposal=proposal)
    if content != seen_content:
        raise UndoError("The record changed since you looked; look at the undo again.")
    if Proposal.objects.filter(undoes=proposal, state__in=(State.PENDING, State.APPROVED, State.APPLYING)).exists():
        raise UndoError("An undo of this is already under way.")
    return proposals.submit(
        workspace=proposal.workspace_id, case=proposal.case_id, kind=Submission.Is.ACTION,
        proposer=f"person:{person}", key=key, undoes=proposal.pk, seen_content=content,
        payload={
            "action": proposal.action, "target": proposal.target, "args": dict(args), "confidence": 1,
            "justification": f"Undo of proposal {proposal.pk}", "evidence": [], "flags": [],
        },
    )  # fmt: skip
