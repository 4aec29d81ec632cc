"""The only place where a proposal or a hand-off begins: previews a submission, asks policy and risk, inserts.

Runs in the `apply` process under its own database role. Nothing handed in is lost: what cannot become a proposal
becomes a hand-off to a person, with what was found and why.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from approvals import caps, dependencies, diff, handoffs, outbox, proposals, risk, votes
from approvals import verdicts as verdict_of
from approvals.actions import ActionError, named
from approvals.actions.base import Action, NothingToDo, Preview
from approvals.models import Proposal, Revision, Submission
from approvals.state import OPEN, State
from audit import canonical, log
from audit.events import Event
from portal import failpoints
from portal import workspace as inside
from portal.systems.books import BooksReader

DUE = {"high": timedelta(hours=4), "medium": timedelta(hours=8), "low": timedelta(hours=24)}


@dataclass(frozen=True, slots=True)
class Asked:
    """An action submission, taken apart."""

    submission: Submission
    action: Action
    args: dict[str, Any]
    target: str
    confidence_pct: int
    flags: tuple[str, ...]


def pass_through(*, workspace: int, submission: int) -> None:
    """Gate a submission together with the others of its run, in one transaction. Safe to run twice."""
    with inside.within(workspace) as now:
        first = Submission.objects.filter(workspace_id=workspace, pk=submission).first()
        if first is None:
            outbox.done(workspace=workspace, task=proposals.GATE, object_id=submission)
            return
        for one in _due_with(first):
            _gate(one, now=now)
        failpoints.hit("gate.before_commit")


def _due_with(first: Submission) -> list[Submission]:
    """The submission and, for a run, its siblings, locked; those a sibling depends on come first."""
    rows = Submission.objects.select_for_update().filter(workspace_id=first.workspace_id, status="new")
    rows = rows.filter(proposer=first.proposer, run=first.run) if first.run else rows.filter(pk=first.pk)
    return sorted(rows.order_by("pk"), key=lambda row: len(row.depends_on))


def _gate(submission: Submission, *, now: datetime) -> None:
    match submission.kind:
        case Submission.Is.ACTION:
            outcome = _action(submission, now=now)
        case Submission.Is.WITHDRAW:
            outcome = _withdraw(submission, now=now)
        case _:
            outcome = handoffs.open_from(submission, now=now)
    Submission.objects.filter(pk=submission.pk).update(status=Submission.Status.GATED, outcome=outcome[:200])


def _action(submission: Submission, *, now: datetime) -> str:
    try:
        asked = _take_apart(submission)
        _lock_target(submission.workspace_id, asked.target)
        preview = asked.action.preview(
            asked.target, asked.action.parse(asked.args), submission.case.customer,
            BooksReader(submission.workspace_id),
        )  # fmt: skip
        content = preview.diff.content()
    except NothingToDo as nothing:
        return f"nothing to do: {nothing}"
    except (ActionError, diff.DiffError) as error:
        return handoffs.open_refused(submission, reason="bad_arguments", summary=str(error), now=now)
    if reason := _held_back(submission):
        return reason
    if twin := _twin(submission, asked):
        summary = f"Already proposed: {twin.summary}"
        return handoffs.open_refused(
            submission, reason="duplicate", summary=summary, now=now, found={"open": f"proposal:{twin.pk}"}
        )
    return _judge(asked, preview, content, now=now)


def _take_apart(submission: Submission) -> Asked:
    payload = submission.payload
    return Asked(
        submission, named(str(payload.get("action"))), dict(payload.get("args") or {}), str(payload.get("target")),
        max(0, min(100, round(float(payload.get("confidence", 1)) * 100))),
        tuple(sorted(str(flag) for flag in payload.get("flags", ()))),
    )  # fmt: skip


def _lock_target(workspace: int, target: str) -> None:
    """Two gates at once must not both find no twin."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [f"{workspace}:{target}"])


def _held_back(submission: Submission) -> str:
    """A reply that announces a refund is not proposed where the refund was not."""
    for key in submission.depends_on:
        if not Proposal.objects.filter(
            workspace_id=submission.workspace_id, submission__run=submission.run, submission__key=key,
            submission__proposer=submission.proposer,
        ).exclude(state=State.DENIED).exists():  # fmt: skip
            return f"held back: {key} did not become a proposal"
    return ""


def _open_key(asked: Asked) -> str:
    return canonical.sha256_hex([asked.action.name, dict(asked.action.open_key(asked.args))])


def _twin(submission: Submission, asked: Asked) -> Proposal | None:
    return Proposal.objects.filter(
        workspace_id=submission.workspace_id,
        target=asked.target,
        content_key=_open_key(asked),
        state__in=OPEN,
    ).first()


def _judge(asked: Asked, preview: Preview, content: bytes, *, now: datetime) -> str:
    submission = asked.submission
    verdict = verdict_of.judge(
        workspace=submission.workspace_id, action=asked.action, preview=preview, proposer=submission.proposer,
        confidence_pct=asked.confidence_pct, flags=asked.flags,
    )  # fmt: skip
    denied_by_policy = not verdict.allowed and any(rule.startswith("policy ") for rule in verdict.rules)
    if not verdict.allowed and not denied_by_policy:
        return handoffs.open_refused(
            submission, reason="over_cap", summary=" ".join((preview.summary, *verdict.reasons)), now=now,
            found={"amount_minor": preview.amount_minor, "currency": preview.currency, "args": asked.args},
        )  # fmt: skip
    holders = _holders(asked, preview)
    if verdict.allowed and (over := caps.exceeded(
        workspace=submission.workspace_id, holders=holders, amount_minor=preview.amount_minor,
        currency=preview.currency, now=now,
    )):  # fmt: skip
        return handoffs.open_refused(
            submission,
            reason="daily_cap",
            summary=f"{preview.summary}. {over}",
            now=now,
            found={"args": asked.args},
        )
    proposal = _insert(asked, preview, content, verdict, now=now)
    if denied_by_policy or (not verdict.allowed):
        handoffs.open_refused(submission, reason="policy", summary=" ".join(verdict.reasons), now=now)
        return f"denied: proposal:{proposal.pk}"
    caps.reserve(proposal, holders, now=now)
    _depend(proposal)
    votes.count_undo_starter(proposal, seen=submission.seen_content, content=content, now=now)
    return f"proposal:{proposal.pk}"


def _holders(asked: Asked, preview: Preview) -> dict[str, str]:
    """Whose day a write counts on: caps are on agents; people answer to the thresholds."""
    kind, _, name = asked.submission.proposer.partition(":")
    if kind != "agent":
        return {}
    customer = {"customer": preview.customer} if preview.customer and asked.action.outward else {}
    return {"agent": name, **customer}


def _insert(asked: Asked, preview: Preview, content: bytes, verdict: risk.Verdict, *, now: datetime) -> Proposal:
    """Revision, entry, row: in this order, which the trigger demands."""
    submission, nonce = asked.submission, secrets.token_bytes(32)
    event, after = _start(verdict)
    proposal = Proposal(
        pk=_next_id(), workspace_id=submission.workspace_id, submission=submission, case_id=submission.case_id,
        action=asked.action.name, target=asked.target, state=after, digest=diff.digest(content, nonce),
        basis=preview.diff.basis(), tier=verdict.tier, people=verdict.people, proposer=submission.proposer,
        customer=preview.customer, amount_minor=preview.amount_minor, currency=preview.currency,
        confidence_pct=asked.confidence_pct, summary=preview.summary, flags=list(asked.flags),
        content_key=_open_key(asked), undoes_id=submission.undoes_id, created_at=now,
        urgency=int((now + DUE[verdict.tier]).timestamp()),
        fresh_until=now + timedelta(minutes=verdict.fresh_minutes),
        hold_until=now + timedelta(seconds=verdict.hold_seconds) if after == State.APPROVED else None,
    )  # fmt: skip
    Revision.objects.create(
        workspace_id=proposal.workspace_id, proposal=proposal, number=1, args=asked.args, content=content.decode(),
        nonce=nonce, digest=proposal.digest, verdict=verdict.as_json(), people=verdict.people,
        second_role=verdict.second_role, made_by=submission.proposer, created_at=now,
    )  # fmt: skip
    proposals.record_move(
        proposal, event, {"version": 1, "state": str(after), "revision": 1}, actor=submission.proposer, now=now,
        body={"run": submission.run, "tier": verdict.tier, "rules": list(verdict.rules), "policy": verdict.policy},
        personal={"summary": proposal.summary},
    )  # fmt: skip
    proposal.save(force_insert=True)
    proposals.follow_up(proposal, now=now)
    return proposal


def _start(verdict: risk.Verdict) -> tuple[Event, State]:
    if not verdict.allowed:
        return Event.PROPOSAL_DENIED, State.DENIED
    if verdict.people == 0:
        return Event.PROPOSAL_ALLOWED, State.APPROVED
    return Event.PROPOSAL_PROPOSED, State.PENDING


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('approvals_proposal', 'id'))")
        return int(cursor.fetchone()[0])


def _depend(proposal: Proposal) -> None:
    submission = proposal.submission
    for on in Proposal.objects.filter(
        workspace_id=proposal.workspace_id, submission__run=submission.run, submission__proposer=submission.proposer,
        submission__key__in=submission.depends_on,
    ):  # fmt: skip
        dependencies.depend(proposal, on)


def _withdraw(submission: Submission, *, now: datetime) -> str:
    """A proposer takes its own proposal back, while it is not yet applying."""
    key = str(submission.payload.get("proposal", ""))
    number = int(key) if key.isdecimal() and len(key) < 19 else 0
    proposal = Proposal.objects.select_for_update().filter(
        workspace_id=submission.workspace_id, pk=number, proposer=submission.proposer
    ).first()  # fmt: skip
    if proposal is None or proposal.state not in (State.PENDING, State.STALE, State.APPROVED):
        log.record(
            workspace=submission.workspace_id, subject=f"submission:{submission.pk}", now=now,
            event=Event.SUBMISSION_REFUSED, actor=submission.proposer, body={"withdraw": key},
        )  # fmt: skip
        return "withdraw: nothing of yours is open there"
    proposals.transition(proposal, Event.PROPOSAL_WITHDRAWN, actor=submission.proposer, now=now)
    return f"withdrawn: proposal:{proposal.pk}"
