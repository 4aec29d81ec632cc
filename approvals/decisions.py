"""What a person decides on a proposal: approve, reject, send back, stop, reopen, withdraw. Edits are in `revising`.

Each locks the row, compares the posted revision and digest with the current ones, and asks who may. The checks,
the decision, the move and their entries share the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals import claims, deadlines, dependencies, instructions, presence, proposals, staleness, switches, votes
from approvals.blind import drawing
from approvals.models import Proposal, Revision
from approvals.state import Kind, State
from audit.events import Event
from portal import hours, retold, roles, stepup, viewing
from portal.retold import kept

# Kept, too, where an agent comes to what was rejected before.
REJECT_REASONS = {
    "wrong_record": kept("Wrong record"),
    "wrong_value": kept("Wrong value"),
    "against_policy": kept("Against policy"),
    "not_needed": kept("Not needed"),
    "ask_customer": kept("Ask the customer first"),
    "duplicate": kept("Duplicate"),
    "other": kept("Other"),
}
REOPEN_WITHIN = timedelta(seconds=60)
# Of each state, for whom it is too late: kept where an agent's answer was.
NOW = {
    State.PENDING: kept("It is pending now."), State.APPROVED: kept("It is approved now."),
    State.APPLYING: kept("It is applying now."), State.APPLIED: kept("It is applied now."),
    State.STALE: kept("It is stale now."), State.REJECTED: kept("It is rejected now."),
    State.FAILED: kept("It is failed now."), State.DENIED: kept("It is denied now."),
    State.EXPIRED: kept("It is expired now."), State.WITHDRAWN: kept("It is withdrawn now."),
    State.UNKNOWN: kept("It is unknown now."),
}  # fmt: skip
APPROVED_UNANSWERED = kept("No answer came in time; approved as it is.")
SENT_BACK_AGAIN = kept("No answer came in time; sent back again.")
REJECTED = kept("Rejected meanwhile.")
WITHDRAWN = kept("Withdrawn meanwhile.")
TOO_LONG = kept("it waited too long")
MOVED = kept("what it rests on moved: %(what)s")


class DecisionError(Exception):
    """Base of what a decision refuses; the message is for the person."""


def reject_reasons() -> dict[str, str]:
    """What a rejection may say, in the language in force, by name."""
    return {name: _(words) for name, words in REJECT_REASONS.items()}


class Gone(DecisionError):
    """Somebody or something was first: the proposal is not what was on the screen."""


class NotAllowed(DecisionError):
    """This person may not do this."""


class BadInput(DecisionError):
    """The posted form names a field that is off."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was on the screen: the revision and digest that the form posts back.

    If known also for how many seconds, and how many pieces of evidence were opened meanwhile.
    """

    revision: int
    digest: str
    seconds: int | None = None
    opened: int | None = None

    @property
    def told(self) -> dict[str, int]:
        """What of it goes on the log."""
        known = {"seconds": self.seconds, "opened": self.opened}
        return {name: value for name, value in known.items() if value is not None}


def approve(
    *, workspace: int, proposal: int, seen: Seen, person: int, now: datetime, step_up: stepup.Proof | None = None,
    batch: str = "",
) -> Proposal:  # fmt: skip
    """Count a vote; at quorum the hold begins. What moved meanwhile makes it stale instead. A `batch` is held longer.

    Raises:
        Gone, NotAllowed, stepup.StepUpError (high tier without a fresh proof of presence), Proposal.DoesNotExist.
    """
    row, held = opened(workspace, proposal, person, seen, (State.PENDING,), now=now)
    revision = votes.current(row)
    if reason := votes.why_not(row, person, held, revision):
        raise NotAllowed(reason)
    if reason := switches.why_not_now(workspace=workspace, action=row.action, proposer=row.proposer):
        raise NotAllowed(retold.say(reason))
    asked = instructions.open_on(row)
    if reason := instructions.why_wait(asked, now=now):
        raise NotAllowed(reason)
    role = roles.deciding(held)
    if why := _stale(row, revision, now=now):
        votes.cast(row, person=person, role=role, kind=Kind.FOUND_STALE, now=now, told=seen.told)
        return proposals.transition(row, Event.PROPOSAL_STALE, actor=f"person:{person}", now=now, body={"because": why})
    present = presence.for_approval(row, revision, person=person, step_up=step_up, now=now)
    if asked:
        instructions.answer(asked, APPROVED_UNANSWERED, actor=f"person:{person}", now=now)
    votes.cast(
        row, person=person, role=role, kind=Kind.APPROVE, now=now, step_up=present, batch=batch, told=seen.told
    )  # fmt: skip
    _rebase(row, revision, actor=f"person:{person}", now=now)
    votes.approve_if_quorum(row, revision, actor=f"person:{person}", now=now)
    return row


def reject(
    *, workspace: int, proposal: int, seen: Seen, person: int, reason: str, note: str, now: datetime
) -> Proposal:
    """One person's no is enough; a reason from `REJECT_REASONS` is.

    Raises:
        Gone, NotAllowed, BadInput, Proposal.DoesNotExist.
    """
    if reason not in REJECT_REASONS:
        raise BadInput(f"reason: {_('choose why it is rejected')}")
    row, held = opened(workspace, proposal, person, seen, (State.PENDING, State.STALE), now=now)
    votes.cast(
        row,
        person=person,
        role=roles.deciding(held),
        kind=Kind.REJECT,
        now=now,
        reason=reason,
        note=note[:1000],
        told=seen.told,
    )
    drawing.draw(row, Kind.REJECT, now=now)
    instructions.close(row, REJECTED, actor=f"person:{person}", now=now)
    return proposals.transition(
        row,
        Event.PROPOSAL_REJECTED,
        actor=f"person:{person}",
        now=now,
        decided_at=now,
        body={"reason": reason},
    )


def send_back(*, workspace: int, proposal: int, seen: Seen, person: int, text: str, now: datetime) -> Proposal:
    """Ask the agent again, with an instruction (1 to 2,000 characters). The proposal stays until it answers.

    Raises:
        Gone, NotAllowed, BadInput, Proposal.DoesNotExist.
    """
    row, held = opened(workspace, proposal, person, seen, (State.PENDING, State.STALE), now=now)
    if not row.proposer.startswith("agent:"):
        raise NotAllowed(_("Only what an agent proposed can be sent back; a person's own proposal is edited."))
    if reason := switches.why_not_now(workspace=workspace, action=row.action, proposer=row.proposer):
        raise NotAllowed(retold.say(reason))
    if reason := instructions.why_wait(instructions.open_on(row), now=now):
        raise Gone(reason)
    try:
        text = instructions.checked(text)
    except instructions.InstructionError as error:
        raise BadInput(str(error)) from error
    instructions.close(row, SENT_BACK_AGAIN, actor=f"person:{person}", now=now)
    votes.cast(
        row, person=person, role=roles.deciding(held), kind=Kind.SEND_BACK, now=now, note=text, told=seen.told
    )  # fmt: skip
    instructions.give(row, text=text, person=person, now=now)
    return row


def stop(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Take an approval back during its hold: pending again, the votes gone. One's own too while it waits for a second.

    Raises:
        Gone: nothing of theirs waits, or it is being applied. NotAllowed: neither an approver of it nor a manager.
    """
    row, held = opened(workspace, proposal, person, seen, (State.PENDING, State.APPROVED), now=now, anyones=True)
    mine, waits = votes.gave(row, person), row.state == State.PENDING
    if waits and not mine:
        raise Gone(retold.say(NOW[State.PENDING]))
    if "manager" not in held and not mine:
        raise NotAllowed(_("Only who approved it, or a manager, stops it."))
    kind, event = (Kind.UNVOTE, Event.PROPOSAL_UNVOTED) if waits else (Kind.STOP, Event.PROPOSAL_STOPPED)
    votes.cast(row, person=person, role=roles.deciding(held), kind=kind, now=now, told=seen.told)
    return proposals.transition(
        row, event, actor=f"person:{person}", now=now, hold_until=None, decided_at=None,
        urgency=row.urgency if waits else _due_again(row, now=now), body={"dismissed": votes.givers(row)},
    )  # fmt: skip


def reopen(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Take a rejection back: who rejected within a minute, a manager at any time.

    Raises:
        Gone, NotAllowed; an equal proposal may be open meanwhile (Gone).
    """
    row, held = opened(workspace, proposal, person, seen, (State.REJECTED,), now=now)
    until = reopens_until(row, person)
    if "manager" not in held and (until is None or until < now):
        raise NotAllowed(_("Only a manager reopens it now."))
    refuse_twin(row, row.content_key)
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.REOPEN, now=now, told=seen.told)
    return proposals.transition(
        row, Event.PROPOSAL_REOPENED, actor=f"person:{person}", now=now, decided_at=None,
        urgency=_due_again(row, now=now),
    )  # fmt: skip


def reopens_until(row: Proposal, person: int) -> datetime | None:
    """Until when this person takes their own rejection back without being a manager; None where it is not theirs."""
    mine = row.decisions.filter(kind=Kind.REJECT, person_id=person, round=row.round).order_by("pk").last()
    return mine.created_at + REOPEN_WITHIN if mine else None


def _due_again(row: Proposal, *, now: datetime) -> int:
    """What was decided and is not any more has its whole time again: it must not expire for having been decided."""
    waits = row.case.waiting_since
    return deadlines.again(hours.of(row.workspace_id), now, deadlines.DUE[row.tier], row.created_at, waits)


def withdraw(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """The proposer or a manager takes it off the table, while it is not applying."""
    row, held = opened(workspace, proposal, person, seen, (State.PENDING, State.STALE, State.APPROVED), now=now)
    if "manager" not in held and row.proposer != f"person:{person}":
        raise NotAllowed(_("Only who proposed it, or a manager, withdraws it."))
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.WITHDRAW, now=now, told=seen.told)
    instructions.close(row, WITHDRAWN, actor=f"person:{person}", now=now)
    return proposals.transition(row, Event.PROPOSAL_WITHDRAWN, actor=f"person:{person}", now=now)


def opened(
    workspace: int, proposal: int, person: int, seen: Seen, states: tuple[State, ...], *, now: datetime,
    anyones: bool = False,
) -> tuple[Proposal, frozenset[str]]:  # fmt: skip
    """The row, locked and as it was seen, with the roles of who decides; `anyones` whoever has it in hand.

    Raises:
        Gone, NotAllowed, Proposal.DoesNotExist.
    """
    row = proposals.locked(workspace=workspace, proposal=proposal)
    held = roles.of(person, workspace)
    if not roles.deciding(held):
        raise NotAllowed(_("Only reviewers and managers decide."))
    if viewing.impersonated():
        raise NotAllowed(_("You look as somebody else; nothing can be decided."))
    if row.state not in states:
        raise Gone(retold.say(NOW[State(row.state)]))
    if (row.revision, row.digest) != (seen.revision, seen.digest):
        raise Gone(_("It was edited meanwhile; look at the new version."))
    if not anyones and row.state in (State.PENDING, State.STALE):
        _respect_claim(row, person, now=now)
    return row, held


def _respect_claim(row: Proposal, person: int, *, now: datetime) -> None:
    """What somebody has in hand is theirs to decide, from whatever page or program."""
    try:
        claims.check(workspace=row.workspace_id, item=f"proposal:{row.pk}", person=person, now=now)
    except claims.Held as held:
        raise Gone(str(held)) from held


def refuse_twin(row: Proposal, key: str) -> None:
    """What comes back or changes must not stand beside the same, proposed again meanwhile."""
    try:
        proposals.refuse_twin(row.workspace_id, row.target, key, but=row.pk)
    except proposals.Twin as twin:
        raise Gone(retold.say(str(twin))) from twin


def _stale(row: Proposal, revision: Revision, *, now: datetime) -> str:
    """Why what was seen no longer holds, or ""."""
    seen = staleness.look(row, revision)
    if seen.because:
        return seen.because
    if row.fresh_until < now:
        return TOO_LONG
    if why := dependencies.broken(row):
        return why
    if seen.unsettled(row.tier):
        return MOVED % {"what": seen.drift}
    return staleness.CHANGED if row.tier == "high" and seen.moved(row.basis) else ""


def _rebase(row: Proposal, revision: Revision, *, actor: str, now: datetime) -> None:
    """An unrelated field moved: same bytes, same votes, the new basis is noted."""
    seen = staleness.look(row, revision)
    if seen.moved(row.basis):
        proposals.transition(
            row, Event.PROPOSAL_REBASED, actor=actor, now=now, basis=seen.basis,
            basis_version=row.basis_version + 1, body={"drifted": list(seen.drifted)},
        )  # fmt: skip
