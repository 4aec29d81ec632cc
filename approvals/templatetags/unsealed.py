"""Why something that is approved and due has not gone out: the log is not sealed yet."""

from collections.abc import Sequence
from datetime import datetime

from django import template

from approvals import sealed
from approvals.models import Proposal
from approvals.state import State

register = template.Library()


@register.simple_tag
def unsealed(rows: Proposal | Sequence[Proposal]) -> dict[int, datetime]:
    """Since when (UTC) each of them waits, by id; one statement, and none where nothing is approved."""
    found = [rows] if isinstance(rows, Proposal) else list(rows)
    approved = [row.pk for row in found if row.state == State.APPROVED]
    return sealed.waiting(found[0].workspace_id, approved) if approved else {}


@register.filter
def since_of(waiting: dict[int, datetime], row: Proposal) -> datetime | None:
    """Of one of them; None where it does not wait."""
    return waiting.get(row.pk)
