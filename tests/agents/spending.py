"""Sixteen processes that spend against one cap as fast as they can; what came of it."""

import random
from dataclasses import dataclass
from functools import partial

from django.db.models import Sum

from agents import workflow
from agents.benchmarks import crowd
from agents.gateway import budgets, ledger
from agents.gateway.base import Amounts, Move, Offer, Outcome, Part, Reply, Request, Said
from agents.models import Account, Budget, ModelCall, Run
from portal.workspace import within

WORKERS, REFUSALS = 16, 12
ENOUGH = 80  # calls of one process: all of them together would pass the cap four times over
REQUEST = Request("classify", Said, (Part("data", "message", "x"),))


@dataclass(frozen=True)
class Spent:
    """Micro-dollars: what settled calls cost, what the account holds, what is open; and how often a cap said no."""

    calls: int
    settled: int
    held: int
    open: int
    refused: int


def spend(workspace: int, runs: list[int], *, leave_open: int = 1) -> Spent:
    """One process a run, signed in as agents; each goes on until a cap has said no so often. One of them dies in the
    middle of a call, `leave_open` times.
    """
    with within(workspace) as now:
        leased = [workflow._lease(workspace, run, now) for run in runs]
        rows = budgets.in_force(workspace)
    act = partial(_until_refused, [run for run in leased if run is not None], rows, leave_open)
    done = crowd.at_once(len(runs), act)
    with within(workspace) as now:
        mine = ModelCall.objects.filter(workspace_id=workspace)
        settled = mine.exclude(outcome=Outcome.OPEN)
        day = Account.objects.get(workspace_id=workspace, key=f"workspace:{now.date().isoformat()}")
        return Spent(
            mine.count(), settled.aggregate(sum=Sum("cost_micros"))["sum"] or 0, day.money,
            mine.filter(outcome=Outcome.OPEN).aggregate(sum=Sum("most_money"))["sum"] or 0, sum(done.results),
        )  # fmt: skip


def _until_refused(runs: list[Run], rows: list[Budget], leave_open: int, number: int) -> int:
    run, dice, refused, made, left = runs[number], random.Random(number), 0, 0, leave_open if number == 0 else 0
    while refused < REFUSALS and made < ENOUGH:
        most = dice.randint(1, 20_000)
        offer = Offer(1, "main", 1, "small-1", 1_000_000, 1_000_000, 10)
        move = Move(offer, REQUEST, "0" * 64, "", Amounts(money=most, tokens=most, model_calls=1, wall_ms=1))
        try:
            with within(run.workspace_id) as now:
                call = ledger.begin(run, move, budgets.caps(run, rows, now=now), now=now)
        except budgets.Exceeded:
            refused += 1
            continue
        made += 1
        if left:
            left -= 1
            continue
        took = dice.randint(0, most)
        with within(run.workspace_id) as now:
            reply = Reply(Outcome.ANSWERED, {"confidence": 1.0}, input_tokens=took, output_tokens=0)
            ledger.settle(call, reply, micros=1000, now=now)
    return refused
