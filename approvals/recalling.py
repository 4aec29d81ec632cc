"""Taking back together what was approved, is not sent yet, and what a thrown switch stops.

Each goes through `decisions.withdraw` in a savepoint of its own: one that cannot be taken back holds up none.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from approvals import decisions, proposals, state, switches
from approvals.models import Proposal, Switch
from approvals.state import State
from portal import roles
from portal.models import Role

# As many as one post takes back; the answer says that there is more.
MOST = 200


class RecallError(Exception):
    """Base of why nothing is taken back; the message is for the person."""


class NotAllowed(RecallError):
    """Only a manager takes back what others approved."""


class NotThrown(RecallError):
    """No such switch is thrown."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One that could not be taken back, and why."""

    proposal: int
    summary: str
    why: str


@dataclass(frozen=True, slots=True)
class Recalled:
    """Ids of what is withdrawn now, what is not, and whether there was more than one post takes."""

    withdrawn: tuple[int, ...]
    kept: tuple[Kept, ...]
    more: bool


def waiting(*, workspace: int, switch: switches.Thrown) -> int:
    """How much is approved and waits for this switch; stops counting behind `MOST`."""
    return _waiting(workspace, switch)[: MOST + 1].count()


def withdraw_waiting(*, workspace: int, kind: str, subject: str, person: int, now: datetime) -> Recalled:
    """Withdraw what is approved and waits for a thrown switch, wherever it was thrown.

    Raises:
        NotAllowed, NotThrown.
    """
    if Role.MANAGER not in roles.of(person, workspace):
        raise NotAllowed(_("Only a manager takes back what was approved."))
    thrown = [one for one in switches.in_force(workspace=workspace) if (one.kind, one.subject) == (kind, subject)]
    if not thrown:
        raise NotThrown(_("This switch is not thrown; what is approved goes its way."))
    rows = _waiting(workspace, thrown[0]).defer("basis").order_by("urgency", "pk")
    found = list(rows[: MOST + 1])
    withdrawn, kept = [], []
    for row in found[:MOST]:
        if why := _withdraw(row, person=person, now=now):
            kept.append(Kept(row.pk, row.summary, why))
        else:
            withdrawn.append(row.pk)
    return Recalled(tuple(withdrawn), tuple(kept), len(found) > MOST)


def _waiting(workspace: int, switch: switches.Thrown) -> QuerySet[Proposal]:
    approved = Proposal.objects.filter(workspace_id=workspace, state=State.APPROVED)
    match switch.kind:
        case Switch.Is.FREEZE:
            return approved.filter(action=switch.subject)
        case Switch.Is.HALT:
            return approved.filter(proposer=f"agent:{switch.subject}")
        case Switch.Is.AUTONOMY_OFF:
            return approved.exclude(proposer__startswith="person:")
    return approved.filter(people=0)


def _withdraw(row: Proposal, *, person: int, now: datetime) -> str:
    """Why it could not be, or ""."""
    try:
        with transaction.atomic():
            decisions.withdraw(
                workspace=row.workspace_id, proposal=row.pk, seen=decisions.Seen(row.revision, row.digest),
                person=person, now=now,
            )  # fmt: skip
    except (decisions.DecisionError, proposals.ProposalError, state.IllegalMove) as error:
        return str(error)
    return ""
