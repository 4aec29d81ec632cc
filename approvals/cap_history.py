"""What a daily cap stopped as it came in, day by day: the evidence beside loosening one. Reads only.

A day is one where the workspace is. What was stopped after it had been waiting is not among it.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from portal import money
from portal.figures import figure

DAYS = 90

# The cap that stopped it stands by series and version in what is kept of it.
_STOPPED = """
SELECT (h.created_at AT TIME ZONE w.time_zone)::date, count(*), coalesce(h.found->'args'->>'currency', ''),
       sum((h.found->'args'->>'amount_minor')::bigint)
FROM approvals_handoff h JOIN portal_workspace w ON w.id = h.workspace_id
WHERE h.workspace_id = %s AND h.reason = 'daily_cap' AND h.created_at > %s AND position(%s IN h.summary) > 0
GROUP BY 1, 3 ORDER BY 1 DESC, 3
"""


@dataclass(frozen=True, slots=True)
class Day:
    """One day on which it stopped something: how many writes, and the money of those that move some."""

    day: date
    writes: int
    sums: tuple[str, ...]


def stopped(workspace: int, series: str, now: datetime) -> list[Day]:
    """Days on which the cap `series` stopped something, newest first; none of a new one."""
    if not series:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, [workspace, now - timedelta(days=DAYS), f"({series} v"])
        found = defaultdict[date, list[Sequence[Any]]](list)
        for day, *rest in cursor.fetchall():
            found[day].append(rest)
    return [Day(day, sum(row[0] for row in rows), tuple(_sums(rows))) for day, rows in found.items()]


def _sums(rows: Sequence[Sequence[Any]]) -> list[str]:
    return [figure(money.shown(int(minor), currency)) for _, currency, minor in rows if currency and minor is not None]
