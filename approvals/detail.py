"""Everything the page of one proposal shows: what it does, why it is here, who may do what with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from approvals import (
    actions,
    background,
    claims,
    decisions,
    dependencies,
    diff,
    marks,
    queries,
    showing,
    staleness,
    votes,
    wording,
)
from approvals.models import Claim, Decision, Handoff, Proposal, Revision, Threshold
from approvals.state import Kind, State
from portal import roles

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at it, with the roles held in the workspace, and when (UTC)."""

    person: int
    held: frozenset[str]
    now: datetime

    @property
    def decides(self) -> bool:
        """Whether the person may decide at all."""
        return bool(roles.deciding(self.held))


@dataclass(frozen=True, slots=True)
class May:
    """What the viewer may do now; `why_not` says in words why not approve."""

    approve: bool = False
    why_not: str = ""
    reject: bool = False
    edit: bool = False
    claim: bool = False
    release: bool = False
    take_over: bool = False
    stop: bool = False
    reopen: bool = False
    withdraw: bool = False
    redo: bool = False
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """Why it is here, in words."""

    people: str
    reasons: tuple[str, ...]
    reversible: str
    confidence: str
    history: str
    flags: tuple[tuple[str, str], ...]
    taint: str


@dataclass(frozen=True, slots=True)
class Detail:
    """One proposal as its page shows it."""

    proposal: Proposal
    revision: Revision
    title: str
    who: str
    rows: tuple[showing.FieldRow, ...]
    effects: tuple[showing.Effect, ...]
    three_columns: bool
    warnings: tuple[marks.Warning, ...]
    why: Why
    votes: tuple[Decision, ...]
    holder: Claim | None
    may: May
    due: datetime
    justification: str
    citations: tuple[background.Citation, ...]
    facts: background.Facts
    waits_for: tuple[Proposal, ...]
    siblings: list[Proposal]
    handoffs: list[Handoff]
    timeline: tuple[background.Line, ...]
    stale_because: str
    undone_by: tuple[Proposal, ...]

    @property
    def item(self) -> str:
        """Its name in the queue."""
        return f"proposal:{self.proposal.pk}"


def gather(proposal: Proposal, viewer: Viewer) -> Detail:
    """Read everything about a proposal, in a number of statements that does not depend on the queue."""
    ws, revision = proposal.workspace_id, votes.current(proposal)
    facts = background.facts(ws, proposal.case, proposal.target, proposal.customer)
    changes, effects = diff.read_content(revision.content)
    look = staleness.look(proposal, revision) if proposal.state in (State.PENDING, State.STALE) else None
    three = look is not None and (look.conflict or proposal.state == State.STALE)
    payload = proposal.submission.payload
    cited = background.citations(payload.get("evidence", ()), facts)
    given = tuple(_given(proposal))
    holder = claims.holders(workspace=ws, items=[f"proposal:{proposal.pk}"], now=viewer.now).get(
        f"proposal:{proposal.pk}"
    )
    story = background.timeline(ws, proposal.case_id)
    people = queries.names([proposal.proposer])
    return Detail(
        proposal=proposal,
        revision=revision,
        title=actions.named(proposal.action).title,
        who=wording.actor(proposal.proposer, people),
        rows=showing.fields(changes, facts.books, look.now if look and three else None, look.fits if look else None),
        effects=showing.effects(effects, facts.books, _earlier(proposal)),
        three_columns=three,
        warnings=marks.warnings(showing.texts(changes, effects)),
        why=_why(proposal, revision, _taint(proposal, cited)),
        votes=given,
        holder=holder,
        may=_may(proposal, revision, viewer, holder, given),
        due=queries.moment(proposal.urgency),
        justification=str(payload.get("justification", "")),
        citations=cited,
        facts=facts,
        waits_for=tuple(d.on for d in dependencies.of(proposal)),
        siblings=background.siblings(ws, proposal.case_id, proposal.pk),
        handoffs=background.handoffs(ws, proposal.case_id),
        timeline=story,
        stale_because=_because(proposal, story),
        undone_by=tuple(proposal.undone_by.defer("basis").order_by("-pk")[:3]),
    )


def _given(proposal: Proposal) -> list[Decision]:
    """Approving votes on what stands there now, with their people."""
    return list(
        Decision.objects.filter(proposal=proposal, kind=Kind.APPROVE, revision=proposal.revision, round=proposal.round)
        .select_related("person")
        .order_by("pk")
    )


def _earlier(proposal: Proposal) -> tuple[dict[str, Any], ...]:
    """Effects of the revision before, to mark the words that an edit changed."""
    if proposal.revision == 1:
        return ()
    before = Revision.objects.filter(proposal=proposal, number=proposal.revision - 1).first()
    return diff.read_content(before.content)[1] if before else ()


def _because(proposal: Proposal, story: tuple[background.Line, ...]) -> str:
    if proposal.state != State.STALE:
        return ""
    mine = [line.note for line in story if line.about == f"proposal:{proposal.pk}" and line.note]
    return mine[-1] if mine else "the record changed since"


def _why(proposal: Proposal, revision: Revision, taint: str) -> Why:
    rule = _rule(proposal.workspace_id, revision)
    confidence = f"{proposal.confidence_pct}%" if proposal.proposer.startswith("agent:") else ""
    if rule is not None and confidence:
        side = "below" if proposal.confidence_pct < rule.confidence_floor_pct else "at or above"
        confidence += f", {side} the floor of {rule.confidence_floor_pct}%"
    return Why(
        people=wording.people_needed(revision.people, revision.second_role),
        reasons=tuple(revision.verdict.get("reasons", ())),
        reversible=wording.REVERSIBLE[actions.named(proposal.action).reversibility],
        confidence=confidence,
        history=_history(proposal),
        flags=tuple(wording.flag(flag) for flag in proposal.flags),
        taint=taint,
    )


def _rule(workspace: int, revision: Revision) -> Threshold | None:
    """The threshold row that decided, `series vN` in the verdict."""
    series, _, version = next(iter(revision.verdict.get("rules", ())), "").rpartition(" v")
    if not (series and version.isdecimal()):
        return None
    return Threshold.objects.filter(workspace_id=workspace, series=series, version=int(version)).first()


def _taint(proposal: Proposal, cited: tuple[background.Citation, ...]) -> str:
    """A ticket is read for what its words say; of money and of records the words alone are not enough."""
    return "" if proposal.target.startswith("ticket:") else background.taint(cited)


def _history(proposal: Proposal) -> str:
    """How often money was proposed for this customer within a week."""
    if not proposal.customer or proposal.amount_minor is None:
        return ""
    same = Proposal.objects.filter(
        workspace_id=proposal.workspace_id,
        customer=proposal.customer,
        action=proposal.action,
        created_at__gt=proposal.created_at - WEEK,
        created_at__lt=proposal.created_at,
    )[:20]
    times = len(same.values_list("pk"))
    return (
        f"{times} more of these for this customer in the week before"
        if times
        else "The first of these for this customer in a week"
    )


def _may(
    proposal: Proposal, revision: Revision, viewer: Viewer, holder: Claim | None, given: tuple[Decision, ...]
) -> May:
    if not viewer.decides:
        return May(why_not="Only reviewers and managers decide.")
    manager, state = "manager" in viewer.held, State(proposal.state)
    others = holder is not None and holder.person_id != viewer.person
    free = state == State.PENDING and not others
    why_not = votes.why_not(proposal, viewer.person, viewer.held, revision) if free else ""
    own = proposal.proposer == f"person:{viewer.person}"
    return May(
        approve=free and not why_not,
        why_not=why_not,
        reject=free or (state == State.STALE and not others),
        edit=free,
        claim=state == State.PENDING and holder is None,
        release=holder is not None and not others,
        take_over=others and manager and state == State.PENDING,
        stop=state == State.APPROVED and (manager or any(v.person_id == viewer.person for v in given)),
        reopen=state == State.REJECTED and (manager or _rejected_just_now(proposal, viewer)),
        withdraw=state in (State.PENDING, State.STALE, State.APPROVED) and (manager or own),
        redo=state in (State.STALE, State.FAILED),
        undo=_undoable(proposal),
    )


def lease(viewer: Viewer, holder: Claim | None) -> May:
    """What the viewer may do about who has a hand-off in hand."""
    if not viewer.decides:
        return May()
    others = holder is not None and holder.person_id != viewer.person
    return May(
        claim=holder is None,
        release=holder is not None and not others,
        take_over=others and "manager" in viewer.held,
    )


def _rejected_just_now(proposal: Proposal, viewer: Viewer) -> bool:
    since = viewer.now - decisions.REOPEN_WITHIN
    mine = proposal.decisions.filter(kind=Kind.REJECT, person_id=viewer.person, round=proposal.round)
    return mine.filter(created_at__gte=since).exists()


def _undoable(proposal: Proposal) -> bool:
    if proposal.state != State.APPLIED or actions.named(proposal.action).reversibility != "reversible":
        return False
    return not proposal.undone_by.filter(state__in=(State.PENDING, State.APPROVED, State.APPLYING)).exists()
