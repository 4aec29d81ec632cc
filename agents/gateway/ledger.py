"""The record of model calls: reserved and written before one is made, settled once after. In the caller's transaction.

A call whose worker died is settled at the most it was reserved for: its server may have been paid, and nobody can ask.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from agents.gateway import budgets
from agents.gateway.base import AWAY, Amounts, Move, Outcome, Past, Reply
from agents.models import ModelCall, Replay, Run

# These answered with a definite no, or never heard of it: nothing was paid.
FREE = frozenset({Outcome.LIMITED, Outcome.MISUSED})


def past(run: Run, replay: Replay | None = None) -> dict[tuple[str, str], list[Past]]:
    """The settled calls of a run, or of a replay of it, by step and request, oldest first."""
    found: dict[tuple[str, str], list[Past]] = defaultdict(list)
    rows = ModelCall.objects.filter(workspace_id=run.workspace_id, run=run, replay=replay)
    for row in rows.exclude(outcome=Outcome.OPEN).order_by("pk"):
        found[row.step, row.request_digest].append(
            Past(
                row.tier, row.backend, row.model, Outcome(row.outcome), row.error, row.value, row.cost_micros,
                row.request_id,
            )
        )  # fmt: skip
    return found


def embedded(workspace: int, key: str, model: str) -> list[float] | None:
    """The vector of a question that any run has asked this model for."""
    rows = ModelCall.objects.filter(
        workspace_id=workspace, step="embed", outcome=Outcome.ANSWERED, request_digest=key, model=model
    )
    value = rows.order_by("-pk").values_list("value", flat=True).first()
    return value["vectors"][0] if value else None


def begin(
    run: Run, move: Move, caps: Sequence[budgets.Cap], *, now: datetime, replay: Replay | None = None
) -> ModelCall:
    """Reserve the most of a call and write it down.

    Raises:
        budgets.Exceeded: a cap leaves too little.
    """
    keys = budgets.reserve(run.workspace_id, caps, move.most)
    offer, most = move.offer, move.most
    return ModelCall.objects.create(
        workspace_id=run.workspace_id, run=run, replay=replay, step=move.request.step, request_digest=move.key,
        prompt=move.request.prompt, tier=offer.tier,
        backend=offer.backend, backend_version=offer.version, model=offer.model, input_price=offer.input_price,
        output_price=offer.output_price, fence=run.fence, accounts=keys, most_money=most.money,
        most_tokens=most.tokens, most_wall_ms=most.wall_ms, created_at=now,
    )  # fmt: skip


def settle(call: ModelCall, reply: Reply, *, micros: int, now: datetime) -> bool:
    """Write down how a call ended and give back what it did not take; False where somebody has settled it."""
    took = _took(call, reply, micros)
    error = "" if reply.outcome == Outcome.ANSWERED else reply.error[:300]
    settled = ModelCall.objects.filter(
        workspace_id=call.workspace_id, pk=call.pk, outcome=Outcome.OPEN
    ).update(
        outcome=reply.outcome, cost_micros=took.money, input_tokens=reply.input_tokens,
        output_tokens=reply.output_tokens, micros=micros, request_id=reply.request_id[:120],
        served_by=reply.served_by[:80], error=error, value=reply.value, answer_digest=reply.digest, settled_at=now,
    )  # fmt: skip
    if settled:
        budgets.settle(call.workspace_id, call.accounts, most=_most(call), took=took)
    return bool(settled)


def close_lost(run: Run, *, now: datetime) -> None:
    """What an earlier worker of this run began and did not settle is counted at its most."""
    for call in ModelCall.objects.filter(
        workspace_id=run.workspace_id, run=run, replay=None, outcome=Outcome.OPEN, fence__lt=run.fence
    ):
        settle(call, Reply(Outcome.LOST, error="the worker died before the answer was recorded"), micros=0, now=now)


def costs(run: Run) -> dict[str, int]:
    """Micro-dollars by step."""
    found: dict[str, int] = defaultdict(int)
    rows = ModelCall.objects.filter(workspace_id=run.workspace_id, run=run, replay=None)
    for step, cost in rows.values_list("step", "cost_micros"):
        found[step] += cost
    return found


def _most(call: ModelCall) -> Amounts:
    return Amounts(money=call.most_money, tokens=call.most_tokens, wall_ms=call.most_wall_ms)


def _took(call: ModelCall, reply: Reply, micros: int) -> Amounts:
    """What counts: what was reported where it can be true, nothing where nothing can have been paid, else the most."""
    most = _most(call)
    wall = most.wall_ms if reply.outcome == Outcome.LOST else min(micros // 1000, most.wall_ms)
    if reply.outcome in FREE or (reply.outcome in AWAY and not reply.sent):
        return Amounts(wall_ms=wall)
    tokens = reply.input_tokens + reply.output_tokens
    if min(reply.input_tokens, reply.output_tokens) < 0 or tokens > most.tokens:
        return Amounts(money=most.money, tokens=most.tokens, wall_ms=wall)
    cost = -(-(reply.input_tokens * call.input_price + reply.output_tokens * call.output_price) // 1_000_000)
    return Amounts(money=min(cost, most.money), tokens=tokens, wall_ms=wall)
