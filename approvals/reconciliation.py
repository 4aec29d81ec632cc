"""What became of a call whose outcome was lost: sent again where that is safe, looked up, or left to a manager.

Runs when an attempt's lease is over or its outcome was lost. Every step is decided under the proposal's lock and
looked at again after a call: nothing is sent twice without a promise of the other side.
"""

from datetime import datetime, timedelta

from approvals import actions, outbox, proposals, recovery, sealed, sending, switches, votes
from approvals.models import Attempt, Decision, Proposal
from approvals.recovery import Plan, Step
from approvals.state import Kind, State
from audit.events import Event
from portal import failpoints
from portal import workspace as inside
from portal.retold import kept
from portal.systems import connections, outside

# While nobody can say, it is asked again this often; after a minute it says unknown.
ASK_AGAIN = timedelta(seconds=15)
ASK_UNKNOWN_AGAIN = timedelta(seconds=60)
UNKNOWN_AFTER = timedelta(seconds=60)
SYSTEM = sending.SYSTEM
ENDED = kept("finding out ended its worker three times")
LOST = kept("its worker was lost")
THREE = kept("three attempts were made")
NOT_SERVED = kept("it is not served any more")
NOBODY_KNOWS = kept("nobody can say: %(why)s")
NEVER = kept("%(who)s found that it never happened")


def reconcile(*, workspace: int, proposal: int) -> None:
    """Find out, or do the next safe thing. Safe to run twice and in parallel."""
    again = look_up = None
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        last = None if row is None else _last(row)
        if row is None or last is None or row.state not in (State.APPLYING, State.UNKNOWN):
            outbox.done(workspace=workspace, task=sending.RECONCILE, object_id=proposal)
        elif (told := _told(row, last)) is not None:
            _as_told(row, last, told, now=now)
        elif last.state == Attempt.State.SENT and last.lease_until > now:
            outbox.later(workspace=workspace, task=sending.RECONCILE, object_id=proposal, at=last.lease_until)
        else:
            plan = _plan(row, last, now=now)
            look_up = _lost(row) if plan.step is Step.LOOK_UP else None
            again = _act(row, plan, now=now)
    failpoints.hit("reconcile.after_plan")
    if again is not None:
        sending.call(again)
    elif look_up is not None:
        _look_up(look_up)


def give_up(*, workspace: int, proposal: int) -> None:
    """Finding out ended its worker again and again: a manager does it."""
    with inside.within(workspace) as now:
        row = Proposal.objects.select_for_update().filter(workspace_id=workspace, pk=proposal).first()
        last = None if row is None else _last(row)
        if row is None or last is None:
            return
        if last.state == Attempt.State.SENT:
            sending.close(row, last, Attempt.State.LOST, ENDED, now=now)
        _unknown(row, ENDED, now=now)


def _last(row: Proposal) -> Attempt | None:
    return Attempt.objects.filter(proposal=row, revision=row.revision).order_by("-number").first()


def _lost(row: Proposal) -> Attempt | None:
    """The newest attempt that left the house and whose outcome is not known."""
    lost = Attempt.objects.filter(proposal=row, revision=row.revision, state=Attempt.State.LOST)
    return lost.order_by("-number").first()


def _plan(row: Proposal, last: Attempt, *, now: datetime) -> Plan:
    if last.state == Attempt.State.SENT:
        sending.close(row, last, Attempt.State.LOST, LOST, now=now)
    calls = sending.calls_of(row)
    reached = [call for call in calls if call.reached]
    if not reached and len(calls) < recovery.ATTEMPTS:
        return Plan(Step.SEND_AGAIN, recovery.NOTHING_SENT)
    if not reached:
        return recovery.after_not_sent(calls, 0, now)
    try:
        promise = _promise(last)
    except outside.OutsideError as error:
        return Plan(Step.LOOK_UP, str(error))  # nobody can ask now; the look-up waits, and says unknown in time
    if promise is None:
        return Plan(Step.UNKNOWN, sending.SERVES_NOT % {"system": last.system, "part": last.part})
    plan = recovery.after_loss(promise, reached, now)
    if plan.step is Step.SEND_AGAIN and len(calls) >= recovery.ATTEMPTS:
        return Plan(Step.LOOK_UP if promise.look_up else Step.UNKNOWN, THREE)
    return plan


def _promise(attempt: Attempt) -> outside.Capabilities | None:
    """What the system promises about this operation, while it still serves."""
    system = connections.open_outside(attempt.workspace_id, attempt.part)
    if system is None or system.name != attempt.system:
        return None
    return system.capabilities.get(attempt.request["operation"])


def _act(row: Proposal, plan: Plan, *, now: datetime) -> Attempt | None:
    """Do what the plan says; the new attempt where one has to be called."""
    match plan.step:
        case Step.SEND_AGAIN:
            return _again(row, plan, now=now)
        case Step.WAIT:
            sending.due(row, at=plan.at or now + ASK_AGAIN, now=now)
        case Step.LOOK_UP:
            sending.due(row, at=now + ASK_AGAIN, now=now)
        case Step.FAIL:
            proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": plan.because})
            outbox.done(workspace=row.workspace_id, task=sending.RECONCILE, object_id=row.pk)
        case Step.UNKNOWN:
            _unknown(row, plan.because, now=now)
            outbox.done(workspace=row.workspace_id, task=sending.RECONCILE, object_id=row.pk)
    return None


def _again(row: Proposal, plan: Plan, *, now: datetime) -> Attempt | None:
    if row.state == State.UNKNOWN:
        outbox.done(workspace=row.workspace_id, task=sending.RECONCILE, object_id=row.pk)
        proposals.transition(row, Event.PROPOSAL_CLEARED, actor=SYSTEM, now=now, body={"because": plan.because})
        return None
    connection = connections.in_force(row.workspace_id, actions.named(row.action).part)
    off = switches.why_not_now(workspace=row.workspace_id, action=row.action, proposer=row.proposer)
    if connection is None or off or sealed.awaited(row) is not None:
        sending.due(row, at=now + ASK_AGAIN, now=now)
        return None
    return sending.begin(row, votes.current(row), connection.system, now=now)


def _unknown(row: Proposal, because: str, *, now: datetime) -> None:
    if row.state == State.APPLYING:
        proposals.transition(row, Event.PROPOSAL_UNKNOWN, actor=SYSTEM, now=now, body={"because": because})


def _look_up(attempt: Attempt) -> None:
    """Ask the system, outside of any transaction; then look again whether anything moved meanwhile."""
    found: outside.Answer | outside.OutsideError | None
    try:
        system = connections.open_outside(attempt.workspace_id, attempt.part)
        found = outside.NotSent(NOT_SERVED) if system is None else system.find(
            sending.sending_of(attempt)
        )  # fmt: skip
    except outside.OutsideError as error:
        found = error
    again = None
    with inside.within(attempt.workspace_id) as now:
        row = proposals.locked(workspace=attempt.workspace_id, proposal=attempt.proposal_id)
        lost = _lost(row)
        if row.state in (State.APPLYING, State.UNKNOWN) and lost is not None and lost.pk == attempt.pk:
            again = _after_look(row, lost, found, now=now)
    if again is not None:
        sending.call(again)


def _after_look(
    row: Proposal, lost: Attempt, found: outside.Answer | outside.OutsideError | None, *, now: datetime
) -> Attempt | None:
    if isinstance(found, outside.Answer):
        sending.succeed(row, lost, found, now=now)
        return None
    promise = _promise(lost) if found is None else None
    if promise is not None:
        reached = [call for call in sending.calls_of(row) if call.reached]
        return _act(row, recovery.after_absence(promise, reached, now), now=now)
    if (lost.ended_at or now) + UNKNOWN_AFTER <= now:
        _unknown(row, NOBODY_KNOWS % {"why": found}, now=now)
    sending.due(row, at=now + (ASK_AGAIN if row.state == State.APPLYING else ASK_UNKNOWN_AGAIN), now=now)
    return None


def _told(row: Proposal, last: Attempt) -> Decision | None:
    """What a manager found out, since the last attempt."""
    if row.state != State.UNKNOWN:
        return None
    return votes.found(row, since=last.ended_at or last.sent_at)


def _as_told(row: Proposal, last: Attempt, told: Decision, *, now: datetime) -> None:
    lost = _lost(row) or last
    if told.kind == Kind.FOUND:
        evidence = {"told_by": f"person:{told.person_id}", "decision": told.pk}
        sending.succeed(row, lost, outside.Answer(told.note[:120], evidence=evidence), now=now)
        return
    outbox.done(workspace=row.workspace_id, task=sending.RECONCILE, object_id=row.pk)
    because = NEVER % {"who": f"person:{told.person_id}"}
    proposals.transition(row, Event.PROPOSAL_FAILED, actor=SYSTEM, now=now, body={"because": because})
