"""Applies what was approved, once; settles what ended.

Runs in the `apply` process. For our own books one transaction holds the lock, every guard again, the write, the
receipt, the state and the entries: it happens whole or not at all. An outside system is called between two.
"""

from datetime import datetime

from approvals import actions, caps, dependencies, guards, outbox, proposals, receipts, sealed, sending, votes
from approvals.models import Attempt, Proposal
from approvals.state import WITHOUT_EFFECT, State
from audit.events import Event
from portal import failpoints
from portal import workspace as inside
from portal.retold import kept
from portal.systems import connections

SYSTEM = receipts.SYSTEM
ENDED = kept("applying it ended its worker three times")


def apply(*, workspace: int, proposal: int) -> None:
    """Apply an approved proposal whose hold is over. A second message for it finds nothing to do."""
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        if row is None or row.state != State.APPROVED:
            outbox.done(workspace=workspace, task=proposals.APPLY, object_id=proposal)
            return
        if row.hold_until is not None and row.hold_until > now:
            outbox.later(workspace=workspace, task=proposals.APPLY, object_id=proposal, at=row.hold_until)
            return
        attempt = _dispatch(row, now=now)
        failpoints.hit("apply.before_commit", proposal)
    failpoints.hit("apply.after_commit", proposal)
    if attempt is not None:
        sending.call(attempt)


def _dispatch(row: Proposal, *, now: datetime) -> Attempt | None:
    revision = votes.current(row)
    if guards.why_wait(row):
        outbox.later(
            workspace=row.workspace_id, task=proposals.APPLY, object_id=row.pk, at=now + sending.LOOK_AGAIN
        )  # fmt: skip
        return None
    connection = connections.in_force(row.workspace_id, actions.named(row.action).part)
    outward = connection.system if connection is not None and connection.system != "books" else ""
    if outward and (entry := sealed.awaited(row)) is not None:
        outbox.later(workspace=row.workspace_id, task=proposals.APPLY, object_id=row.pk, at=now, awaits=entry)
        return None
    proposals.lock_target(row.workspace_id, row.target)
    if why := guards.why_stale(row, revision, now=now):
        proposals.transition(row, Event.PROPOSAL_STALE, actor=SYSTEM, now=now, body={"because": why})
        return None
    proposals.transition(row, Event.PROPOSAL_APPLYING, actor=SYSTEM, now=now)
    failpoints.hit("apply.before_write", row.pk)
    if outward:
        return sending.begin(row, revision, outward, now=now)
    receipts.write(row, revision, now=now)
    return None


def give_up(*, workspace: int, proposal: int) -> None:
    """What ended its worker again and again fails, before anything was written; a person may try it again."""
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        if row is None or row.state != State.APPROVED:
            return
        because = ENDED
        if guards.approval(row, votes.current(row), now=now):
            proposals.transition(row, Event.PROPOSAL_STALE, actor=SYSTEM, now=now, body={"because": because})
            return
        proposals.transition(row, Event.PROPOSAL_APPLYING, actor=SYSTEM, now=now)
        proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": because})


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
            because = dependencies.WAITS_FOR % {"proposal": row.pk, "state": row.state}
            proposals.transition(dependent, Event.PROPOSAL_STALE, actor=SYSTEM, now=now, body={"because": because})
