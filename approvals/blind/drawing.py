"""What is drawn for a second look, in the transaction that decides it: a share by its digest, a new version's first.

Nothing waits for a second look, and what comes of it moves nothing.
"""

from datetime import datetime

from approvals.models import Proposal, SecondLook
from approvals.state import Kind

# One of so many; who decides cannot choose the digest, since a random nonce is in it.
ONE_OF = 20
FIRST_OF_VERSION = 20


def drawn(digest: str) -> bool:
    """Whether a revision is among the share, by its digest alone: whoever asks again gets the same answer."""
    return int(digest[:8], 16) % ONE_OF == 0


def draw(proposal: Proposal, decided: Kind, *, now: datetime) -> None:
    """Lay aside for a second look what was just decided, if it is drawn."""
    if why := _why(proposal, decided):
        place(proposal, decided, why=why, now=now)


def place(proposal: Proposal, decided: Kind, *, why: SecondLook.Why, now: datetime) -> None:
    """Once per revision, however often that is decided."""
    of_agent = proposal.proposer.startswith("agent:")
    if not SecondLook.objects.filter(proposal=proposal, revision=proposal.revision).exists():
        SecondLook.objects.create(
            workspace_id=proposal.workspace_id, proposal=proposal, revision=proposal.revision, decided=decided, why=why,
            agent=proposal.proposer if of_agent else "", version=proposal.proposer_version if of_agent else "",
            drawn_at=now,
        )  # fmt: skip


def _why(proposal: Proposal, decided: Kind) -> SecondLook.Why | None:
    new = decided == Kind.APPROVE and proposal.proposer_version and proposal.proposer.startswith("agent:")
    if new and _so_far(proposal) < FIRST_OF_VERSION:
        return SecondLook.Why.NEW_VERSION
    return SecondLook.Why.SHARE if drawn(proposal.digest) else None


def _so_far(proposal: Proposal) -> int:
    """How many of its version were drawn for being among the first; never more than are drawn at most."""
    of_version = SecondLook.objects.filter(
        workspace_id=proposal.workspace_id, agent=proposal.proposer, version=proposal.proposer_version,
        why=SecondLook.Why.NEW_VERSION,
    )  # fmt: skip
    return len(of_version.values_list("pk")[:FIRST_OF_VERSION])
