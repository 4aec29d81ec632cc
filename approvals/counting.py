"""The desk's counters: how many stand behind each view, at most `COUNTED`, in one statement along indexes.

Shared by everybody in the workspace for a few seconds, but for what is one's own; who has just done something sees it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import connection

from approvals import listing
from approvals.searching import TABS, TIERS, VIEWS, Filters

# Counters stop here: an exact count of a long list costs more than anybody gains from it.
COUNTED = 1_000
KEPT_SECONDS = 5
NOBODY = 0


def counters(*, workspace: int, now: datetime, anew: bool = False) -> dict[str, str]:
    """By the name of a tab or view, `tier:high`, `agent:refunds`: '12', '1,000+'; at most `KEPT_SECONDS` old."""
    key = f"desk-counters:{workspace}"
    kept: dict[str, str] | None = None if anew else cache.get(key)
    if kept is None:
        kept = count({**_views(), **{f"agent:{name}": Filters(agent=name) for name in agents(workspace)}},
                     workspace=workspace, person=NOBODY, now=now)  # fmt: skip
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def count(asked: Mapping[str, Filters], *, workspace: int, person: int, now: datetime) -> dict[str, str]:
    """How many each of these filters finds for a person, in one statement."""
    if not asked:
        return {}
    parts = [listing.of(workspace=workspace, filters=one, person=person, now=now) for one in asked.values()]
    values: list[Any] = [value for part in parts for value in part.values]
    # In the order of the list, which no count needs: without it the planner may read all of a table for its first rows.
    capped = "(SELECT count(*) FROM (SELECT {} {} LIMIT {}) found)"
    each = [capped.format(part.source, part.order, COUNTED + 1) for part in parts]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(each)}", values)  # nosec B608  # of conditions in `listing`
        found = cursor.fetchone()
    return {name: f"{COUNTED:,}+" if n > COUNTED else str(n) for name, n in zip(asked, found, strict=True)}


def _views() -> dict[str, Filters]:
    return {
        **{tab: Filters(state=tab) for tab in TABS},
        **{view: Filters(view=view) for view in VIEWS},
        **{f"handoffs:{view}": Filters(state="handoffs", view=view) for view in VIEWS},
        **{f"tier:{tier}": Filters(tier=tier) for tier in TIERS},
    }


def agents(workspace: int) -> list[str]:
    """Names of agents that ever proposed, by skipping along an index; at most twenty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found AS ((SELECT proposer AS name FROM approvals_proposal WHERE workspace_id = %s"
            " AND proposer > 'agent:' ORDER BY proposer LIMIT 1) UNION ALL SELECT (SELECT proposer"
            " FROM approvals_proposal WHERE workspace_id = %s AND proposer > found.name ORDER BY proposer LIMIT 1)"
            " FROM found WHERE found.name LIKE 'agent:%%')"
            " SELECT name FROM found WHERE name LIKE 'agent:%%' LIMIT 20",
            [workspace, workspace],
        )
        return [name.removeprefix("agent:") for (name,) in cursor.fetchall()]
