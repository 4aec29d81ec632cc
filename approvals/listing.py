"""Which items a view of the queue holds, as SQL: each condition along an index, the cursor as one row comparison.

States, tiers and the workspace's number stand in the statement itself, so that the planner sees which partial index
serves; whatever a person typed is a parameter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from approvals.searching import HANDOFF_TABS, Filters

# Of those who look: what is in hand, laid aside, passed on. Few rows each, along partial indexes of the places.
_HELD = "person_id IS NOT NULL AND until > %s"
_SNOOZED = "snoozed_until > %s"
_ESCALATED = "escalated <> ''"
_CASE = " JOIN approvals_case c ON c.id = p.case_id"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the queue: its table, the condition over `p` (the item) and its case `c`, and its values."""

    table: str
    kind: str
    where: str
    values: tuple[Any, ...]
    rising: bool

    @property
    def source(self) -> str:
        """FROM and WHERE; the case only where a condition asks for it, so that an index alone can answer."""
        return f"FROM {self.table} p{_CASE if 'c.' in self.where else ''} WHERE {self.where}"

    def beside(self, joins: str) -> str:
        """The same with each item's case, and with more tables."""
        return f"FROM {self.table} p{_CASE}{joins} WHERE {self.where}"

    @property
    def order(self) -> str:
        """Most urgent first, or newest."""
        return "ORDER BY p.urgency, p.id" if self.rising else "ORDER BY p.urgency DESC, p.id DESC"

    def behind(self, cursor: str) -> "Part":
        """What stands behind an `urgency.id`; all of it where that cannot be read."""
        urgency, _, key = cursor.partition(".")
        if not (urgency.isdecimal() and key.isdecimal() and len(cursor) < 40):
            return self
        where = f"{self.where} AND (p.urgency, p.id) {'>' if self.rising else '<'} (%s, %s)"
        return Part(self.table, self.kind, where, (*self.values, int(urgency), int(key)), self.rising)

    def since(self, key: int) -> "Part":
        """What came after an id."""
        return Part(self.table, self.kind, f"{self.where} AND p.id > %s", (*self.values, key), self.rising)


def of(*, workspace: int, filters: Filters, person: int, now: datetime) -> Part:
    """What the filters ask for, as this person sees it now."""
    kind, table = ("handoff", "approvals_handoff") if filters.handoffs else ("proposal", "approvals_proposal")
    said: list[tuple[str, tuple[Any, ...]]] = [(f"p.workspace_id = {int(workspace)}", ())]
    if filters.state != "any":
        said.append((f"p.state = '{HANDOFF_TABS.get(filters.state, filters.state)}'", ()))
    if filters.handoffs:
        said += [_about(int(workspace), named) for named in _named(filters)]
    else:
        said += [(f"p.{name} = %s", (value,)) for name, value in filters.columns.items()]
        if filters.search.targets:
            said.append(("p.target = ANY (%s)", (list(filters.search.targets),)))
    said += _of_view(int(workspace), kind, filters, person, now)
    return Part(table, kind, " AND ".join(sql for sql, _ in said), tuple(v for _, values in said for v in values),
                filters.rising)  # fmt: skip


def _named(filters: Filters) -> list[list[str]]:
    """The records searched for: the one of an operator, and what a bare word may be the id of."""
    one = filters.search.columns.get("target")
    return [some for some in ([one] if one else [], list(filters.search.targets)) if some]


def _about(workspace: int, records: list[str]) -> tuple[str, tuple[Any, ...]]:
    """Of a case of one of these records, or of one in which something was proposed for it."""
    cases = (
        f"SELECT id FROM approvals_case WHERE workspace_id = {workspace} AND subject = ANY (%s)"  # nosec B608  # a number
        f" UNION SELECT case_id FROM approvals_proposal WHERE workspace_id = {workspace} AND target = ANY (%s)"
    )
    return f"p.case_id = ANY (ARRAY({cases}))", (records, records)


def _of_view(
    workspace: int, kind: str, filters: Filters, person: int, now: datetime
) -> list[tuple[str, tuple[Any, ...]]]:
    """Who has it in hand, whether it is late, laid aside or passed on."""
    said: list[tuple[str, tuple[Any, ...]]] = []
    if filters.mine:
        said.append((f"p.id {_among(workspace, kind, f'{_HELD} AND person_id = %s')}", (now, person)))
    match filters.view:
        case "free":
            said.append((f"p.id {_not_among(workspace, kind, _HELD)}", (now,)))
        case "overdue":
            said.append(("p.urgency < %s AND c.waiting_since IS NULL", (int(now.timestamp()),)))
        case "escalated":
            said.append((f"p.id {_among(workspace, kind, _ESCALATED)}", ()))
        case "snoozed":
            return [*said, (f"p.id {_among(workspace, kind, _SNOOZED)}", (now,))]
    if filters.state in ("pending", "handoffs") and not filters.mine and filters.view != "escalated":
        said.append((f"p.id {_not_among(workspace, kind, _SNOOZED)}", (now,)))
    return said


def _among(workspace: int, kind: str, condition: str) -> str:
    """Those with such a place: as an array, which the planner looks up one by one instead of reading all that waits."""
    return f"= ANY (ARRAY({_placed(workspace, kind, condition)}))"


def _not_among(workspace: int, kind: str, condition: str) -> str:
    return f"NOT IN ({_placed(workspace, kind, condition)})"


def _placed(workspace: int, kind: str, condition: str) -> str:
    return (
        f"SELECT substr(item, {len(kind) + 2})::bigint FROM approvals_claim"  # nosec B608  # constants of this file
        f" WHERE workspace_id = {workspace} AND {condition} AND starts_with(item, '{kind}:')"
    )
