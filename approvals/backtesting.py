"""Reads past writes for a backtest, newest first, a part at a time: proposals, and what thresholds gave to a person.

Reads only. What is judged is what came in, before anybody edited it or sent it back.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from approvals import risk, taint, thresholds
from approvals.actions import ACTIONS
from approvals.backtest import Cell, Judge, Past, Tally

MOST, PART, PAGE = 100_000, 20_000, 50

# Both go down an index and end where the past ends: the first row that is too old is read and dropped.
_PROPOSALS = """
SELECT id, created_at >= %s, action, proposer, amount_minor, currency, confidence_pct, flags, team, state, revision
FROM approvals_proposal WHERE workspace_id = %s AND id < %s ORDER BY id DESC LIMIT %s
"""
_HANDED_OVER = """
SELECT h.id, h.created_at >= %s, s.payload->>'action', h.proposer, (h.found->>'amount_minor')::bigint,
       coalesce(h.found->>'currency', ''), (s.payload->>'confidence')::float,
       coalesce(h.found->'flags', s.payload->'flags', '[]'), h.team
FROM approvals_handoff h LEFT JOIN approvals_submission s ON s.id = h.submission_id AND h.reason = 'over_cap'
WHERE h.workspace_id = %s AND h.id < %s ORDER BY h.id DESC LIMIT %s
"""
_REVISED = """
SELECT r.proposal_id, (r.args->>'amount_minor')::bigint, s.payload, r.taint, EXISTS (
    SELECT FROM approvals_revision e
    WHERE e.proposal_id = r.proposal_id AND e.number > 1 AND e.made_by LIKE 'person:%%')
FROM approvals_revision r JOIN approvals_proposal p ON p.id = r.proposal_id
    JOIN approvals_submission s ON s.id = p.submission_id
WHERE r.proposal_id = ANY(%s) AND r.number = 1
"""
_UNDONE = "SELECT undoes_id FROM approvals_proposal WHERE undoes_id BETWEEN %s AND %s AND state = 'applied'"
_BEHIND_ALL = 2**62
_FIRST, _SECOND = f"proposal:{_BEHIND_ALL}", f"handoff:{_BEHIND_ALL}"
_REVERSIBLE = {name for name, action in ACTIONS.items() if action.reversibility == "reversible"}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: one row instead of that of `series`, a new one where it is unknown; `values` as COPIED.

    The thresholds in force are those up to the row `upto`, so that all parts compare with the same; the past begins at
    `since`.
    """

    workspace: int
    series: str
    values: Mapping[str, Any]
    since: datetime
    upto: int

    def in_force(self) -> list[risk.Rule]:
        """The thresholds as they stand."""
        return [thresholds.as_rule(row) for row in thresholds.in_force(self.workspace, upto=self.upto)]

    def proposed(self) -> list[risk.Rule]:
        """With the row instead."""
        rows = thresholds.in_force(self.workspace, upto=self.upto)
        kept = [thresholds.as_rule(row) for row in rows if row.series != self.series]
        values = dict(self.values)
        return kept if values.pop("retired") else [*kept, risk.Rule(id="proposed", **values)]

    def judge(self) -> Judge:
        """By both, for many writes."""
        return Judge(self.in_force(), self.proposed())

    def as_json(self) -> dict[str, Any]:
        """To keep."""
        return {**asdict(self), "since": self.since.isoformat()}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Question":
        """What `as_json` kept."""
        return cls(**{**value, "since": datetime.fromisoformat(value["since"])})


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a backtest is: the next part begins behind this item; "" is the end."""

    behind: str
    tally: Tally


def begin() -> Progress:
    """Nothing has been looked at."""
    return Progress(_FIRST, Tally())


def go_on(progress: Progress, question: Question, *, part: int = PART) -> Progress:
    """Look at the next `part` writes."""
    tally, judge = progress.tally, question.judge()
    pasts, behind = read(question, progress.behind, min(part, MOST - tally.total))
    tally.add(pasts, judge)
    if behind == _SECOND and tally.total < MOST:  # the hand-offs are few: no part of their own
        pasts, behind = read(question, behind, min(part, MOST - tally.total))
        tally.add(pasts, judge)
    return Progress("" if tally.total >= MOST else behind, tally)


def cases(question: Question, cell: Cell, *, behind: str = "") -> tuple[list[Past], str]:
    """A page of what a cell counts, newest first, and behind which the next page begins; "" where there is none."""
    judge, at, looked, found = question.judge(), behind or _FIRST, 0, list[Past]()
    while at and looked < MOST:
        pasts, at = read(question, at, PART)
        looked += len(pasts)
        for past in pasts:
            if cell.holds(past, *judge.ways(past)):
                found.append(past)
                if len(found) == PAGE:
                    return found, past.item
    return found, ""


def read(question: Question, behind: str, most: int) -> tuple[list[Past], str]:
    """The next writes, and behind which the part after them begins; proposals come first."""
    kind, _, before = behind.partition(":")
    first = kind == "proposal"
    rows = _rows(
        _PROPOSALS if first else _HANDED_OVER, question.since, question.workspace, int(before), most
    )  # fmt: skip
    inside = [row for row in rows if row[1]]
    pasts = _proposals(inside) if first else [_of_handoff(row) for row in inside if row[2] is not None]
    if len(rows) == most and len(inside) == most:
        return pasts, f"{kind}:{rows[-1][0]}"
    return pasts, _SECOND if first else ""


def _rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _proposals(rows: Sequence[Any]) -> list[Past]:
    if not rows:
        return []
    revised = {row[0]: row[1:] for row in _rows(_REVISED, [row[0] for row in rows if row[-1] > 1])}
    undone = {pk for (pk,) in _rows(_UNDONE, rows[-1][0], rows[0][0])}
    return [_of_proposal(row, revised.get(row[0]), row[0] in undone) for row in rows]


def _of_proposal(row: Sequence[Any], first: Sequence[Any] | None, undone: bool) -> Past:
    """`first` is how a revised one came in."""
    pk, _, action, proposer, amount, currency, confidence, flags, team, state, _ = row
    came, edited = _flags(flags), False
    if first is not None:
        before, payload, tainted, edited = first
        amount = amount if before is None else before
        confidence, came = _came_in(json.loads(payload), json.loads(tainted), confidence, came)
    outcome = "undone" if undone else state if state == "rejected" or not edited else "edited"
    write = _write(action, proposer, amount, currency, confidence, came)
    return Past(f"proposal:{pk}", write, state == "denied", outcome, team)


def _came_in(
    payload: Mapping[str, Any], tainted: Sequence[Mapping[str, Any]], confidence: int, flags: tuple[str, ...]
) -> tuple[int, tuple[str, ...]]:
    """Confidence and flags as the gate saw them first; what was erased is as it stands."""
    if "confidence" not in payload:
        return confidence, flags
    taints = taint.flags([taint.Taint.of_json(one) for one in tainted])
    return round(payload["confidence"] * 100), tuple(sorted({*payload.get("flags", ()), *taints}))


def _of_handoff(row: Sequence[Any]) -> Past:
    pk, _, action, proposer, amount, currency, confidence, flags, team = row
    write = _write(action, proposer, amount, currency, round(confidence * 100), _flags(flags))
    return Past(f"handoff:{pk}", write, False, "person", team)


def _flags(flags: str) -> tuple[str, ...]:
    """Of a JSON column that was read without the ORM, as text."""
    return tuple(json.loads(flags)) if flags != "[]" else ()


@lru_cache(maxsize=1 << 14)
def _write(
    action: str, proposer: str, amount: int | None, currency: str, confidence: int, flags: tuple[str, ...]
) -> risk.Write:
    kind, _, name = proposer.partition(":")
    agent = kind == "agent"
    return risk.Write(
        action=action, proposer_kind="agent" if agent else "person", agent=name if agent else "", amount_minor=amount,
        currency=currency, confidence_pct=confidence, reversible=action in _REVERSIBLE, flags=flags,
    )  # fmt: skip
