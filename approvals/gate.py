"""The only place where a proposal or a hand-off begins: previews a submission, asks policy and risk, has it inserted.

Runs in the `apply` process under its own database role. Nothing handed in is lost: what cannot become a proposal
becomes a hand-off to a person, with what was found and why.
"""

import graphlib
import logging
from datetime import datetime

from django.db import OperationalError, transaction

from approvals import (
    caps,
    diff,
    handoffs,
    instructions,
    opening,
    outbox,
    payloads,
    proposals,
    returning,
    reversal,
    switches,
    votes,
)
from approvals import verdicts as verdict_of
from approvals.actions import ActionError
from approvals.actions.base import NothingToDo, Preview
from approvals.models import Handoff, Proposal, Submission
from approvals.state import OPEN, State
from audit import log
from audit.events import Event
from portal import failpoints
from portal import hours as working
from portal import workspace as inside
from portal.systems.books import BooksReader

logger = logging.getLogger(__name__)


def pass_through(*, workspace: int, submission: int) -> None:
    """Gate a submission together with the others of its run, in one transaction. Safe to run twice."""
    with inside.within(workspace) as now:
        known = Submission.objects.filter(workspace_id=workspace, pk=submission)
        first = known.only("workspace", "proposer", "run").first()
        if first is None:
            outbox.done(workspace=workspace, task=proposals.GATE, object_id=submission)
            return
        for one in _due_with(first):
            _gate(one, now=now)
        failpoints.hit("gate.before_commit")


def give_up(*, workspace: int, submission: int) -> None:
    """Checking it ended its worker again and again: a person gets it, and nothing is held up by it."""
    with inside.within(workspace) as now:
        row = Submission.objects.select_for_update().filter(workspace_id=workspace, pk=submission, status="new").first()
        if row is None:
            return
        summary = "Checking this ended its worker three times; please do it by hand."
        outcome = handoffs.open_refused(row, reason="cannot_check", summary=summary, now=now)
        Submission.objects.filter(pk=row.pk).update(status=Submission.Status.GATED, outcome=outcome[:200])


def _due_with(first: Submission) -> list[Submission]:
    """The submission and, for a run, its siblings, locked; what a sibling depends on comes first."""
    rows = Submission.objects.select_for_update(of=("self",)).select_related("case")
    rows = rows.filter(workspace_id=first.workspace_id, status="new")
    rows = rows.filter(proposer=first.proposer, run=first.run) if first.run else rows.filter(pk=first.pk)
    by_key = {row.key: row for row in rows.order_by("pk")}
    wanted = {key: [on for on in opening.depends_on(row) if on in by_key] for key, row in by_key.items()}
    try:
        return [by_key[key] for key in graphlib.TopologicalSorter(wanted).static_order()]
    except graphlib.CycleError:
        return list(by_key.values())  # each then finds that what it waits for was not proposed


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
        if submission.revises is not None:
            instructions.close(submission.revises, summary, actor=submission.proposer, now=now)
    Submission.objects.filter(pk=submission.pk).update(status=Submission.Status.GATED, outcome=outcome[:200])


def _outcome(submission: Submission, *, now: datetime) -> str:
    if submission.revises_id is not None and submission.kind != Submission.Is.WITHDRAW:
        return returning.take_back(submission, now=now)
    match submission.kind:
        case Submission.Is.ACTION:
            return _action(submission, now=now)
        case Submission.Is.WITHDRAW:
            return _withdraw(submission, now=now)
    return handoffs.open_from(submission, now=now)


def _action(submission: Submission, *, now: datetime) -> str:
    try:
        asked = opening.take_apart(submission)
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
    if reason := (
        _held_back(submission, now=now) or _switched_off(asked, preview, now=now) or _no_undo(asked, now=now)
        or _twin(asked, now=now)
    ):  # fmt: skip
        return reason
    return _judge(asked, preview, content, now=now)


def _held_back(submission: Submission, *, now: datetime) -> str:
    """A reply that announces a refund is not proposed where the refund was not; "" where nothing is missing."""
    siblings = Submission.objects.filter(
        workspace_id=submission.workspace_id, run=submission.run, proposer=submission.proposer
    )
    for key in opening.depends_on(submission):
        on = siblings.filter(key=key).first()
        if on is not None and Proposal.objects.filter(submission=on).exclude(state=State.DENIED).exists():
            continue
        if on is not None and Handoff.objects.filter(submission=on).exists():
            return f"held back: a person has {key} in hand"
        summary = f"Held back: {key} did not become a proposal"
        return handoffs.open_refused(submission, reason="held_back", summary=summary, now=now)
    return ""


def _switched_off(asked: opening.Asked, preview: Preview, *, now: datetime) -> str:
    """What people switched off is not proposed: a person takes it over, with its arguments; "" where it is not."""
    submission = asked.submission
    why = switches.why_not_now(
        workspace=submission.workspace_id, action=asked.action.name, proposer=submission.proposer
    )
    if not why:
        return ""
    found = {"amount_minor": preview.amount_minor, "currency": preview.currency, "args": asked.args}
    summary = f"{preview.summary}. {why}"
    return handoffs.open_refused(submission, reason="switched_off", summary=summary, now=now, found=found)


def _no_undo(asked: opening.Asked, *, now: datetime) -> str:
    """Only what its receipt says stands under the name of an undo; anything else goes to a person. "" where it does."""
    why = reversal.no_undo(
        asked.submission, action=asked.action.name, target=asked.target, args=asked.args, flags=asked.flags
    )
    if not why:
        return ""
    found = {"open": f"proposal:{asked.submission.undoes_id}"}
    return handoffs.open_refused(asked.submission, reason="no_undo", summary=why, now=now, found=found)


def _twin(asked: opening.Asked, *, now: datetime) -> str:
    """The same, open already, is named to a person; "" where there is none."""
    twin = Proposal.objects.filter(
        workspace_id=asked.submission.workspace_id, target=asked.target, state__in=OPEN,
        content_key=proposals.content_key(asked.action, asked.args),
    ).values_list("pk", "summary").first()  # fmt: skip
    if twin is None:
        return ""
    summary, found = f"Already proposed: {twin[1]}", {"open": f"proposal:{twin[0]}"}
    return handoffs.open_refused(asked.submission, reason="duplicate", summary=summary, now=now, found=found)


def _judge(asked: opening.Asked, preview: Preview, content: bytes, *, now: datetime) -> str:
    submission = asked.submission
    hours = working.of(submission.workspace_id)
    verdict = verdict_of.judge(
        workspace=submission.workspace_id, action=asked.action, preview=preview, proposer=submission.proposer,
        confidence_pct=asked.confidence_pct, flags=asked.flags, now=now, hours=hours,
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
    proposal = opening.insert(asked, preview, content, verdict, hours=hours, now=now)
    if denied_by_policy:
        handoffs.open_refused(submission, reason="policy", summary=" ".join(verdict.reasons), now=now)
        return f"denied: proposal:{proposal.pk}"
    caps.reserve(proposal, holders, now=now)
    opening.depend(proposal)
    votes.count_undo_starter(proposal, seen=submission.seen_content, content=content, now=now)
    return f"proposal:{proposal.pk}"


def _holders(asked: opening.Asked, preview: Preview) -> dict[str, str]:
    """Whose day a write counts on: caps are on agents; people answer to the thresholds."""
    kind, _, name = asked.submission.proposer.partition(":")
    if kind != "agent":
        return {}
    customer = {"customer": preview.customer} if preview.customer and asked.action.outward else {}
    return {"agent": name, **customer}


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
    instructions.close(proposal, "Withdrawn by the agent.", actor=submission.proposer, now=now)
    proposals.transition(proposal, Event.PROPOSAL_WITHDRAWN, actor=submission.proposer, now=now)
    return f"withdrawn: proposal:{proposal.pk}"
