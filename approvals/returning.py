"""What comes back from an agent that was sent one back: a new revision of its proposal, or an answer in words.

Part of the gate, in the `apply` process. All votes are gone with a revision, and it needs no fewer people than the
one before. What policy, thresholds or caps refuse leaves the proposal as it was and goes to a person.
"""

from dataclasses import replace
from datetime import datetime
from typing import NoReturn

from approvals import (
    caps,
    citations,
    diff,
    handoffs,
    instructions,
    opening,
    payloads,
    proposals,
    revising,
    risk,
    switches,
    tainting,
    votes,
    wording,
)
from approvals.actions import ActionError
from approvals.actions.base import NothingToDo, Preview
from approvals.decisions import NOW
from approvals.models import Instruction, Proposal, Revision, Submission
from approvals.state import State
from audit import log
from audit.events import Event
from portal.retold import kept
from portal.systems.books import BooksReader

REVISED = "revised: "
DONE = kept("Done: %(what)s")
NO_ANSWER = kept("The agent has no other answer.")
SOMETHING_ELSE = kept("The agent came to something else than this change; it stays as it was.")
NOTHING_LEFT = kept("Nothing would be left to do: %(why)s.")
SAME, SAME_BECAUSE = kept("The agent comes to the same."), kept("The agent comes to the same. %(why)s")
NOBODY_WAITS = kept("revises: nobody waits for this")


class Kept(Exception):
    """The proposal stays as it was, for this reason in words; `handed` names it where a person gets it too."""

    def __init__(self, words: str, handed: str = "") -> None:
        super().__init__(words)
        self.handed = handed


def take_back(submission: Submission, *, now: datetime) -> str:
    """The outcome of a submission that revises. Only the proposer's answer to the open instruction counts."""
    rows = Proposal.objects.select_for_update(of=("self",)).select_related("case")
    row = rows.filter(
        workspace_id=submission.workspace_id, revising_submissions=submission, proposer=submission.proposer,
        case_id=submission.case_id,
    ).first()  # fmt: skip
    asked = instructions.open_on(row) if row else None
    if row is None or asked is None or submission.key != instructions.key_of(asked.pk):
        return _refuse(submission, now=now)
    try:
        words = _revise(row, asked, submission, now=now)
    except Kept as kept:
        if kept.handed:
            handoffs.open_refused(submission, reason=kept.handed, summary=str(kept), now=now)
        instructions.answer(asked, str(kept), actor=submission.proposer, now=now)
        return f"kept: proposal:{row.pk}"
    instructions.answer(asked, words, actor=submission.proposer, now=now)
    return f"{REVISED}proposal:{row.pk}"


def _refuse(submission: Submission, *, now: datetime) -> str:
    """Somebody decided meanwhile, or nobody asked: nothing changes, and the log says so."""
    log.record(
        workspace=submission.workspace_id, subject=f"submission:{submission.pk}", now=now,
        event=Event.SUBMISSION_REFUSED, actor=submission.proposer, case=f"case:{submission.case_id}",
        body={"revises": submission.revises_id},
    )  # fmt: skip
    return NOBODY_WAITS


def _revise(row: Proposal, asked: Instruction, submission: Submission, *, now: datetime) -> str:
    """Make the revision; what came of it in words.

    Raises:
        Kept: there is none.
    """
    if row.state not in (State.PENDING, State.STALE):
        raise Kept(NOW[State(row.state)])
    if submission.kind != Submission.Is.ACTION:
        raise Kept(_said(submission))
    draft, preview, content = _look(row, submission)
    taints = tainting.of(row.case.subject, preview, BooksReader(row.workspace_id))
    draft = replace(draft, flags=revising.flagged(draft.flags, taints))
    before = votes.current(row)
    _compare(row, before, draft, preview, content)
    verdict = _judge(row, before, draft, preview, now=now)
    new = revising.New(draft.args, preview, content, verdict, flags=draft.flags, taints=taints)
    revising.add(
        row, Event.PROPOSAL_REVISED, new, actor=submission.proposer, now=now, confidence_pct=draft.confidence_pct,
        read_to=submission.read_to, body={"run": submission.run, "instruction": asked.pk},
    )  # fmt: skip
    return DONE % {"what": preview.summary}


def _said(submission: Submission) -> str:
    """The agent's own words for why there is no new draft."""
    text = payloads.text_of(submission.payload, "summary") or payloads.text_of(submission.payload, "text")
    return text or NO_ANSWER


def _look(row: Proposal, submission: Submission) -> tuple[opening.Asked, Preview, bytes]:
    try:
        draft = opening.take_apart(submission)
        if (draft.action.name, draft.target) != (row.action, row.target):
            raise Kept(SOMETHING_ELSE)
        proposals.lock_target(row.workspace_id, row.target)
        reader = BooksReader(row.workspace_id)
        preview = draft.action.preview(draft.target, draft.action.parse(draft.args), row.case.customer, reader)
        content = preview.diff.content()
    except NothingToDo as nothing:
        raise Kept(NOTHING_LEFT % {"why": nothing}) from nothing
    except (ActionError, diff.DiffError, payloads.PayloadError) as error:
        raise Kept(str(error), "bad_arguments") from error
    if wrong := citations.faults(submission, citations.standing(row.workspace_id, [submission]), reader):
        raise Kept(citations.sentence(wrong), citations.FAILED)
    return draft, preview, content


def _compare(row: Proposal, before: Revision, draft: opening.Asked, preview: Preview, content: bytes) -> None:
    """It must be new, not beside its like, and must not write over what somebody changed meanwhile."""
    if row.state == State.PENDING and content.decode() == before.content:
        why = payloads.text_of(draft.submission.payload, "justification")
        raise Kept((SAME_BECAUSE % {"why": why}).strip())
    if over := revising.overwritten(row, before, preview.diff.changes):
        fields = " and ".join(wording.kept_field(name) for name in over)
        raise Kept(revising.OVERWRITES % {"fields": fields})
    try:
        key = proposals.content_key(draft.action, draft.args)
        proposals.refuse_twin(row.workspace_id, row.target, key, but=row.pk)
    except proposals.Twin as twin:
        raise Kept(str(twin)) from twin


def _judge(row: Proposal, before: Revision, draft: opening.Asked, preview: Preview, *, now: datetime) -> risk.Verdict:
    """Policy, thresholds, switches and caps once more; never less than before."""
    if why := switches.why_not_now(workspace=row.workspace_id, action=row.action, proposer=row.proposer):
        raise Kept(why)
    verdict = revising.judge(
        row, draft.action, preview, confidence_pct=draft.confidence_pct, flags=draft.flags, now=now
    )
    if not verdict.allowed:
        _hand_over(verdict, preview)
    if over := caps.recount(row, amount_minor=preview.amount_minor, currency=preview.currency, now=now):
        raise Kept(f"{preview.summary}. {over}", "daily_cap")
    return risk.no_less(verdict, risk.Verdict.of_json(before.verdict))


def _hand_over(verdict: risk.Verdict, preview: Preview) -> NoReturn:
    reason = "policy" if any(rule.startswith("policy ") for rule in verdict.rules) else "over_cap"
    raise Kept(" ".join((f"{preview.summary}.", *verdict.reasons)), reason)
