"""What a proposal waits for: nothing announced is sent without what it announces, at the revision it names."""

from approvals.models import Dependency, Proposal
from approvals.state import State
from portal.retold import kept

MAY_STILL_HAPPEN = (State.PENDING, State.APPROVED, State.APPLYING, State.STALE, State.UNKNOWN)
WAITS_FOR = kept("it waits for proposal %(proposal)s, which is %(state)s")
EDITED_SINCE = kept("it waits for proposal %(proposal)s, which was edited since")


def of(proposal: Proposal) -> list[Dependency]:
    """The dependency in force on each other proposal: its newest row."""
    rows = proposal.dependencies.select_related("on").order_by("on_id", "-pk").distinct("on_id")
    return list(rows)


def depend(proposal: Proposal, on: Proposal) -> Dependency:
    """Let a proposal wait for another as it stands now."""
    return Dependency.objects.create(workspace_id=proposal.workspace_id, proposal=proposal, on=on, revision=on.revision)


def renew(proposal: Proposal) -> None:
    """A new revision of a proposal answers what the others have become meanwhile."""
    for dependency in of(proposal):
        if dependency.on.revision != dependency.revision:
            depend(proposal, dependency.on)


def broken(proposal: Proposal) -> str:
    """Why what it waits for can no longer come about as named, in words, or ""."""
    for dependency in of(proposal):
        on = dependency.on
        if on.state not in (*MAY_STILL_HAPPEN, State.APPLIED):
            return WAITS_FOR % {"proposal": on.pk, "state": on.state}
        if on.revision != dependency.revision:
            return EDITED_SINCE % {"proposal": on.pk}
    return ""


def pending(proposal: Proposal) -> bool:
    """Whether something it waits for has not been applied yet."""
    return any(dependency.on.state != State.APPLIED for dependency in of(proposal))
