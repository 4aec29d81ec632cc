"""Everything the page of one proposal shows: what it does, why it is here, who may do what with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from approvals import (
    actions,
    anchors,
    background,
    calls,
    claims,
    decisions,
    dependencies,
    diff,
    eligibility,
    grounds,
    marks,
    meanwhile,
    passages,
    queries,
    returning,
    reversal,
    showing,
    staleness,
    switches,
    votes,
    wording,
)
from approvals.models import Claim, Decision, Handoff, Proposal, Revision, Submission
from approvals.state import Kind, State
from audit.events import Event
from portal import retold, roles


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at it, with the roles held in the workspace, and when (UTC)."""

    person: int
    held: frozenset[str]
    now: datetime
    looking: bool = False
    thrown: tuple[switches.Thrown, ...] = ()

    @property
    def decides(self) -> bool:
        """Whether the person may decide at all; nobody does who only looks as them."""
        return bool(roles.deciding(self.held)) and not self.looking

    @property
    def why_not(self) -> str:
        """Why they may not."""
        if self.looking:
            return _("You look as somebody else; nothing can be decided.")
        return "" if self.decides else _("Only reviewers and managers decide.")


@dataclass(frozen=True, slots=True)
class May:
    """What the viewer may do now; `why_not` says in words why not approve."""

    approve: bool = False
    why_not: str = ""
    reject: bool = False
    send_back: bool = False
    edit: bool = False
    claim: bool = False
    release: bool = False
    take_over: bool = False
    stop: bool = False
    unvote: bool = False
    reopen: bool = False
    withdraw: bool = False
    redo: bool = False
    undo: bool = False
    recover: bool = False
    resolve: bool = False


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
    why: grounds.Why
    votes: tuple[Decision, ...]
    left: eligibility.Left
    holder: Claim | None
    may: May
    due: datetime
    justification: str
    citations: tuple[background.Citation, ...]
    facts: background.Facts
    came: passages.Came
    waits_for: tuple[Proposal, ...]
    siblings: list[Proposal]
    handoffs: list[Handoff]
    timeline: tuple[background.Line, ...]
    stale_because: str
    meanwhile: meanwhile.Meanwhile
    undone_by: tuple[Proposal, ...]
    recovery: Handoff | Submission | None
    attempts: tuple[calls.Line, ...]
    run: int
    unchanged: tuple[tuple[str, str], ...]

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
    paper, before = draft(proposal), _before(proposal)
    payload, old = paper.payload, diff.read_content(before.content) if before else None
    since = meanwhile.of(proposal, look, person=viewer.person, now=viewer.now)
    evidence = payload.get("evidence", ())
    cited = background.citations(evidence, facts)
    given = tuple(_given(proposal))
    item = f"proposal:{proposal.pk}"
    holder = claims.holders(workspace=ws, items=[item], now=viewer.now).get(item)
    story = background.timeline(ws, proposal.case_id)
    people = queries.names([proposal.proposer])
    return Detail(
        proposal=proposal,
        revision=revision,
        title=_(actions.named(proposal.action).title),
        who=wording.actor(proposal.proposer, people),
        rows=showing.fields(
            changes, facts.books, look.now if look and three else None, look.fits if look else None,
            old[0] if old else None,
        ),
        effects=showing.effects(effects, facts.books, old[1] if old else ()),
        three_columns=three,
        warnings=marks.warnings(showing.texts(changes, effects)),
        why=grounds.of(proposal, revision, _taint(proposal, cited), before, str(payload.get("verified", ""))),
        votes=given,
        left=eligibility.left(proposal),
        holder=holder,
        may=_may(proposal, revision, viewer, holder, given, since),
        due=queries.moment(proposal.urgency),
        justification=retold.say(str(payload.get("justification", ""))),
        citations=cited,
        facts=facts,
        came=passages.of({proposal.pk: revision.taint}, facts.ticket, anchors.quoted(evidence, facts.ticket)),
        waits_for=tuple(d.on for d in dependencies.of(proposal)),
        siblings=background.siblings(ws, proposal.case_id, proposal.pk),
        handoffs=background.handoffs(ws, proposal.case_id),
        timeline=story,
        stale_because=_because(proposal, story),
        meanwhile=since,
        undone_by=tuple(proposal.undone_by.defer("basis").order_by("-pk")[:3]),
        recovery=reversal.open_case(proposal) if proposal.state == State.APPLIED else None,
        attempts=calls.lines(proposal),
        run=_number(paper.run),
        unchanged=showing.unchanged(changes, _record(proposal, facts), facts.books) if look and not three else (),
    )  # fmt: skip


def _record(proposal: Proposal, facts: background.Facts) -> Mapping[str, Any]:
    """What the same action could set of the case's own record, as it is."""
    ticket, contact = facts.ticket, facts.contact
    if ticket and (proposal.action, proposal.target) == ("ticket.update", f"ticket:{ticket.ticket_id}"):
        return {name: getattr(ticket, name) for name in actions.named(proposal.action).schema.model_fields}
    if contact and (proposal.action, proposal.target) == ("contact.update", f"contact:{contact.contact_id}"):
        return {name: value for name, value in contact.fields.items() if name not in contact.locked_fields}
    return {}


def _number(run: str) -> int:
    """Of `run:12`; 0 where a person or another program proposed."""
    kind, _colon, key = run.partition(":")
    return int(key) if kind == "run" and key.isdecimal() else 0


def draft(proposal: Proposal) -> Submission:
    """What the words and citations of an agent stand in: its newest draft that became a revision."""
    if proposal.revision == 1:
        return proposal.submission
    again = Submission.objects.filter(revises=proposal, outcome__startswith=returning.REVISED)
    return again.order_by("-pk").first() or proposal.submission


def _given(proposal: Proposal) -> list[Decision]:
    """Approving votes on what stands there now, with their people."""
    return list(
        Decision.objects.filter(proposal=proposal, kind=Kind.APPROVE, revision=proposal.revision, round=proposal.round)
        .select_related("person")
        .order_by("pk")
    )


def _before(proposal: Proposal) -> Revision | None:
    """The revision before, to show what an edit changed."""
    if proposal.revision == 1:
        return None
    return Revision.objects.filter(proposal=proposal, number=proposal.revision - 1).first()


def _because(proposal: Proposal, story: tuple[background.Line, ...]) -> str:
    if proposal.state != State.STALE:
        return ""
    said = (line for line in story if line.event == Event.PROPOSAL_STALE and line.note)
    mine = [line.note for line in said if line.about == f"proposal:{proposal.pk}"]
    return mine[-1] if mine else retold.say(staleness.CHANGED)


def _taint(proposal: Proposal, cited: tuple[background.Citation, ...]) -> str:
    """A ticket is read for what its words say; of money and of records the words alone are not enough."""
    return "" if proposal.target.startswith("ticket:") else background.taint(cited)


def _may(
    proposal: Proposal, revision: Revision, viewer: Viewer, holder: Claim | None, given: tuple[Decision, ...],
    since: meanwhile.Meanwhile,
) -> May:  # fmt: skip
    if not viewer.decides or not revision.nonce:
        return May(why_not=viewer.why_not or _("What this held was erased: nothing is left to decide."))
    manager, state, way = "manager" in viewer.held, State(proposal.state), reversal.offered(proposal)
    others = holder is not None and holder.person_id != viewer.person
    free = state == State.PENDING and not others
    off = switches.why(viewer.thrown, action=proposal.action, proposer=proposal.proposer)
    stopped = since.why_wait or retold.say(off)
    why_not = stopped or votes.why_not(proposal, viewer.person, viewer.held, revision) if free else ""
    waits = state in meanwhile.WAITING and not others
    own = proposal.proposer == f"person:{viewer.person}"
    mine = any(vote.person_id == viewer.person for vote in given)
    return May(
        approve=free and not why_not,
        why_not=why_not,
        reject=waits,
        send_back=waits and proposal.proposer.startswith("agent:") and not since.why_wait,
        edit=free,
        claim=state in (State.PENDING, State.STALE) and holder is None,
        release=holder is not None and not others,
        take_over=others and manager and state in (State.PENDING, State.STALE),
        stop=state == State.APPROVED and (manager or mine),
        unvote=state == State.PENDING and mine,
        reopen=state == State.REJECTED and (manager or _rejected_just_now(proposal, viewer)),
        withdraw=state in (State.PENDING, State.STALE, State.APPROVED) and (manager or own),
        redo=state in (State.STALE, State.FAILED) and (manager or not since.overwrites),
        undo=way == "undo",
        recover=way == "recover",
        resolve=state == State.UNKNOWN and manager and since.found is None,
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
    until = decisions.reopens_until(proposal, viewer.person)
    return until is not None and until >= viewer.now
