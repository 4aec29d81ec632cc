"""One call to an outside system: the attempt is committed before it, its outcome after it by whoever holds the fence.

The key and the bytes of one effect are the same at every attempt. Refuses to begin while another is under way.
"""

import logging
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError

from approvals import abouts, actions, diff, outbox, proposals, receipts, recovery, staleness, votes
from approvals.models import Attempt, Proposal, Revision
from approvals.state import State
from audit import log
from audit.events import Event
from portal import failpoints
from portal import workspace as inside
from portal.retold import kept
from portal.systems import connections, outside

LEASE = timedelta(seconds=60)
LONGEST_CALL = timedelta(seconds=25)
RECONCILE = "approvals.tasks.reconcile"
LOOK_AGAIN = timedelta(seconds=2)
FOLLOW_FIRST = timedelta(minutes=1)
# Namespace of the idempotency keys (RFC 9562, version 5): proposal, revision and digest name one effect.
KEYS = uuid.UUID("5f0c2f0e-6f0e-5b52-9a37-0d9f4f5d3c11")
SYSTEM = "system:apply"
SERVES_NOT = kept("%(system)s does not serve %(part)s any more")
logger = logging.getLogger(__name__)


def begin(row: Proposal, revision: Revision, system: str, *, now: datetime) -> Attempt:
    """Write the attempt; the proposal is applying and locked. The reconciler is due when the lease is over."""
    earlier = list(Attempt.objects.filter(proposal=row, revision=row.revision).order_by("number"))
    action = actions.named(row.action)
    request = earlier[0].request if earlier else _request(row, revision)
    attempt = Attempt.objects.create(
        workspace_id=row.workspace_id, proposal=row, revision=row.revision, number=len(earlier) + 1,
        fence=(earlier[-1].fence if earlier else 0) + 1, key=key_of(row), part=action.part, system=system,
        request=request, sent_at=now, lease_until=now + LEASE,
    )  # fmt: skip
    log.record(
        workspace=row.workspace_id, subject=f"attempt:{attempt.pk}", version=1, event=Event.ATTEMPT_SENT,
        actor=SYSTEM, now=now, case=f"case:{row.case_id}", trace_id=row.submission.trace_id,
        body={
            "proposal": row.pk, "revision": row.revision, "digest": row.digest, "number": attempt.number,
            "fence": attempt.fence, "key": str(attempt.key), "system": system,
        },
    )  # fmt: skip
    due(row, at=attempt.lease_until, now=now)
    return attempt


def key_of(row: Proposal) -> uuid.UUID:
    """The idempotency key and client reference of the one effect of a revision."""
    return uuid.uuid5(KEYS, f"proposal:{row.pk}:{row.revision}:{row.digest}:0")


def due(row: Proposal, *, at: datetime, now: datetime) -> None:
    """Let the reconciler look at it at a time, if nobody has ended it by then."""
    outbox.put(
        workspace=row.workspace_id, task=RECONCILE, queue="apply", object_id=row.pk, not_before=at, now=now
    )  # fmt: skip


def call(attempt: Attempt) -> None:
    """Make the call, outside of any transaction, and write down how it ended.

    A worker that was frozen for too long does not call any more: the other side may know no keys.
    """
    failpoints.hit("apply.after_sent", attempt.proposal_id)
    if not _in_time(attempt):
        logger.warning("attempt %s came back after its time", attempt.pk)
        return
    try:
        system = connections.open_outside(attempt.workspace_id, attempt.part)
        if system is None or system.name != attempt.system:
            raise outside.Refused(SERVES_NOT % {"system": attempt.system, "part": attempt.part})
        answer = system.send(sending_of(attempt))
    except outside.OutsideError as error:
        end(attempt, error)
        return
    failpoints.hit("apply.after_call", attempt.proposal_id)
    end(attempt, answer)


def _in_time(attempt: Attempt) -> bool:
    """Whether all of a call still fits into the lease."""
    with inside.within(attempt.workspace_id) as now:
        mine = Attempt.objects.filter(pk=attempt.pk, state=Attempt.State.SENT, lease_until__gte=now + LONGEST_CALL)
        return mine.exists()


def sending_of(attempt: Attempt) -> outside.Sending:
    """The very same key and bytes as at the first attempt."""
    return outside.Sending(attempt.key, attempt.request["operation"], attempt.request["body"])


def end(attempt: Attempt, outcome: outside.Answer | outside.OutsideError) -> None:
    """Commit the outcome, if the fence is still ours; else the newer attempt tells, and this is dropped."""
    try:
        with inside.within(attempt.workspace_id) as now:
            row = Proposal.objects.select_for_update().get(workspace_id=attempt.workspace_id, pk=attempt.proposal_id)
            mine = Attempt.objects.select_for_update().get(pk=attempt.pk)
            if mine.state != Attempt.State.SENT or row.state != State.APPLYING:
                logger.warning("attempt %s came back after its time", attempt.pk)
                return
            _settle(row, mine, outcome, now=now)
            failpoints.hit("apply.before_outcome", attempt.proposal_id)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") != "CS012":
            raise
        logger.warning("attempt %s is fenced", attempt.pk)
    failpoints.hit("apply.after_outcome", attempt.proposal_id)


def _settle(row: Proposal, attempt: Attempt, outcome: outside.Answer | outside.OutsideError, *, now: datetime) -> None:
    match outcome:
        case outside.Answer():
            succeed(row, attempt, outcome, now=now)
        case outside.Refused():
            close(row, attempt, Attempt.State.REFUSED, str(outcome), now=now)
            if any(call.reached for call in calls_of(row)):  # an earlier call may have had its effect
                due(row, at=now + LOOK_AGAIN, now=now)
                return
            proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": str(outcome)})
        case outside.NotSent():
            close(row, attempt, Attempt.State.NOT_SENT, str(outcome), now=now)
            plan = recovery.after_not_sent(calls_of(row), outcome.retry_seconds, now)
            if plan.step is recovery.Step.FAIL:
                proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": plan.because})
            else:
                due(row, at=plan.at or now + LOOK_AGAIN, now=now)
        case _:
            stored = isinstance(outcome, outside.Lost) and outcome.stored
            close(row, attempt, Attempt.State.LOST, str(outcome), now=now, stored_failure=stored)
            due(row, at=now + LOOK_AGAIN, now=now)


def succeed(row: Proposal, attempt: Attempt, answer: outside.Answer, *, now: datetime) -> None:
    """The effect is there: attempt, books, receipt and state, and where its money stands from now on."""
    follow = answer.settled if answer.settled in ("pending", "settled", "bounced") else ""
    close(
        row, attempt, Attempt.State.DONE, "", now=now, outside_id=answer.outside_id[:120],
        answer=dict(answer.evidence), follow="pending" if follow == "bounced" else follow,
        look_at=now + FOLLOW_FIRST if follow in ("pending", "bounced") else None,
    )  # fmt: skip
    evidence = {"system": attempt.system, "id": answer.outside_id, "attempt": attempt.pk}
    receipts.after_answer(row, votes.current(row), now=now, answer=evidence)


def close(row: Proposal, attempt: Attempt, state: Attempt.State, because: str, *, now: datetime, **fields: Any) -> None:
    """How an attempt ended, once; the reconciler has nothing to wait for any more."""
    outbox.done(workspace=row.workspace_id, task=RECONCILE, object_id=row.pk)
    answer = {**fields.pop("answer", {}), **({"because": because} if because else {})}
    Attempt.objects.filter(pk=attempt.pk).update(state=state, ended_at=now, answer=answer, **fields)
    log.record(
        workspace=row.workspace_id, subject=f"attempt:{attempt.pk}", event=Event.ATTEMPT_ENDED, actor=SYSTEM,
        now=now, case=f"case:{row.case_id}", trace_id=row.submission.trace_id,
        body={
            "proposal": row.pk, "fence": attempt.fence, "outcome": str(state),
            "outside_id": fields.get("outside_id", ""),
        },
        personal={"because": because} if because else None, about=abouts.of(row),
    )  # fmt: skip


def calls_of(row: Proposal) -> list[recovery.Call]:
    """The attempts at the current revision, oldest first, as values for `recovery`."""
    attempts = Attempt.objects.filter(proposal=row, revision=row.revision).order_by("number")
    return [
        recovery.Call(a.sent_at, a.state not in (Attempt.State.NOT_SENT, Attempt.State.REFUSED), a.stored_failure)
        for a in attempts
    ]


def _request(row: Proposal, revision: Revision) -> dict[str, Any]:
    changes, effects = diff.read_content(revision.content)
    changes = staleness.onto(row, changes)
    operation, body = actions.named(row.action).outgoing(row.target, changes, effects, actions.reader(row.workspace_id))
    return {"operation": operation, "body": dict(body)}
