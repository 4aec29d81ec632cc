"""Decisions with what the log tells of each, for `figures`: the newest few thousand of eight weeks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from approvals import actions, milder, queries, thresholds
from approvals.considered import figures
from approvals.considered.figures import Decided, Figures, Relaxable
from approvals.models import Threshold
from portal.retold import say

MOST = 5_000

_DECIDED = """
    SELECT d.created_at, d.person_id, p.action, coalesce(r.verdict->'rules'->>0, ''), d.kind,
        jsonb_array_length(c.shown->'changes') + jsonb_array_length(c.shown->'effects'),
        (c.told->>'seconds')::integer, (c.told->>'opened')::integer,
        EXISTS (SELECT FROM jsonb_array_elements(CASE jsonb_typeof(s.payload->'evidence') WHEN 'array'
            THEN s.payload->'evidence' ELSE '[]' END) one WHERE one->>'source' LIKE 'clause:%%'),
        d.batch <> '', EXISTS (SELECT FROM approvals_proposal u WHERE u.undoes_id = p.id AND u.state = 'applied'),
        p.confidence_pct
    FROM (SELECT * FROM approvals_decision WHERE workspace_id = %(ws)s ORDER BY id DESC LIMIT %(most)s) d
    JOIN approvals_proposal p ON p.id = d.proposal_id
    JOIN approvals_revision r ON r.proposal_id = d.proposal_id AND r.number = d.revision
    JOIN approvals_submission s ON s.id = p.submission_id
    LEFT JOIN audit_entry e ON e.workspace_id = d.workspace_id AND e.subject = 'decision:' || d.id AND e.version = 1
    CROSS JOIN LATERAL (SELECT r.content::jsonb AS shown, e.canonical::jsonb->'body' AS told) c
    WHERE d.created_at > %(since)s AND d.kind IN ('approve', 'reject', 'edit', 'send_back') ORDER BY d.id
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """A threshold that could be relaxed: its newest row, why it looks so, and how it would be `milder`, in `words`."""

    row: Threshold
    why: Relaxable
    title: str
    milder: Mapping[str, Any]
    words: str


@dataclass(frozen=True, slots=True)
class Considered:
    """Everything the page shows; `people` is by name, not by figure, `own` is of who looks."""

    team: Figures
    weeks: list[tuple[datetime, Figures]]
    sizes: list[tuple[str, str, Figures]]
    relax: list[Rule]
    own: Figures | None
    people: list[tuple[str, Figures]]
    more: bool


def considered(*, workspace: int, person: int | None, names: bool, now: datetime) -> Considered:
    """Figures of the team, of the `person` who looks, and by name where they may see `names`."""
    rows, more = decided(workspace, now)
    own = [row for row in rows if row.person == person]
    each = figures.by_person(rows) if names else {}
    called = queries.names(f"person:{key}" for key in each)
    return Considered(
        team=figures.figures(rows),
        weeks=figures.by_week(rows, now),
        sizes=[(_title(action), _(size), one) for action, size, one in figures.by_size(rows)],
        relax=_rules(workspace, rows),
        own=figures.figures(own) if own else None,
        people=sorted((called.get(key, _("person %(number)s") % {"number": key}), one) for key, one in each.items()),
        more=more,
    )


def decided(workspace: int, now: datetime) -> tuple[list[Decided], bool]:
    """Oldest first, at most `MOST`, and whether there may be more."""
    since = now - figures.WEEKS * figures.WEEK
    with connection.cursor() as cursor:
        cursor.execute(_DECIDED, {"ws": workspace, "since": since, "most": MOST})
        rows = [Decided(at, who, action, _series(rule), *rest) for at, who, action, rule, *rest in cursor.fetchall()]
    return rows, len(rows) == MOST


def _series(rule: str) -> str:
    """The series in `series vN`."""
    return rule.rpartition(" v")[0]


def _rules(workspace: int, rows: list[Decided]) -> list[Rule]:
    """Of rules that are in force and may be milder."""
    asking = {row.series: row for row in thresholds.in_force(workspace)}
    found = []
    for one in figures.to_relax(rows):
        row, action = asking.get(one.rule), actions.ACTIONS.get(one.action)
        if row is None or action is None or row.action != one.action:
            continue
        change = milder.milder(
            people=row.people, floor_pct=row.confidence_floor_pct, least_pct=one.least_pct,
            reversible=action.reversibility == "reversible",
        )  # fmt: skip
        if change:
            values = {name: getattr(row, name) for name in thresholds.COPIED} | change
            words = thresholds.loosened(Threshold, workspace, row.series, values)
            found.append(Rule(row, one, _title(one.action), change, ", ".join(map(say, words))))
    return found


def _title(action: str) -> str:
    return say(actions.ACTIONS[action].title) if action in actions.ACTIONS else action
