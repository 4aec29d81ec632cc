"""What the pages say of an item's time: waiting, how much is used, freshness, what was written since. Reads only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import deadlines, proposals, sweeper
from approvals.models import Proposal
from approvals.state import State
from portal.worktime import Hours

WROTE = (noop("customer wrote"), noop("The customer wrote after this came in; open it to read what."))
_WROTE_AFTER = """
    SELECT p.id, max(m.seq) FROM approvals_{kind} p JOIN approvals_case c ON c.id = p.case_id LEFT JOIN {made}
    JOIN portal_ticket t ON t.workspace_id = p.workspace_id AND t.ticket_id = substr(c.subject, 8)
    JOIN portal_message m ON m.workspace_id = p.workspace_id AND m.ticket_id = t.id
    WHERE p.workspace_id = %s AND p.id = ANY (%s) AND starts_with(c.subject, 'ticket:')
    AND m.sender = 'customer' AND m.seq > 1 AND (m.created_at > {at} OR m.seq > n.read_to) GROUP BY p.id
"""
_WROTE = {
    "proposal": _WROTE_AFTER.format(
        kind="proposal", at="coalesce(n.created_at, p.created_at)",
        made="approvals_revision n ON n.proposal_id = p.id AND n.number = p.revision",
    ),
    "handoff": _WROTE_AFTER.format(
        kind="handoff", at="p.created_at", made="approvals_submission n ON n.id = p.submission_id"
    ),
}  # fmt: skip
OPEN = (State.PENDING, State.STALE, "open")


@dataclass(frozen=True, slots=True)
class Standing:
    """`used` is the last mark its time has passed (0, 50, 75 or 100 per cent of it); `waiting_since` is UTC.

    `wrote` is the number of the newest message the customer wrote since, 0 where there is none. `asks`: once it is
    sent, its case waits for the customer's answer.
    """

    waiting_since: datetime | None
    late: bool
    used: int
    unfresh: bool
    wrote: int
    asks: bool


def of(item: sweeper.Item, hours: Hours, now: datetime) -> Standing | None:
    """Where the time of an open item stands; None where it has ended."""
    if item.state not in OPEN:
        return None
    due, waits = deadlines.moment(item.urgency), item.case.waiting_since
    length, kind = sweeper.time_of(item, hours), "proposal" if isinstance(item, Proposal) else "handoff"
    return Standing(
        waiting_since=waits,
        late=waits is None and due <= now,
        used=max((0, *deadlines.reached(hours, now, due, length))) if length and waits is None else 0,
        unfresh=isinstance(item, Proposal) and item.state == State.PENDING and item.fresh_until < now,
        wrote=wrote_since(item.workspace_id, kind, [item.pk]).get(item.pk, 0),
        asks=isinstance(item, Proposal) and proposals.asks(item),
    )


def words() -> tuple[str, str]:
    """The chip and its meaning where the customer wrote since."""
    chip, meaning = WROTE
    return _(chip), _(meaning)


def wrote_since(workspace: int, kind: str, keys: Sequence[int]) -> dict[int, int]:
    """Those of these proposals or hand-offs on whose ticket the customer wrote after they came to what they are now.

    Each with the number of the newest such message on its ticket.
    """
    if not keys:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_WROTE[kind], [workspace, list(keys)])
        return dict(cursor.fetchall())
