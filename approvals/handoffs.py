"""What a person must do instead, or answer: opened by the gate, resolved by a person, never lost."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from approvals import abouts, calling, deadlines, payloads, placing, proposals, reversal
from approvals.models import Handoff, Proposal, Submission
from audit import log
from audit.events import Event
from audit.models import Entry
from portal import hours, roles, telemetry, viewing
from portal.models import Person
from portal.retold import kept

UNFIT = kept("What was handed in cannot be proposed as it is: %(why)s")
ERASED = "Erased"  # what erasing leaves of an outcome
REOPEN_WITHIN = timedelta(seconds=60)  # as what was rejected
NO_WORDS = kept("No words were given.")


class HandoffError(Exception):
    """Base of what resolving refuses."""


class AlreadyResolved(HandoffError):
    """Somebody else was first."""


class StillOpen(HandoffError):
    """There is nothing to take back, or somebody else was first."""


class NotYours(HandoffError):
    """This person may not take it back."""


def open_from(submission: Submission, *, now: datetime) -> str:
    """The hand-off or question an agent asked for; one of a wrong form is handed over all the same."""
    question = submission.kind == Submission.Is.QUESTION
    try:
        if question:
            asked = payloads.read(payloads.QuestionPaper, submission.payload)
            found = {**asked.found, "asked": [fact.model_dump(mode="json") for fact in asked.facts]}
            return _open(submission, "question", asked.text, found, asked.evidence, now=now, kind=submission.kind)
        handed = payloads.read(payloads.HandoffPaper, submission.payload)
    except payloads.PayloadError as error:
        return open_unfit(submission, error, now=now)
    return _open(submission, handed.reason, handed.summary, handed.found, handed.evidence, now=now)


def open_unfit(submission: Submission, error: Exception, *, now: datetime) -> str:
    """What was handed in is not of the form, or not what the records allow; `error` says where."""
    summary = UNFIT % {"why": error}
    return open_refused(submission, reason="bad_arguments", summary=summary, now=now)


def open_refused(
    submission: Submission, *, reason: str, summary: str, now: datetime, found: Mapping[str, Any] | None = None
) -> str:
    """What was handed in cannot become a proposal: a person takes it, with what was found and why."""
    known = {name: text for name in ("action", "target") if (text := payloads.text_of(submission.payload, name))}
    try:
        evidence = payloads.read(payloads.Paper, submission.payload).evidence
    except payloads.PayloadError:
        evidence = []
    return _open(submission, reason, summary, {**known, **(found or {})}, evidence, now=now)


def _open(
    submission: Submission,
    reason: str,
    summary: str,
    found: Mapping[str, Any],
    evidence: Sequence[payloads.Citation],
    *,
    now: datetime,
    kind: str = Handoff.Is.HANDOFF,
) -> str:
    handoff = Handoff.objects.create(
        workspace_id=submission.workspace_id, case_id=submission.case_id, submission=submission, kind=kind,
        reason=reason, summary=summary[:1000] or NO_WORDS, found=dict(found),
        proposer=submission.proposer, evidence=[citation.model_dump() for citation in evidence], created_at=now,
        urgency=deadlines.urgency(hours.of(submission.workspace_id), now, deadlines.HANDOFF_DUE),
        team=placing.team_of(submission.case), language=submission.language,
    )  # fmt: skip
    log.record(
        workspace=submission.workspace_id, subject=f"handoff:{handoff.pk}", version=1, event=Event.HANDOFF_OPENED,
        actor=submission.proposer, now=now, case=f"case:{submission.case_id}", trace_id=submission.trace_id,
        body={"reason": handoff.reason, "kind": kind, "run": submission.run}, personal={"summary": handoff.summary},
        about=abouts.of_case(submission.case),
    )  # fmt: skip
    span = telemetry.since(
        "gate", f"gate:handoff:{handoff.pk}", now, parent=submission.run or telemetry.ROOT,
        countersign__item=f"handoff:{handoff.pk}", countersign__kind=kind, countersign__reason=handoff.reason,
    )  # fmt: skip
    telemetry.after_commit(submission.trace_id, [span])
    return f"handoff:{handoff.pk}"


def open_for(
    row: Proposal,
    *,
    reason: str,
    summary: str,
    now: datetime,
    found: Mapping[str, Any],
    evidence: Sequence[payloads.Citation] = (),
) -> Handoff:
    """A person must see at once to what became of a proposal; what it was about goes with it. Runs as apply."""
    about = {"proposal": row.pk, "action": row.action, "target": row.target}
    handoff = Handoff.objects.create(
        workspace_id=row.workspace_id, case_id=row.case_id, kind=Handoff.Is.HANDOFF, reason=reason,
        summary=summary[:1000], found={**about, **found}, proposer="system:apply", team=row.team,
        language=row.language, created_at=now, urgency=int(now.timestamp()),
        evidence=[citation.model_dump() for citation in evidence],
    )  # fmt: skip
    log.record(
        workspace=row.workspace_id, subject=f"handoff:{handoff.pk}", version=1, event=Event.HANDOFF_OPENED,
        actor="system:apply", now=now, case=f"case:{row.case_id}", trace_id=row.submission.trace_id,
        body={"reason": reason, "kind": str(handoff.kind), "proposal": row.pk}, personal={"summary": handoff.summary},
        about=abouts.of(row),
    )  # fmt: skip
    return handoff


def resolve(*, workspace: int, handoff: int, person: Person, outcome: str, now: datetime) -> Handoff:
    """A person says what came of it.

    Raises:
        Handoff.DoesNotExist: not in this workspace.
        AlreadyResolved: it is no longer open.
        HandoffError: no outcome was given, or the person holds no deciding role.
    """
    if not roles.deciding(roles.of(person.pk, workspace)):
        raise HandoffError(_("Only reviewers and managers answer a hand-off."))
    row = Handoff.objects.select_for_update().get(workspace_id=workspace, pk=handoff)
    if row.state != "open":
        raise AlreadyResolved(
            _("already resolved by %(name)s: %(outcome)s") % {"name": row.resolved_by, "outcome": row.outcome}
        )
    outcome = outcome.strip()[:1000]
    if not outcome:
        raise HandoffError(f"outcome: {_('say what came of it')}")
    log.record(
        workspace=workspace, subject=f"handoff:{row.pk}", version=row.version + 1, event=Event.HANDOFF_RESOLVED,
        actor=f"person:{person.pk}", now=now, case=f"case:{row.case_id}", personal={"outcome": outcome},
        about=abouts.of_case(row.case),
    )  # fmt: skip
    calling.call(workspace=workspace, text=outcome, item=f"handoff:{row.pk}", person=person.pk, now=now)
    row.state, row.version, row.outcome, row.resolved_by = "resolved", row.version + 1, outcome, person
    row.save(update_fields=["state", "version", "outcome", "resolved_by"])
    return row


def reopen(*, workspace: int, handoff: int, person: Person, now: datetime) -> Handoff:
    """Take back that it was resolved: who did within a minute, a manager at any time.

    Raises:
        Handoff.DoesNotExist: not in this workspace.
        StillOpen: it is not resolved, or another recovery case of the same is open.
        NotYours: too late, or never theirs to reopen.
    """
    twin = _twin(workspace, handoff)
    row = Handoff.objects.select_for_update().get(workspace_id=workspace, pk=handoff)
    if row.state != "resolved":
        raise StillOpen(_("It is open now."))
    if reason := why_closed(row, person.pk, roles.of(person.pk, workspace), now=now):
        raise NotYours(reason)
    if twin:
        raise StillOpen(reversal.already(twin))
    urgency = _due_again(row, now=now)
    log.record(
        workspace=workspace, subject=f"handoff:{row.pk}", version=row.version + 1, event=Event.HANDOFF_REOPENED,
        actor=f"person:{person.pk}", now=now, case=f"case:{row.case_id}", about=abouts.of_case(row.case),
        body={"due": deadlines.moment(urgency).isoformat()},
    )  # fmt: skip
    row.state, row.version, row.outcome, row.resolved_by, row.urgency = "open", row.version + 1, "", None, urgency
    row.save(update_fields=["state", "version", "outcome", "resolved_by", "urgency"])
    return row


def _twin(workspace: int, handoff: int) -> Handoff | Submission | None:
    """The recovery case that is open beside this one: of a proposal there is one. Locks as opening one does, first."""
    about = Proposal.objects.filter(workspace_id=workspace, undo_submissions__handoff=handoff).first()
    if about is None:
        return None
    there = reversal.open_case(proposals.locked(workspace=workspace, proposal=about.pk))
    return None if isinstance(there, Handoff) and there.pk == handoff else there


def _due_again(row: Handoff, *, now: datetime) -> int:
    """Its whole time again, as what was decided has; what was due when it came is so still."""
    if deadlines.moment(row.urgency) <= row.created_at:
        return row.urgency
    return deadlines.again(
        hours.of(row.workspace_id), now, deadlines.HANDOFF_DUE, row.created_at, row.case.waiting_since
    )


def why_closed(row: Handoff, person: int, held: Collection[str], *, now: datetime) -> str:
    """Why a person may not reopen what was resolved, in words, or ""."""
    if not roles.deciding(held):
        return _("Only reviewers and managers answer a hand-off.")
    if viewing.impersonated():
        return _("You look as somebody else; nothing can be decided.")
    if row.outcome == ERASED or row.resolved_by_id is None:
        return _("What this held was erased: nothing is left to decide.")
    if "manager" in held or (row.resolved_by_id == person and _resolved_just_now(row, now)):
        return ""
    return _("Only a manager reopens it now.")


def _resolved_just_now(row: Handoff, now: datetime) -> bool:
    ended = Entry.objects.filter(
        workspace_id=row.workspace_id, subject=f"handoff:{row.pk}", version=row.version, event=Event.HANDOFF_RESOLVED
    )  # fmt: skip
    return ended.filter(at__gte=now - REOPEN_WITHIN).exists()
