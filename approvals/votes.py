"""Who may vote on a proposal, and when the votes make a quorum. The trigger in `sql/` is the second wall."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from approvals import diff, proposals
from approvals.models import Decision, Proposal, Revision
from approvals.state import Kind, State
from audit import log
from audit.events import Event
from portal import roles
from portal.models import Membership


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


def why_not(proposal: Proposal, person: int, held: Iterable[str], revision: Revision) -> str:
    """Why a person may not approve, in words, or "". Their own work is visibly not approvable."""
    if not roles.deciding(held):
        return "Only reviewers and managers decide."
    me = f"person:{person}"
    if proposal.proposer == me and not started_undo(proposal, me):
        return "You proposed this; somebody else approves it."
    edited = Revision.objects.filter(proposal=proposal, made_by=me, alone=False)
    if started_undo(proposal, me):
        edited = edited.exclude(number=1)
    if edited.exists():
        return "You edited this; somebody else approves it."
    votes = approvals_of(proposal)
    if any(vote.person_id == person for vote in votes):
        return "You have approved this; it waits for somebody else."
    if _leaves_no_place(revision, votes, set(held)):
        return f"The last of {revision.people} must be a {revision.second_role}."
    return ""


def _leaves_no_place(revision: Revision, votes: list[Decision], held: set[str]) -> bool:
    """Whether this vote would be the last and nobody among them held the second role."""
    role = revision.second_role
    last = bool(role) and role not in held and len(votes) + 1 >= revision.people
    return last and not any(_holds(vote, role) for vote in votes)


def started_undo(proposal: Proposal, actor: str) -> bool:
    """Whoever starts the undo of something reversible below high may approve it."""
    return (
        proposal.undoes_id is not None and proposal.proposer == actor and proposal.tier != "high"
        and proposal.people == 1 and proposal.revision == 1
    )  # fmt: skip


def _holds(vote: Decision, role: str) -> bool:
    return Membership.objects.filter(
        workspace_id=vote.workspace_id, person_id=vote.person_id, role=role, active=True
    ).exists()


def standing(proposal: Proposal) -> list[Decision]:
    """The votes that still count with today's roles and active people."""
    return [vote for vote in approvals_of(proposal) if roles.deciding(roles.of(vote.person_id, proposal.workspace_id))]


def quorum(proposal: Proposal, revision: Revision) -> bool:
    """Enough distinct people, one of them with the second role where the verdict asks for it."""
    votes = standing(proposal)
    if len({vote.person_id for vote in votes}) < max(1, revision.people):
        return False
    return not revision.second_role or any(_holds(vote, revision.second_role) for vote in votes)


def cast(
    proposal: Proposal, *, person: int, role: str, kind: Kind, now: datetime, reason: str = "", note: str = ""
) -> Decision:
    """One person's decision on exactly the current digest, and its entry."""
    decision = Decision.objects.create(
        workspace_id=proposal.workspace_id, proposal=proposal, revision=proposal.revision, round=proposal.round,
        digest=proposal.digest, person_id=person, role=role, kind=kind, reason=reason, note=note, created_at=now,
    )  # fmt: skip
    log.record(
        workspace=proposal.workspace_id, subject=f"decision:{decision.pk}", version=1,
        event=Event.DECISION_RECORDED, actor=f"person:{person}", now=now, case=f"case:{proposal.case_id}",
        body={
            "proposal": proposal.pk, "kind": str(kind), "revision": proposal.revision, "round": proposal.round,
            "digest": proposal.digest, "role": role, "reason": reason,
        },
        personal={"note": note} if note else None,
    )  # fmt: skip
    return decision


def approve_if_quorum(proposal: Proposal, revision: Revision, *, actor: str, now: datetime) -> bool:
    """Move a pending proposal on once the votes suffice; starts its hold."""
    if not quorum(proposal, revision):
        return False
    hold = timedelta(seconds=int(revision.verdict["hold_seconds"]))
    proposals.transition(
        proposal, Event.PROPOSAL_APPROVED, actor=actor, now=now, hold_until=now + hold, decided_at=now,
        body={"people": revision.people, "hold_seconds": int(hold.total_seconds())},
    )  # fmt: skip
    return True


def count_undo_starter(proposal: Proposal, *, seen: str, content: bytes, now: datetime) -> None:
    """An undo's starter approved what was on their screen: it counts if these are the very same changes."""
    kind, _, person = proposal.proposer.partition(":")
    if proposal.state != State.PENDING or kind != "person" or not started_undo(proposal, proposal.proposer):
        return
    if seen != diff.content_hash(content):
        return
    role = roles.deciding(roles.of(int(person), proposal.workspace_id))
    if not role:
        return
    cast(proposal, person=int(person), role=role, kind=Kind.APPROVE, now=now)
    approve_if_quorum(proposal, current(proposal), actor=proposal.proposer, now=now)
