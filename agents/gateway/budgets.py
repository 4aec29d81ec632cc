"""Caps on what runs take: reserved under row locks before it is spent, settled after. Never passed, by nobody.

An account counts what is spent and what is reserved of one run or one holder's day. One conditional UPDATE for each
takes a call's most, and all of them or none.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from agents.gateway.base import Amounts, GatewayError
from agents.models import Account, Budget, Replay, Run
from portal.retold import kept

KINDS = ("money", "tokens", "model_calls", "tool_calls", "wall_ms")
# Where a workspace has set none of a kind and scope. Money of a run: `Run.most_micros`, by the database.
RUN_DEFAULTS = {"model_calls": 8, "wall_ms": 120_000}
WORKSPACE_DAY_MICROS = 10_000_000
_MOST = 2**62
_TOO_LITTLE = kept("%(account)s: a cap leaves too little for this")

_TAKE = """
    INSERT INTO agents_account AS a (workspace_id, key, money, tokens, model_calls, tool_calls, wall_ms)
    VALUES (%(workspace)s, %(key)s, %(money)s, %(tokens)s, %(model_calls)s, %(tool_calls)s, %(wall_ms)s)
    ON CONFLICT (workspace_id, key) DO UPDATE SET money = a.money + excluded.money,
        tokens = a.tokens + excluded.tokens, model_calls = a.model_calls + excluded.model_calls,
        tool_calls = a.tool_calls + excluded.tool_calls, wall_ms = a.wall_ms + excluded.wall_ms
    WHERE a.money + excluded.money <= %(most_money)s AND a.tokens + excluded.tokens <= %(most_tokens)s
        AND a.model_calls + excluded.model_calls <= %(most_model_calls)s
        AND a.tool_calls + excluded.tool_calls <= %(most_tool_calls)s
        AND a.wall_ms + excluded.wall_ms <= %(most_wall_ms)s
    RETURNING id
"""
_GIVE_BACK = """
    UPDATE agents_account SET money = money - %s, tokens = tokens - %s, wall_ms = wall_ms - %s
    WHERE workspace_id = %s AND key = %s
"""


class BudgetError(GatewayError):
    """Base of what a budget refuses."""


class Exceeded(BudgetError):
    """A cap leaves too little; nothing was taken from any."""


@dataclass(frozen=True, slots=True)
class Cap:
    """What one account may come to, by kind."""

    key: str
    most: Mapping[str, int]


def in_force(workspace: int) -> list[Budget]:
    """The newest version of each budget that is not retired."""
    rows = Budget.objects.filter(workspace_id=workspace).order_by("series", "-version").distinct("series")
    return [row for row in rows if not row.retired]


def caps(
    run: Run, budgets: Sequence[Budget], *, now: datetime, tool: str = "", replay: Replay | None = None
) -> list[Cap]:
    """What a call of this run, or of a replay of it, is counted on, in the order in which they are locked."""
    found: dict[str, dict[str, int]] = {}
    for key, scope, holder in _accounts(run, now, tool, replay):
        per = "run" if scope == "run" else "day"
        mine = [row for row in budgets if row.kind in KINDS and row.per == per and _speaks(row, scope, holder, run)]
        most = {kind: min((row.most for row in mine if row.kind == kind), default=_MOST) for kind in KINDS}
        if scope == "run":
            most["money"] = min(most["money"], (replay or run).most_micros)
            for kind, default in RUN_DEFAULTS.items():
                most[kind] = default if most[kind] == _MOST else most[kind]
        elif scope == "workspace" and most["money"] == _MOST:
            most["money"] = WORKSPACE_DAY_MICROS
        found[key] = most
    return [Cap(key, found[key]) for key in sorted(found)]


def most_of(workspace: int, *, agent: str, asked_by: str) -> int:
    """The most that a run of an agent could cost if it were begun now, in micro-dollars, as the database would set it;
    0 where no model is asked.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_most_of(%s, %s, %s)", [workspace, agent, asked_by])
        return int(cursor.fetchone()[0])


def one_call(run: Run, budgets: Sequence[Budget]) -> int | None:
    """The most that one call may cost (micro-dollars) without a person's word.

    Whoever sends a proposal back to its agent has said it: a run on an instruction is not held to it.
    """
    rows = [row.most for row in budgets if row.kind == "one_call" and _speaks(row, "run", "", run)]
    return min(rows) if rows and run.instruction_id is None else None


def left(workspace: int, caps: Sequence[Cap]) -> tuple[dict[str, int], dict[str, int]]:
    """What the tightest account leaves of each kind, and the cap of that account."""
    rows = Account.objects.filter(workspace_id=workspace, key__in=[cap.key for cap in caps])
    held = {row.key: row for row in rows}
    leaves: dict[str, int] = {}
    of: dict[str, int] = {}
    for cap in caps:
        for kind, most in cap.most.items():
            rest = most - getattr(held.get(cap.key), kind, 0)
            if most < _MOST and rest < leaves.get(kind, _MOST):
                leaves[kind], of[kind] = rest, most
    return leaves, of


def reserve(workspace: int, caps: Sequence[Cap], amounts: Amounts) -> list[str]:
    """Take the most of a call from every account, in the caller's transaction; returns their keys.

    Raises:
        Exceeded: one of them leaves too little; none has been touched.
    """
    values = {kind: getattr(amounts, kind) for kind in KINDS}
    with transaction.atomic():
        for cap in caps:
            if any(values[kind] > cap.most[kind] for kind in KINDS) or not _take(workspace, cap, values):
                raise Exceeded(_TOO_LITTLE % {"account": cap.key})
    return [cap.key for cap in caps]


def settle(workspace: int, keys: Sequence[str], *, most: Amounts, took: Amounts) -> None:
    """Give back what a call did not take, in the caller's transaction."""
    back = (most.money - took.money, most.tokens - took.tokens, most.wall_ms - took.wall_ms)
    with connection.cursor() as cursor:
        for key in sorted(keys):
            cursor.execute(_GIVE_BACK, [*back, workspace, key])


def _take(workspace: int, cap: Cap, values: Mapping[str, int]) -> bool:
    with connection.cursor() as cursor:
        most = {f"most_{kind}": cap.most[kind] for kind in KINDS}
        cursor.execute(_TAKE, {"workspace": workspace, "key": cap.key, **values, **most})
        return cursor.fetchone() is not None


def _accounts(run: Run, now: datetime, tool: str, replay: Replay | None) -> Iterator[tuple[str, str, str]]:
    """Key, scope and holder of each account."""
    day = now.date().isoformat()
    yield f"replay:{replay.pk}" if replay else f"run:{run.pk}", "run", ""
    yield f"agent:{run.agent}:{day}", "agent", run.agent
    yield f"workspace:{day}", "workspace", ""
    kind, _, person = run.asked_by.partition(":")
    if kind == "person":
        yield f"person:{person}:{day}", "person", person
    if tool:
        yield f"tool:{tool}:{day}", "tool", tool


def _speaks(row: Budget, scope: str, holder: str, run: Run) -> bool:
    """Whether a budget is about this account; any scope can bound the runs of its holder."""
    if scope != "run":
        return row.scope == scope and row.holder in ("", holder)
    kind, _, person = run.asked_by.partition(":")
    own = {"run": "", "workspace": "", "agent": run.agent, "person": person if kind == "person" else None}
    return own.get(row.scope) is not None and row.holder in ("", own[row.scope])
