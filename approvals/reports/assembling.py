"""Puts a report together: what happened from the log's entries, what it was about from the bytes that were decided on.

Reads only, in a number of statements that does not grow with the log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import actions, background, calls, diff, naming, queries, reversal, showing, wording
from approvals.models import Proposal, Revision
from approvals.reports import evidence, people, proving, rules
from approvals.reports.forms import (
    Allowed,
    Asked,
    Back,
    Changed,
    Changes,
    Effect,
    Flag,
    Outcome,
    Report,
    Subject,
    Undo,
)  # fmt: skip
from approvals.state import State
from audit import report as log_report
from audit.models import Entry
from audit.report import Fact
from portal.retold import say

MOST_ENTRIES = 2_000
ENDS = {
    State.APPLIED: noop("It was carried out."),
    State.DENIED: noop("It was denied. Nothing was changed."),
    State.REJECTED: noop("It was rejected. Nothing was changed."),
    State.EXPIRED: noop("Nobody decided in time, so it expired. Nothing was changed."),
    State.WITHDRAWN: noop("It was withdrawn. Nothing was changed."),
    State.FAILED: noop("It was approved and could not be carried out."),
    State.UNKNOWN: noop("It was sent, and nobody knows yet what became of it."),
    State.STALE: noop("The record changed since it was proposed. Nothing was changed; a person must look at it anew."),
    State.PENDING: noop("It waits for a decision. Nothing has been changed."),
    State.APPROVED: noop("It is approved and held; it can still be stopped. Nothing has been changed."),
    State.APPLYING: noop("It is being carried out just now."),
}
OPEN_STILL = (State.PENDING, State.APPROVED, State.APPLYING)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it, with the roles held here, and when (UTC)."""

    roles: frozenset[str]
    now: datetime


def of(proposal: Proposal, reader: Reader) -> Report:
    """The report of a proposal, in whatever state it is."""
    facts = _facts(proposal)
    revisions = {one.number: one for one in Revision.objects.filter(proposal=proposal).order_by("number")}
    names = naming.of(proposal.workspace_id, facts)
    who = naming.people(names) | queries.names([proposal.proposer])
    known = background.facts(proposal.workspace_id, proposal.case, proposal.target, proposal.customer)
    revision = revisions[proposal.revision]
    return Report(
        as_of=reader.now,
        workspace=proposal.workspace.name,
        subject=_subject(proposal),
        outcome=_outcome(proposal, facts, who),
        asked=_asked(proposal, facts, who),
        changes=_changes(proposal, revision, known.books, facts),
        allowed=_allowed(proposal, revision),
        evidence=evidence.of(proposal, known, reader.roles),
        people=people.acts(facts, names, who, people.edits(list(revisions.values()), known.books)),
        undo=_undo(proposal),
        proof=proving.of(f"proposal:{proposal.pk}", facts, names, who),
    )


def _facts(proposal: Proposal) -> tuple[Fact, ...]:
    """The entries of its case that are about it, oldest first."""
    rows = Entry.objects.filter(workspace_id=proposal.workspace_id, case=f"case:{proposal.case_id}")
    entries = list(rows.prefetch_related("payloads").order_by("-pk")[:MOST_ENTRIES])
    return log_report.about(log_report.facts(reversed(entries)), f"proposal:{proposal.pk}")


def _subject(proposal: Proposal) -> Subject:
    return Subject(
        proposal=proposal.pk, revision=proposal.revision, action=proposal.action,
        summary=say(proposal.summary), title=say(actions.named(proposal.action).title),
        target=proposal.target, case=proposal.case_id,
        case_title=proposal.case.title or proposal.case.subject, tier=proposal.tier,
        href=reverse("proposal", args=[proposal.pk]),
    )  # fmt: skip


def _outcome(proposal: Proposal, facts: tuple[Fact, ...], who: Mapping[int, str]) -> Outcome:
    state = State(proposal.state)
    own = [fact for fact in facts if fact.subject == f"proposal:{proposal.pk}"]
    end = own[-1] if own and state not in OPEN_STILL else None
    because = (end.value("because") or str(end.body.get("because") or "")) if end else ""
    return Outcome(
        state=wording.state(state), words=_(ENDS[state]), because=say(because), at=end.at if end else None,
        who=wording.actor(end.actor, who) if end else "",
        outside=[_attempt(line) for line in reversed(calls.lines(proposal))],
    )  # fmt: skip


def _attempt(line: calls.Line) -> str:
    said = {"number": line.number, "system": line.system, "words": say(line.words), "key": line.outside_id}
    if line.outside_id:
        words = _("Attempt %(number)s at the %(system)s: %(words)s, there as %(key)s.") % said
    else:
        words = _("Attempt %(number)s at the %(system)s: %(words)s.") % said
    return f"{words} {say(line.because)}" if line.because else words


def _asked(proposal: Proposal, facts: tuple[Fact, ...], who: Mapping[int, str]) -> Asked:
    first = next((fact for fact in facts if fact.subject == f"proposal:{proposal.pk}" and fact.version == 1), None)
    run = str(first.body.get("run", "")).removeprefix("run:") if first else ""
    return Asked(
        who=wording.actor(proposal.proposer, who), actor=proposal.proposer, version=proposal.proposer_version,
        run=int(run) if run.isdecimal() else 0, at=first.at if first else None,
        because=say(str(proposal.submission.payload.get("justification", ""))),
    )  # fmt: skip


def _changes(proposal: Proposal, revision: Revision, books: showing.Books, facts: tuple[Fact, ...]) -> Changes:
    if not bytes(revision.nonce):  # erasing takes the nonce, without which the digest tells nothing
        return Changes(digest=revision.digest, erased=True, fields=[], effects=[], written="")
    changes, effects = diff.read_content(revision.content)
    rows = showing.fields(changes, books)
    return Changes(
        digest=revision.digest, erased=False,
        fields=[
            Changed(
                name=row.name, label=row.label,
                before=None if row.absent_before else showing.joined(row.before),
                after=None if row.absent_after else showing.joined(row.after),
            )
            for row in rows
        ],
        effects=[
            Effect(title=one.title, facts=list(one.facts), text=showing.joined(one.text))
            for one in showing.effects(effects, books)
        ],
        written=_written(proposal, facts),
    )  # fmt: skip


def _written(proposal: Proposal, facts: tuple[Fact, ...]) -> str:
    """Whether what was approved is what was written, as the entry of the write says it."""
    applied = log_report.last(facts, "proposal.applied")
    if proposal.state != State.APPLIED or applied is None:
        return ""
    if applied.body.get("already_so"):
        return _("It was so already when its turn came: nothing had to be written.")
    if applied.body.get("digest") != proposal.digest:
        return _("The log names other bytes as written than those that were approved.")
    return _("Exactly what was approved was written, byte for byte.")


def _allowed(proposal: Proposal, revision: Revision) -> Allowed:
    agent = proposal.proposer.startswith("agent:")
    flags = (wording.flag(flag) for flag in proposal.flags)
    denied = proposal.state == State.DENIED
    return Allowed(
        people=_("Policy forbids it.") if denied else wording.people_needed(revision.people, revision.second_role),
        reasons=[say(str(reason)) for reason in revision.verdict.get("reasons", ())], rules=rules.of(revision),
        flags=[Flag(label=label, meaning=meaning) for label, meaning in flags],
        confidence_pct=proposal.confidence_pct if agent else None,
        hold_seconds=int(revision.verdict.get("hold_seconds") or 0),
    )  # fmt: skip


def _undo(proposal: Proposal) -> Undo:
    undone = list(proposal.undone_by.defer("basis").order_by("pk"))
    return Undo(
        words=_way_back(proposal, undone), undoes=proposal.undoes_id or 0,
        by=[
            Back(
                proposal=one.pk, state=wording.state(one.state), words=say(one.summary),
                href=reverse("report", args=[one.pk]),
            )
            for one in undone
        ],
    )  # fmt: skip


def _way_back(proposal: Proposal, undone: Iterable[Proposal]) -> str:
    if proposal.state != State.APPLIED:
        return _("There is nothing to undo: nothing was changed.")
    states = {one.state for one in undone}
    if State.APPLIED in states:
        return _("It was undone, by a proposal of its own that went through the same door.")
    if states & {State.PENDING, State.APPROVED, State.APPLYING, State.STALE, State.UNKNOWN}:
        return _("An undo of it is under way.")
    return say(reversal.way_back(proposal)) or wording.REVERSIBLE[actions.named(proposal.action).reversibility]
