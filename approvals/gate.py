"""The only place where a proposal or a hand-off begins: previews a submission, asks policy and risk, inserts.

Runs in the `apply` process under its own database role. Nothing handed in is lost: what cannot become a proposal
becomes a hand-off to a person, with what was found and why.
"""

import graphlib
import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import OperationalError, connection, transaction

from approvals import caps, dependencies, diff, handoffs, outbox, payloads, proposals, risk, votes
from approvals import verdicts as verdict_of
from approvals.actions import ActionError, named
from approvals.actions.base import Action, NothingToDo, Preview
from approvals.models import Handoff, Proposal, Revision, Submission
from approvals.state import OPEN, State
from audit import log
from audit.events import Event
from portal import failpoints
from portal import workspace as inside
from portal.systems.books import BooksReader

logger = logging.getLogger(__name__)

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
    """The submission and, for a run, its siblings, locked; what a sibling depends on comes first."""
    rows = Submission.objects.select_for_update().filter(workspace_id=first.workspace_id, status="new")
    rows = rows.filter(proposer=first.proposer, run=first.run) if first.run else rows.filter(pk=first.pk)
    by_key = {row.key: row for row in rows.order_by("pk")}
    wanted = {key: [on for on in _depends_on(row) if on in by_key] for key, row in by_key.items()}
    try:
        return [by_key[key] for key in graphlib.TopologicalSorter(wanted).static_order()]
    except graphlib.CycleError:
        return list(by_key.values())  # each then finds that what it waits for was not proposed


def _depends_on(submission: Submission) -> list[str]:
    """Keys of siblings; a column of the wrong form names none."""
    return [str(key) for key in submission.depends_on] if isinstance(submission.depends_on, list) else []


def _gate(submission: Submission, *, now: datetime) -> None:
    """One submission to its end. What nobody thought of becomes a hand-off: its run must not wait for ever."""
    try:
        with transaction.atomic():
            outcome = _outcome(submission, now=now)
    except OperationalError:
        raise  # the database went away or chose a victim: the whole is tried again
    except Exception:  # whatever was handed in, a person hears of it
        logger.exception("submission %s cannot be checked", submission.pk)
        summary = "This could not be checked; the log of the apply process says why."
        outcome = handoffs.open_refused(submission, reason="cannot_check", summary=summary, now=now)
    Submission.objects.filter(pk=submission.pk).update(status=Submission.Status.GATED, outcome=outcome[:200])


def _outcome(submission: Submission, *, now: datetime) -> str:
    match submission.kind:
        case Submission.Is.ACTION:
            return _action(submission, now=now)
        case Submission.Is.WITHDRAW:
            return _withdraw(submission, now=now)
    return handoffs.open_from(submission, now=now)


def _action(submission: Submission, *, now: datetime) -> str:
    try:
        asked = _take_apart(submission)
        proposals.lock_target(submission.workspace_id, asked.target)
        preview = asked.action.preview(
            asked.target, asked.action.parse(asked.args), submission.case.customer,
            BooksReader(submission.workspace_id),
        )  # fmt: skip
        content = preview.diff.content()
    except NothingToDo as nothing:
        return f"nothing to do: {nothing}"
    except (ActionError, diff.DiffError, payloads.PayloadError) as error:
        return handoffs.open_refused(submission, reason="bad_arguments", summary=str(error), now=now)
    if (reason := _held_back(submission, now=now)) or (reason := _twin(asked, now=now)):
        return reason
    return _judge(asked, preview, content, now=now)


def _take_apart(submission: Submission) -> Asked:
    paper = payloads.read(payloads.ActionPaper, submission.payload)
    return Asked(
        submission, named(paper.action), dict(paper.args), paper.target, round(paper.confidence * 100),
        tuple(sorted(set(paper.flags))),
    )  # fmt: skip


def _held_back(submission: Submission, *, now: datetime) -> str:
    """A reply that announces a refund is not proposed where the refund was not; "" where nothing is missing."""
    siblings = Submission.objects.filter(
        workspace_id=submission.workspace_id, run=submission.run, proposer=submission.proposer
    )
    for key in _depends_on(submission):
        on = siblings.filter(key=key).first()
        if on is not None and Proposal.objects.filter(submission=on).exclude(state=State.DENIED).exists():
            continue
        if on is not None and Handoff.objects.filter(submission=on).exists():
            return f"held back: a person has {key} in hand"
        summary = f"Held back: {key} did not become a proposal"
        return handoffs.open_refused(submission, reason="held_back", summary=summary, now=now)
    return ""


def _twin(asked: Asked, *, now: datetime) -> str:
    """The same, open already, is named to a person; "" where there is none."""
    twin = Proposal.objects.filter(
        workspace_id=asked.submission.workspace_id, target=asked.target, state__in=OPEN,
        content_key=proposals.content_key(asked.action, asked.args),
    ).first()  # fmt: skip
    if twin is None:
        return ""
    summary, found = f"Already proposed: {twin.summary}", {"open": f"proposal:{twin.pk}"}
    return handoffs.open_refused(asked.submission, reason="duplicate", summary=summary, now=now, found=found)


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
    if denied_by_policy:
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
        content_key=proposals.content_key(asked.action, asked.args), undoes_id=submission.undoes_id, created_at=now,
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
        submission__key__in=_depends_on(submission),
    ):  # fmt: skip
        dependencies.depend(proposal, on)


def _withdraw(submission: Submission, *, now: datetime) -> str:
    """A proposer takes its own proposal back, while it is not yet applying."""
    key = payloads.text_of(submission.payload, "proposal")
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
