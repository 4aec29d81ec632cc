"""What the pages say of an item's time: waiting, how much is used, freshness, what was written since. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Max

from approvals import deadlines, proposals, sweeper
from approvals.models import Proposal, Revision
from approvals.state import State
from portal.models import Message
from portal.worktime import Hours

WROTE = ("customer wrote", "The customer wrote after this came in; open it to read what.")
OPEN = (State.PENDING, State.STALE, "open")


@dataclass(frozen=True, slots=True)
class Standing:
    """`used` is the last mark its time has passed (0, 50, 75 or 100 per cent of it); `waiting_since` is UTC.

    `asks`: once it is sent, its case waits for the customer's answer.
    """

    waiting_since: datetime | None
    late: bool
    used: int
    unfresh: bool
    wrote: bool
    asks: bool


def of(item: sweeper.Item, hours: Hours, now: datetime) -> Standing | None:
    """Where the time of an open item stands; None where it has ended."""
    if item.state not in OPEN:
        return None
    due, waits = deadlines.moment(item.urgency), item.case.waiting_since
    length = sweeper.time_of(item, hours)
    return Standing(
        waiting_since=waits,
        late=waits is None and due <= now,
        used=max((0, *deadlines.reached(hours, now, due, length))) if length and waits is None else 0,
        unfresh=isinstance(item, Proposal) and item.state == State.PENDING and item.fresh_until < now,
        wrote=not isinstance(item, Proposal) and bool(wrote_since(item.workspace_id, [item])),
        asks=isinstance(item, Proposal) and proposals.asks(item),
    )


def wrote_since(workspace: int, items: Sequence[sweeper.Item]) -> set[int]:
    """Ids of those items on whose ticket the customer wrote after they came to what they are now."""
    newest = _newest_messages(workspace, [item.case.subject for item in items])
    if not newest:
        return set()
    revised = _revised([item for item in items if isinstance(item, Proposal) and item.revision > 1])
    return {
        item.pk
        for item in items
        if (said := newest.get(item.case.subject)) is not None and said > revised.get(item.pk, item.created_at)
    }


def _newest_messages(workspace: int, subjects: Sequence[str]) -> dict[str, datetime]:
    """When the customer last wrote on each ticket after the first message; by subject."""
    tickets = {subject.removeprefix("ticket:") for subject in subjects if subject.startswith("ticket:")}
    if not tickets:
        return {}
    rows = Message.objects.filter(
        workspace_id=workspace, sender="customer", seq__gt=1, ticket__ticket_id__in=tickets
    ).values_list("ticket__ticket_id").annotate(newest=Max("created_at"))  # fmt: skip
    return {f"ticket:{ticket}": newest for ticket, newest in rows}


def _revised(rows: Sequence[Proposal]) -> dict[int, datetime]:
    """When what stands there now was made."""
    newest = Revision.objects.filter(proposal__in=rows, number=F("proposal__revision"))
    return dict(newest.values_list("proposal_id", "created_at")) if rows else {}
