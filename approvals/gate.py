"""The only place where a proposal or a hand-off begins: previews submissions, asks policy and risk, has them inserted.

Runs in the `apply` process under its own database role; what is due together is looked at together. Nothing handed in
is lost: what cannot become a proposal becomes a hand-off to a person, with what was found and why.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from django.db import OperationalError, connection, transaction

from approvals import (
    citations,
    diff,
    handoffs,
    instructions,
    opening,
    outbox,
    outcomes,
    payloads,
    proposals,
    returning,
    reversal,
    switches,
    tainting,
    unserved,
    votes,
)
from approvals import verdicts as verdict_of
from approvals.actions import ActionError
from approvals.actions.base import NothingToDo, Preview
from approvals.models import Handoff, Proposal, Submission
from approvals.sitting import Sitting, due_with
from approvals.state import State
from audit import log
from audit.events import Event
from portal import failpoints, outage
from portal import workspace as inside

logger = logging.getLogger(__name__)

# Looked at in one transaction, where many wait: long enough to share what is read, short enough to hold nobody up.
TOGETHER = 25


def pass_due(begun: Callable[[], None] = lambda: None, *, workspace: int) -> int:
    """Gate what is due and was never begun, together; returns how many. What breaks it is then gated one by one.

    `begun` is called once something is found.
    """
    with inside.within(workspace) as now:
        due = outbox.begin(workspace=workspace, task=proposals.GATE, most=TOGETHER, now=now)
    if not due:
        return 0
    begun()
    try:
        with inside.within(workspace) as now:
            rows = due_with(workspace, due)
            _sit(workspace, rows, together=True, now=now)
            _drop_gone(workspace, due, rows)
            failpoints.hit("gate.before_commit")
    except Exception as error:  # whatever broke the batch: each by itself has its own hand-off
        if outage.is_outage(error):
            raise
        logger.exception("%s submissions cannot be gated together; each is, by itself", len(due))
        for submission in due:
            pass_through(workspace=workspace, submission=submission)
    return len(due)


def pass_through(*, workspace: int, submission: int) -> None:
    """Gate a submission together with the others of its run, in one transaction. Safe to run twice."""
    with inside.within(workspace) as now:
        rows = due_with(workspace, [submission])
        _sit(workspace, rows, together=False, now=now)
        _drop_gone(workspace, [submission], rows)
        failpoints.hit("gate.before_commit")


def _drop_gone(workspace: int, due: Sequence[int], rows: Sequence[Submission]) -> None:
    """A message or a row about a submission that is not there, or is through, does nothing for ever."""
    for gone in set(due) - {row.pk for row in rows}:
        outbox.done(workspace=workspace, task=proposals.GATE, object_id=gone)


def give_up(*, workspace: int, submission: int) -> None:
    """Checking it ended its worker again and again: a person gets it, and nothing is held up by it."""
    with inside.within(workspace) as now:
        row = Submission.objects.select_for_update().filter(workspace_id=workspace, pk=submission, status="new").first()
        if row is None:
            return
        summary = outcomes.ENDED
        outcome = handoffs.open_refused(row, reason="cannot_check", summary=summary, now=now)
        Submission.objects.filter(pk=row.pk).update(status=Submission.Status.GATED, outcome=outcome[:200])


def _sit(workspace: int, rows: Sequence[Submission], *, together: bool, now: datetime) -> None:
    """All of them to their end; what stands for itself is written together at the end."""
    if not rows:
        return
    sitting = Sitting(workspace, rows, now=now)
    in_run = Counter(row.run for row in rows)
    outcomes = {}
    for row in rows:
        if together and in_run[row.run] == 1 and _stands_alone(row):
            outcomes[row.pk] = _gate(row, sitting, at_once=False)
        else:
            sitting.write()
            outcomes[row.pk] = _gate(row, sitting, at_once=True)
            sitting.forget()
    sitting.write()
    _close(outcomes)


def _stands_alone(row: Submission) -> bool:
    """Whether it neither looks at other proposals nor changes them, nor goes on once it is there."""
    linked = row.revises_id is not None or row.undoes_id is not None or bool(row.depends_on)
    return row.kind == Submission.Is.ACTION and not linked


def _close(outcomes: Mapping[int, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE approvals_submission s SET status = 'gated', outcome = n.outcome"
            " FROM unnest(%s::bigint[], %s::text[]) AS n (id, outcome) WHERE s.id = n.id",
            [list(outcomes), [outcome[:200] for outcome in outcomes.values()]],
        )


def _gate(submission: Submission, sitting: Sitting, *, at_once: bool) -> str:
    """What becomes of one. What nobody thought of becomes a hand-off: its run must not wait for ever."""
    try:
        with transaction.atomic():
            outcome = _outcome(submission, sitting)
            if at_once:
                sitting.write()
            return outcome
    except OperationalError:
        raise  # the database went away or chose a victim: the whole is tried again
    except Exception:  # whatever was handed in, a person hears of it
        logger.exception("submission %s cannot be checked", submission.pk)
        summary = outcomes.NOT_CHECKED
        outcome = handoffs.open_refused(submission, reason="cannot_check", summary=summary, now=sitting.now)
        if submission.revises is not None:
            instructions.close(submission.revises, summary, actor=submission.proposer, now=sitting.now)
        return outcome


def _outcome(submission: Submission, sitting: Sitting) -> str:
    if submission.revises_id is not None and submission.kind != Submission.Is.WITHDRAW:
        return returning.take_back(submission, now=sitting.now)
    match submission.kind:
        case Submission.Is.ACTION:
            return _action(submission, sitting)
        case Submission.Is.WITHDRAW:
            return _withdraw(submission, now=sitting.now)
    return handoffs.open_from(submission, now=sitting.now)


def _action(submission: Submission, sitting: Sitting) -> str:
    try:
        asked = opening.take_apart(submission)
        sitting.hold(asked.target)
        preview = asked.action.preview(
            asked.target, asked.action.parse(asked.args), submission.case.customer, sitting.reader
        )
        content = preview.diff.content()
    except NothingToDo as nothing:
        return outcomes.NOTHING_TO_DO % {"why": nothing}
    except (ActionError, diff.DiffError, payloads.PayloadError) as error:
        return handoffs.open_unfit(submission, error, now=sitting.now)
    if reason := (
        _held_back(submission, now=sitting.now) or _switched_off(asked, preview, sitting)
        or unserved.hand_over(asked, preview, now=sitting.now)
        or _no_undo(asked, now=sitting.now) or _twin(asked, sitting) or _uncited(asked, sitting)
    ):  # fmt: skip
        return reason
    return _judge(asked, preview, content, sitting)


def _held_back(submission: Submission, *, now: datetime) -> str:
    """A reply that announces a refund is not proposed where the refund was not; "" where nothing is missing."""
    siblings = Submission.objects.filter(
        workspace_id=submission.workspace_id, run=submission.run, proposer=submission.proposer
    )
    for key in payloads.siblings(submission.depends_on):
        on = siblings.filter(key=key).first()
        if on is not None and Proposal.objects.filter(submission=on).exclude(state=State.DENIED).exists():
            continue
        if on is not None and Handoff.objects.filter(submission=on).exists():
            return outcomes.IN_HAND % {"key": key}
        summary = outcomes.HELD_BACK % {"key": key}
        return handoffs.open_refused(submission, reason="held_back", summary=summary, now=now)
    return ""


def _switched_off(asked: opening.Asked, preview: Preview, sitting: Sitting) -> str:
    """What people switched off is not proposed: a person takes it over, with its arguments; "" where it is not."""
    submission = asked.submission
    why = switches.why(sitting.rulebook.switches, action=asked.action.name, proposer=submission.proposer)
    if not why:
        return ""
    found = {"amount_minor": preview.amount_minor, "currency": preview.currency, "args": asked.args}
    summary = f"{preview.summary}. {why}"
    return handoffs.open_refused(submission, reason="switched_off", summary=summary, now=sitting.now, found=found)


def _no_undo(asked: opening.Asked, *, now: datetime) -> str:
    """Only what its receipt says stands under the name of an undo; anything else goes to a person. "" where it does."""
    why = reversal.no_undo(
        asked.submission, action=asked.action.name, target=asked.target, args=asked.args, flags=asked.flags
    )
    if not why:
        return ""
    found = {"open": f"proposal:{asked.submission.undoes_id}"}
    return handoffs.open_refused(asked.submission, reason="no_undo", summary=why, now=now, found=found)


def _twin(asked: opening.Asked, sitting: Sitting) -> str:
    """The same, open already, is named to a person; "" where there is none."""
    twin = sitting.twin(asked.target, proposals.content_key(asked.action, asked.args))
    if twin is None:
        return ""
    number, words = twin
    summary, found = outcomes.ALREADY % {"what": words}, {"open": f"proposal:{number}"}
    return handoffs.open_refused(asked.submission, reason="duplicate", summary=summary, now=sitting.now, found=found)


def _uncited(asked: opening.Asked, sitting: Sitting) -> str:
    """What it cites must bear it out as the pages are now; "" where it does."""
    if not (wrong := citations.faults(asked.submission, sitting.clauses, sitting.reader)):
        return ""
    words, found = citations.sentence(wrong), {"faults": wrong, "args": asked.args}
    return handoffs.open_refused(asked.submission, reason=citations.FAILED, summary=words, now=sitting.now, found=found)


def _judge(asked: opening.Asked, preview: Preview, content: bytes, sitting: Sitting) -> str:
    submission, now = asked.submission, sitting.now
    asked = tainting.mark(asked, preview, sitting.reader)
    verdict = verdict_of.judge(
        sitting.rulebook, action=asked.action, preview=preview, proposer=submission.proposer,
        confidence_pct=asked.confidence_pct, flags=asked.flags, now=now,
    )  # fmt: skip
    denied_by_policy = not verdict.allowed and any(rule.startswith("policy ") for rule in verdict.rules)
    money = {"amount_minor": preview.amount_minor, "currency": preview.currency}
    found = {**money, "args": asked.args, "flags": list(asked.flags)}
    if not verdict.allowed and not denied_by_policy:
        summary = " ".join((preview.summary, *verdict.reasons))
        return handoffs.open_refused(submission, reason="over_cap", summary=summary, now=now, found=found)
    if verdict.tier == "high" and not denied_by_policy and not opening.is_justified(asked):
        summary = outcomes.NO_EVIDENCE % {"summary": preview.summary}
        return handoffs.open_refused(submission, reason=citations.UNJUSTIFIED, summary=summary, now=now, found=found)
    holders = {} if denied_by_policy else _holders(asked, preview)
    if over := sitting.day.exceeded(holders=holders, amount_minor=preview.amount_minor, currency=preview.currency):
        return handoffs.open_refused(
            submission,
            reason="daily_cap",
            summary=f"{preview.summary}. {over}",
            now=now,
            found={"args": asked.args},
        )
    proposal = opening.begin(asked, preview, content, verdict, holders, sitting)
    if denied_by_policy:
        handoffs.open_refused(submission, reason="policy", summary=" ".join(verdict.reasons), now=now)
        return f"denied: proposal:{proposal.pk}"
    if not _stands_alone(submission):
        sitting.write()
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
        return outcomes.NOT_YOURS
    instructions.close(proposal, outcomes.BY_AGENT, actor=submission.proposer, now=now)
    proposals.transition(proposal, Event.PROPOSAL_WITHDRAWN, actor=submission.proposer, now=now)
    return f"withdrawn: proposal:{proposal.pk}"
