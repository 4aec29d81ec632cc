"""Reads past writes for a backtest, newest first, a part at a time: proposals, and what thresholds gave to a person.

Reads only. What is judged is what came in, before anybody edited it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from approvals import risk, thresholds
from approvals.actions import ACTIONS
from approvals.backtest import Judge, Past, Tally

MOST, PART = 100_000, 20_000
OVER_CAP_MOST = 5_000

_PROPOSALS = """
SELECT p.id, p.action, p.proposer, p.amount_minor, p.currency, p.confidence_pct, p.flags, p.team, p.state,
       CASE WHEN p.revision > 1 THEN (
           SELECT (r.args->>'amount_minor')::bigint FROM approvals_revision r
           WHERE r.proposal_id = p.id AND r.number = 1
       ) END,
       p.revision > 1 AND EXISTS (
           SELECT FROM approvals_revision r WHERE r.proposal_id = p.id AND r.number > 1 AND r.made_by LIKE 'person:%%'
       ),
       EXISTS (SELECT FROM approvals_proposal u WHERE u.undoes_id = p.id AND u.state = 'applied')
FROM approvals_proposal p
WHERE p.workspace_id = %s AND p.id < %s AND p.created_at >= %s ORDER BY p.id DESC LIMIT %s
"""
_HANDED_OVER = """
SELECT h.id, s.payload->>'action', h.proposer, (h.found->>'amount_minor')::bigint, coalesce(h.found->>'currency', ''),
       round((s.payload->>'confidence')::numeric * 100)::int, coalesce(s.payload->'flags', '[]'), h.team
FROM approvals_handoff h JOIN approvals_submission s ON s.id = h.submission_id
WHERE h.workspace_id = %s AND h.reason = 'over_cap' AND h.created_at >= %s ORDER BY h.id DESC LIMIT %s
"""
_BEHIND_ALL = 2**62
_REVERSIBLE = {name for name, action in ACTIONS.items() if action.reversibility == "reversible"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backtest is: the next part begins before this proposal; 0 is the end."""

    before: int
    tally: Tally


def begin() -> Progress:
    """Nothing has been looked at."""
    return Progress(_BEHIND_ALL, Tally())


def go_on(
    progress: Progress, *, workspace: int, proposed: Sequence[risk.Rule], since: datetime, part: int = PART
) -> Progress:
    """Look at the next `part` writes under the thresholds in force and under `proposed`."""
    in_force, then = Judge(thresholds.rules(workspace)), Judge(proposed)
    tally, left = progress.tally, MOST - progress.tally.total
    rows = _read(_PROPOSALS, workspace, progress.before, since, min(part, left))
    tally.add(map(_of_proposal, rows), in_force=in_force, proposed=then)
    if len(rows) == part and left > part:
        return Progress(rows[-1][0], tally)
    handed = _read(_HANDED_OVER, workspace, since, OVER_CAP_MOST)
    tally.add(map(_of_handoff, handed), in_force=in_force, proposed=then)
    return Progress(0, tally)


def run(*, workspace: int, proposed: Sequence[risk.Rule], since: datetime) -> Iterator[Progress]:
    """All of it, part by part."""
    progress = begin()
    while progress.before:
        progress = go_on(progress, workspace=workspace, proposed=proposed, since=since)
        yield progress


def proposed_rules(workspace: int, *, series: str, values: Mapping[str, Any] | None) -> list[risk.Rule]:
    """The thresholds in force with one row instead: of an unknown `series` a new one, without `values` none."""
    kept = [thresholds.as_rule(row) for row in thresholds.in_force(workspace) if row.series != series]
    if values is None:
        return kept
    return [*kept, risk.Rule(id="proposed", **values)]


def _read(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _of_proposal(row: Sequence[Any]) -> Past:
    pk, action, proposer, amount, currency, confidence, flags, team, state, came_in_with, edited, undone = row
    write = _write(action, proposer, amount if came_in_with is None else came_in_with, currency, confidence, flags)
    outcome = "undone" if undone else "edited" if edited else state
    return Past(f"proposal:{pk}", write, state == "denied", outcome, team)


def _of_handoff(row: Sequence[Any]) -> Past:
    pk, action, proposer, amount, currency, confidence, flags, team = row
    return Past(f"handoff:{pk}", _write(action, proposer, amount, currency, confidence, flags), False, "person", team)


def _write(action: str, proposer: str, amount: int | None, currency: str, confidence: int, flags: str) -> risk.Write:
    kind, _, name = proposer.partition(":")
    agent = kind == "agent"
    return risk.Write(
        action=action, proposer_kind="agent" if agent else "person", agent=name if agent else "", amount_minor=amount,
        currency=currency, confidence_pct=confidence, reversible=action in _REVERSIBLE, flags=_flags(flags),
    )  # fmt: skip


def _flags(flags: str) -> tuple[str, ...]:
    """Of a JSON column that was read without the ORM, as text."""
    return tuple(json.loads(flags)) if flags != "[]" else ()
