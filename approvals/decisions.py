"""What a person decides on a proposal: approve, reject, stop, reopen, edit, redo, withdraw.

Each locks the row, compares the posted revision and digest with the current ones, and asks who may. The checks,
the decision, the move and their entries share the caller's transaction.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from approvals import claims, dependencies, diff, proposals, staleness, votes
from approvals import verdicts as verdict_of
from approvals.actions import ActionError, named
from approvals.models import Proposal, Revision
from approvals.state import Kind, State
from audit.events import Event
from portal import roles
from portal.systems.books import BooksReader

REJECT_REASONS = {
    "wrong_record": "Wrong record",
    "wrong_value": "Wrong value",
    "against_policy": "Against policy",
    "not_needed": "Not needed",
    "ask_customer": "Ask the customer first",
    "duplicate": "Duplicate",
    "other": "Other",
}
TIERS = ("low", "medium", "high")
REOPEN_WITHIN = timedelta(seconds=60)


class DecisionError(Exception):
    """Base of what a decision refuses; the message is for the person."""


class Gone(DecisionError):
    """Somebody or something was first: the proposal is not what was on the screen."""


class NotAllowed(DecisionError):
    """This person may not do this."""


class BadInput(DecisionError):
    """The posted form names a field that is off."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was on the screen: the revision and digest that the form posts back."""

    revision: int
    digest: str


def approve(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Count a vote; at quorum the hold begins. What moved meanwhile makes it stale instead.

    Raises:
        Gone, NotAllowed, Proposal.DoesNotExist.
    """
    row, held = _open(workspace, proposal, person, seen, (State.PENDING,), now=now)
    revision = votes.current(row)
    if reason := votes.why_not(row, person, held, revision):
        raise NotAllowed(reason)
    role = roles.deciding(held)
    if why := _stale(row, revision, now=now):
        votes.cast(row, person=person, role=role, kind=Kind.FOUND_STALE, now=now)
        return proposals.transition(row, Event.PROPOSAL_STALE, actor=f"person:{person}", now=now, body={"because": why})
    votes.cast(row, person=person, role=role, kind=Kind.APPROVE, now=now)
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
        raise BadInput("reason: choose why it is rejected")
    row, held = _open(workspace, proposal, person, seen, (State.PENDING, State.STALE), now=now)
    votes.cast(
        row,
        person=person,
        role=roles.deciding(held),
        kind=Kind.REJECT,
        now=now,
        reason=reason,
        note=note[:1000],
    )
    return proposals.transition(
        row,
        Event.PROPOSAL_REJECTED,
        actor=f"person:{person}",
        now=now,
        decided_at=now,
        body={"reason": reason},
    )


def stop(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Take an approval back during its hold: pending again, the votes gone.

    Raises:
        Gone: it is being applied or already was. NotAllowed: neither an approver of it nor a manager.
    """
    row, held = _open(workspace, proposal, person, seen, (State.APPROVED,), now=now)
    if "manager" not in held and not any(v.person_id == person for v in votes.approvals_of(row)):
        raise NotAllowed("Only who approved it, or a manager, stops it.")
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.STOP, now=now)
    return proposals.transition(
        row, Event.PROPOSAL_STOPPED, actor=f"person:{person}", now=now, hold_until=None, decided_at=None
    )


def reopen(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Take a rejection back: who rejected within a minute, a manager at any time.

    Raises:
        Gone, NotAllowed; an equal proposal may be open meanwhile (Gone).
    """
    row, held = _open(workspace, proposal, person, seen, (State.REJECTED,), now=now)
    mine = row.decisions.filter(
        kind=Kind.REJECT, person_id=person, round=row.round, created_at__gte=now - REOPEN_WITHIN
    ).exists()  # fmt: skip
    if "manager" not in held and not mine:
        raise NotAllowed("Only a manager reopens it now.")
    _refuse_twin(row, row.content_key)
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.REOPEN, now=now)
    return proposals.transition(row, Event.PROPOSAL_REOPENED, actor=f"person:{person}", now=now, decided_at=None)


def withdraw(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """The proposer or a manager takes it off the table, while it is not applying."""
    row, held = _open(workspace, proposal, person, seen, (State.PENDING, State.STALE, State.APPROVED), now=now)
    if "manager" not in held and row.proposer != f"person:{person}":
        raise NotAllowed("Only who proposed it, or a manager, withdraws it.")
    votes.cast(row, person=person, role=roles.deciding(held), kind=Kind.WITHDRAW, now=now)
    return proposals.transition(row, Event.PROPOSAL_WITHDRAWN, actor=f"person:{person}", now=now)


def edit(*, workspace: int, proposal: int, seen: Seen, person: int, args: Mapping[str, Any], now: datetime) -> Proposal:
    """New arguments are a new revision: schema, policy and tier run again, all votes are gone.

    Raises:
        Gone, NotAllowed, BadInput (naming the field), Proposal.DoesNotExist.
    """
    row, held = _open(workspace, proposal, person, seen, (State.PENDING,), now=now)
    return _revise(row, person, held, Kind.EDIT, Event.PROPOSAL_EDITED, args, now=now)


def redo(*, workspace: int, proposal: int, seen: Seen, person: int, now: datetime) -> Proposal:
    """Look again at what is stale or failed: the same arguments against the books as they are now."""
    row, held = _open(workspace, proposal, person, seen, (State.STALE, State.FAILED), now=now)
    args = votes.current(row).args
    return _revise(row, person, held, Kind.REDO, Event.PROPOSAL_REDONE, args, now=now)


def _open(
    workspace: int, proposal: int, person: int, seen: Seen, states: tuple[State, ...], *, now: datetime
) -> tuple[Proposal, frozenset[str]]:
    row = proposals.locked(workspace=workspace, proposal=proposal)
    held = roles.of(person, workspace)
    if not roles.deciding(held):
        raise NotAllowed("Only reviewers and managers decide.")
    if row.state not in states:
        raise Gone(f"It is {row.state} now.")
    if (row.revision, row.digest) != (seen.revision, seen.digest):
        raise Gone("It was edited meanwhile; look at the new version.")
    if row.state in (State.PENDING, State.STALE):
        _respect_claim(row, person, now=now)
    return row, held


def _respect_claim(row: Proposal, person: int, *, now: datetime) -> None:
    """What somebody has in hand is theirs to decide, from whatever page or program."""
    try:
        claims.check(workspace=row.workspace_id, item=f"proposal:{row.pk}", person=person, now=now)
    except claims.Held as held:
        raise Gone(str(held)) from held


def _refuse_twin(row: Proposal, key: str) -> None:
    """What comes back or changes must not stand beside the same, proposed again meanwhile."""
    try:
        proposals.refuse_twin(row.workspace_id, row.target, key, but=row.pk)
    except proposals.Twin as twin:
        raise Gone(str(twin)) from twin


def _stale(row: Proposal, revision: Revision, *, now: datetime) -> str:
    """Why what was seen no longer holds, or ""."""
    seen = staleness.look(row, revision)
    if seen.conflict:
        return "the record changed since"
    if row.fresh_until < now:
        return "it waited too long"
    if why := dependencies.broken(row):
        return why
    if (seen.drifted and row.tier == "high") or any(s.startswith("messages:") for s in seen.drifted):
        return f"what it rests on moved: {', '.join(seen.drifted)}"
    return "the record changed since" if row.tier == "high" and seen.moved(row.basis) else ""


def _rebase(row: Proposal, revision: Revision, *, actor: str, now: datetime) -> None:
    """An unrelated field moved: same bytes, same votes, the new basis is noted."""
    seen = staleness.look(row, revision)
    if seen.moved(row.basis):
        proposals.transition(
            row, Event.PROPOSAL_REBASED, actor=actor, now=now, basis=seen.basis,
            basis_version=row.basis_version + 1, body={"drifted": list(seen.drifted)},
        )  # fmt: skip


def _revise(
    row: Proposal,
    person: int,
    held: frozenset[str],
    kind: Kind,
    event: Event,
    args: Mapping[str, Any],
    *,
    now: datetime,
) -> Proposal:
    action, before = named(row.action), votes.current(row)
    try:
        preview = action.preview(row.target, action.parse(args), row.case.customer, BooksReader(row.workspace_id))
        content = preview.diff.content()
    except (ActionError, diff.DiffError) as error:
        raise BadInput(str(error)) from error
    verdict = verdict_of.judge(
        workspace=row.workspace_id, action=action, preview=preview, proposer=row.proposer,
        confidence_pct=row.confidence_pct, flags=tuple(row.flags),
    )  # fmt: skip
    key = proposals.content_key(action, args)
    _refuse_twin(row, key)
    if not verdict.allowed:
        raise BadInput(" ".join(verdict.reasons))
    if TIERS.index(verdict.tier) < TIERS.index(row.tier) and "manager" not in held:
        raise NotAllowed(f"This would lower the tier from {row.tier} to {verdict.tier}; a manager does that.")
    actor, nonce = f"person:{person}", secrets.token_bytes(32)
    people = max(1, verdict.people)
    votes.cast(row, person=person, role=roles.deciding(held), kind=kind, now=now)
    made = Revision.objects.create(
        workspace_id=row.workspace_id, proposal=row, number=row.revision + 1, args=dict(args),
        content=content.decode(), nonce=nonce, digest=diff.digest(content, nonce), verdict=verdict.as_json(),
        people=people, second_role=verdict.second_role, made_by=actor, created_at=now,
        alone=kind is Kind.REDO
        or (people == 1 and verdict.tier == row.tier and not _grew(before, args, row, preview.amount_minor)),
    )  # fmt: skip
    dependencies.renew(row)
    return proposals.transition(
        row, event, actor=actor, now=now, digest=made.digest, content_key=key, basis=preview.diff.basis(),
        people=people, basis_version=1, tier=verdict.tier, summary=preview.summary, amount_minor=preview.amount_minor,
        currency=preview.currency, fresh_until=now + timedelta(minutes=verdict.fresh_minutes),
        body={"tier": verdict.tier, "rules": list(verdict.rules), "policy": verdict.policy},
        personal={"summary": preview.summary},
    )  # fmt: skip


def _grew(before: Revision, args: Mapping[str, Any], row: Proposal, amount_minor: int | None) -> bool:
    """Whether more money would move, or to somebody else."""
    more = (amount_minor or 0) > (row.amount_minor or 0)
    return more or args.get("refund_to") != before.args.get("refund_to")
