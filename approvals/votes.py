"""Who may vote on a proposal, and when the votes make a quorum. The trigger in `sql/` is the second wall."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from approvals import abouts, calling, diff, proposals
from approvals.blind import drawing
from approvals.models import Decision, Proposal, Revision
from approvals.state import Kind, State
from audit import log
from audit.events import Event
from portal import roles
from portal.models import Membership, StepUp
from portal.templatetags.language import role_word

# What was decided among others is held at least this long: one hand must be able to take all of it back.
BATCH_HOLD = timedelta(minutes=5)


_NEVER = """
    SELECT coalesce(current_setting('countersign.impersonator', true), '') <> '', EXISTS (
        SELECT FROM portal_person me WHERE me.id = %s AND me.email <> '' AND EXISTS (
            SELECT FROM (SELECT %s::bigint AS ws, %s AS customer, %s AS target) p WHERE
            EXISTS (SELECT FROM portal_customer c WHERE c.workspace_id = p.ws
                    AND c.customer_id = p.customer AND lower(c.email) = lower(me.email))
            OR EXISTS (SELECT FROM portal_contact c WHERE c.workspace_id = p.ws
                       AND 'contact:' || c.contact_id = p.target AND lower(c.fields->>'email') = lower(me.email))))
"""


def current(proposal: Proposal) -> Revision:
    """The revision that the proposal stands at."""
    return Revision.objects.get(proposal_id=proposal.pk, number=proposal.revision)


def approvals_of(proposal: Proposal) -> list[Decision]:
    """Approving votes on the current digest, oldest first."""
    return list(
        Decision.objects.filter(
            workspace_id=proposal.workspace_id, proposal=proposal, kind=Kind.APPROVE,
            revision=proposal.revision, round=proposal.round, digest=proposal.digest,
        ).order_by("pk")
    )  # fmt: skip


def gave(proposal: Proposal, person: int) -> bool:
    """Whether theirs is among the approvals on the current digest."""
    return any(vote.person_id == person for vote in approvals_of(proposal))


def givers(proposal: Proposal) -> list[str]:
    """Whose approvals count now, as actors (`person:3`), for the entry of what dismisses them."""
    return [f"person:{vote.person_id}" for vote in approvals_of(proposal)]


def why_not(proposal: Proposal, person: int, held: Iterable[str], revision: Revision) -> str:
    """Why a person may not approve, in words, or "". Their own work is visibly not approvable."""
    if not roles.deciding(held):
        return _("Only reviewers and managers decide.")
    if reason := _never(proposal, person):
        return reason
    me = f"person:{person}"
    if proposal.proposer == me and not started_undo(proposal, me):
        return _("You proposed this; somebody else approves it.")
    edited = Revision.objects.filter(proposal=proposal, made_by=me, alone=False)
    if started_undo(proposal, me):
        edited = edited.exclude(number=1)
    if edited.exists():
        return _("You edited this; somebody else approves it.")
    votes = approvals_of(proposal)
    if any(vote.person_id == person for vote in votes):
        return _("You have approved this; it waits for somebody else.")
    if _leaves_no_place(revision, standing(proposal), set(held)):
        told = {"people": revision.people, "role": role_word(revision.second_role)}
        return _("The last of %(people)s must be a %(role)s.") % told
    return ""


def _never(proposal: Proposal, person: int) -> str:
    """Whoever looks as somebody else, and whoever it is about by their e-mail address. As the trigger asks it."""
    with connection.cursor() as cursor:
        cursor.execute(_NEVER, [person, proposal.workspace_id, proposal.customer, proposal.target])
        looking, about = cursor.fetchone()
    if looking:
        return _("You look as somebody else; nothing can be decided.")
    return _("This is about you; somebody else approves it.") if about else ""


def _leaves_no_place(revision: Revision, votes: list[Decision], held: set[str]) -> bool:
    """Whether this vote would be the last and nobody among them held the second role."""
    role = revision.second_role
    last = bool(role) and role not in held and len(votes) + 1 >= revision.people
    return last and not any(_holds(vote, role) for vote in votes)


def started_undo(proposal: Proposal, actor: str) -> bool:
    """Whoever starts the undo of something reversible below high may approve it, where nothing of it changed since."""
    return (
        proposal.undoes_id is not None and proposal.proposer == actor and proposal.tier != "high"
        and proposal.people == 1 and proposal.revision == 1 and "partial_undo" not in proposal.flags
    )  # fmt: skip


def _holds(vote: Decision, role: str) -> bool:
    return Membership.objects.filter(
        workspace_id=vote.workspace_id, person_id=vote.person_id, role=role, active=True
    ).exists()


def standing(proposal: Proposal) -> list[Decision]:
    """The votes that still count with today's roles and active people."""
    return [vote for vote in approvals_of(proposal) if roles.deciding(roles.of(vote.person_id, proposal.workspace_id))]


def quorum(proposal: Proposal, revision: Revision, given: list[Decision] | None = None) -> bool:
    """Enough distinct people, one of them with the second role where the verdict asks for it."""
    votes = standing(proposal) if given is None else given
    if len({vote.person_id for vote in votes}) < max(1, revision.people):
        return False
    return not revision.second_role or any(_holds(vote, revision.second_role) for vote in votes)


def cast(
    proposal: Proposal, *, person: int, role: str, kind: Kind, now: datetime, reason: str = "", note: str = "",
    step_up: StepUp | None = None, batch: str = "", told: Mapping[str, int] | None = None,
) -> Decision:  # fmt: skip
    """One person's decision on exactly the current digest, and its entry; `told` is how it was looked at, if known."""
    decision = Decision.objects.create(
        workspace_id=proposal.workspace_id, proposal=proposal, revision=proposal.revision, round=proposal.round,
        digest=proposal.digest, person_id=person, role=role, kind=kind, reason=reason, note=note[:1000], created_at=now,
        step_up=step_up, batch=batch,
    )  # fmt: skip
    log.record(
        workspace=proposal.workspace_id, subject=f"decision:{decision.pk}", version=1,
        event=Event.DECISION_RECORDED, actor=f"person:{person}", now=now, case=f"case:{proposal.case_id}",
        trace_id=proposal.submission.trace_id,
        body={
            "proposal": proposal.pk, "kind": str(kind), "revision": proposal.revision, "round": proposal.round,
            "digest": proposal.digest, "role": role, "reason": reason,
            **({"step_up": step_up.pk} if step_up else {}), **({"batch": batch} if batch else {}),
            **(told or {}),
        },
        personal={"note": note} if note else None, about=abouts.of(proposal),
    )  # fmt: skip
    if kind == Kind.REJECT:  # what is sent back is said to an agent
        calling.call(
            workspace=proposal.workspace_id, text=note[:1000], item=f"proposal:{proposal.pk}", person=person, now=now
        )
    return decision


def found(proposal: Proposal, *, since: datetime) -> Decision | None:
    """What a manager last said became of it, since its last attempt ended (UTC)."""
    kinds = (Kind.FOUND, Kind.NOT_FOUND)
    said = Decision.objects.filter(
        workspace_id=proposal.workspace_id, proposal=proposal, revision=proposal.revision, kind__in=kinds,
        created_at__gte=since,
    )  # fmt: skip
    return said.order_by("-pk").first()


def approve_if_quorum(proposal: Proposal, revision: Revision, *, actor: str, now: datetime) -> bool:
    """Move a pending proposal on once the votes suffice; starts its hold."""
    given = standing(proposal)
    if not quorum(proposal, revision, given):
        return False
    hold = timedelta(seconds=int(revision.verdict["hold_seconds"]))
    if any(vote.batch for vote in given):
        hold = max(hold, BATCH_HOLD)
    proposals.transition(
        proposal, Event.PROPOSAL_APPROVED, actor=actor, now=now, hold_until=now + hold, decided_at=now,
        body={"people": revision.people, "hold_seconds": int(hold.total_seconds())},
    )  # fmt: skip
    drawing.draw(proposal, Kind.APPROVE, now=now)
    return True


def count_undo_starter(proposal: Proposal, *, seen: str, content: bytes, now: datetime) -> None:
    """An undo's starter approved what was on their screen: it counts if these are the very same changes."""
    kind, _colon, person = proposal.proposer.partition(":")
    if proposal.state != State.PENDING or kind != "person" or not started_undo(proposal, proposal.proposer):
        return
    if seen != diff.content_hash(content):
        return
    role = roles.deciding(roles.of(int(person), proposal.workspace_id))
    if not role:
        return
    cast(proposal, person=int(person), role=role, kind=Kind.APPROVE, now=now)
    approve_if_quorum(proposal, current(proposal), actor=proposal.proposer, now=now)
