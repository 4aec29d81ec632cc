"""What must hold after every fault: one effect at most, a state that agrees with it, a log that tells the same."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from approvals import state
from approvals.models import Attempt, Outbox, Proposal, Receipt
from audit.events import Event
from audit.models import Entry
from portal import models, workspace
from tests.cast import Cast
from tests.faults.work import patiently

RUNNING_ROLES = {"countersign_web", "countersign_agents", "countersign_apply", "countersign_sealer"}
RELAY_LAG = timedelta(seconds=10)


@dataclass
class Found:
    """What a check found: proposals looked at, effects that are lost or there twice, and every disagreement."""

    looked_at: int = 0
    lost: int = 0
    doubled: int = 0
    wrong: list[str] = field(default_factory=list)

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.looked_at + other.looked_at, self.lost + other.lost, self.doubled + other.doubled,
            self.wrong + other.wrong,
        )  # fmt: skip


def look(cast: Cast, ledger: list[dict[str, Any]] | None = None) -> Found:
    """Everything of a workspace. `ledger` holds the outside provider's effects, where one serves its payments."""
    return patiently(lambda: _look(cast, ledger))


def _look(cast: Cast, ledger: list[dict[str, Any]] | None) -> Found:
    found = Found()
    with transaction.atomic():
        with connection.cursor() as cursor:  # what is still at work must not show rows before and entries after
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        now = workspace.enter(cast.ws)
        outside = references(ledger or [])
        for row in Proposal.objects.filter(workspace=cast.ws).order_by("pk"):
            found.looked_at += 1
            fold(row, found)
            effects(row, outside if ledger is not None else None, found)
        late = Outbox.objects.filter(dead_at=None, not_before__lt=now - RELAY_LAG)
        found.wrong += [f"still due since {row.not_before}: {row}" for row in late]
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT usename FROM pg_stat_activity WHERE datname = current_database()")
        strangers = {row[0] for row in cursor.fetchall()} - RUNNING_ROLES
    found.wrong += [f"a process is signed in as {name}" for name in strangers]
    return found


def fold(row: Proposal, found: Found) -> None:
    """The entries alone, from the first on, make every move legal and end where the row stands."""
    entries = Entry.objects.filter(workspace_id=row.workspace_id, subject=f"proposal:{row.pk}").order_by("version")
    stands: state.State | None = None
    for number, entry in enumerate(entries, 1):
        if entry.version != number:
            found.wrong.append(f"proposal {row.pk}: entry {number} has version {entry.version}")
        try:
            stands = state.move(stands, Event(entry.event)).after
        except state.IllegalMove as error:
            found.wrong.append(f"proposal {row.pk}: {error}")
        if entry.state != stands:
            found.wrong.append(f"proposal {row.pk}: entry {number} says {entry.state}, the moves say {stands}")
    if (stands, len(entries)) != (row.state, row.version):
        found.wrong.append(f"proposal {row.pk} is {row.state} at {row.version}, its entries say {stands}")


def effects(row: Proposal, outside: dict[str, int] | None, found: Found) -> None:
    receipts = Receipt.objects.filter(proposal=row).count()
    if (row.state == state.State.APPLIED) != (receipts == 1):
        found.wrong.append(f"proposal {row.pk} is {row.state} with {receipts} receipts")
    if row.action != "refund.create":
        return
    booked = models.Payment.objects.filter(reference=f"proposal:{row.pk}").count()
    made = booked if outside is None else sum(outside.get(str(key), 0) for key in _keys(row))
    found.doubled += max(0, made - 1) + max(0, booked - 1)
    open_question = row.state in (state.State.UNKNOWN, state.State.APPLYING)
    if row.state == state.State.APPLIED and made == 0:
        found.lost += 1
        found.wrong.append(f"proposal {row.pk} says applied, and nothing happened")
    if made and row.state != state.State.APPLIED and not open_question:
        found.lost += 1
        found.wrong.append(f"proposal {row.pk} is {row.state}, and it happened")
    if made > 1 or booked > 1:
        found.wrong.append(f"proposal {row.pk} happened {made} times, booked {booked} times")


def _keys(row: Proposal) -> set[Any]:
    return set(Attempt.objects.filter(proposal=row).values_list("key", flat=True))


def references(ledger: list[dict[str, Any]]) -> dict[str, int]:
    counted: dict[str, int] = {}
    for effect in ledger:
        counted[str(effect["reference"])] = counted.get(str(effect["reference"]), 0) + 1
    return counted
