"""One durable call: reserved and recorded, committed; made; settled, committed. A worker may die between any two.

Never inside a transaction, whose locks would be held through the call.
"""

import time
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from agents import spans, transcripts, vault
from agents.gateway import budgets, catalogue, ledger, messages, openai, plans, vectors
from agents.gateway.base import GatewayError, Move, Outcome, Reply
from agents.models import ModelCall, Replay, Run
from portal import failpoints, sealing, telemetry
from portal.workspace import within


class CalledInTransaction(GatewayError):
    """A model was about to be called with a transaction open: a mistake of the program."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that is on record and not made yet; without a server it cannot be, for what `fault` says."""

    record: ModelCall
    move: Move
    server: openai.Server | None
    fault: str = ""


def begin(run: Run, move: Move, known: plans.Catalogue, *, now: datetime, replay: Replay | None = None) -> Pending:
    """Reserve and record a call, in the caller's transaction.

    Raises:
        budgets.Exceeded: a cap leaves too little by now.
    """
    caps = budgets.caps(run, known.budgets, now=now, replay=replay)
    record = ledger.begin(run, move, caps, now=now, replay=replay)
    row = next(one for one in known.backends if one.name == move.offer.backend)
    try:
        address = catalogue.check_address(row.base_url, allow_private=row.allow_private)
        secret = catalogue.open_key(row)
    except (catalogue.CatalogueError, sealing.SealingError) as error:
        return Pending(record, move, None, str(error))
    return Pending(record, move, openai.Server(address, secret, row.deadline_seconds, row.allow_private))


def make(pending: Pending) -> None:
    """Make the call and settle it.

    Raises:
        CalledInTransaction.
    """
    if connection.in_atomic_block:
        raise CalledInTransaction("models are called between transactions, not inside one")
    record = pending.record
    failpoints.hit("model.after_reserve", record.step)
    started = time.monotonic_ns()
    reply = _ask(pending)
    micros = (time.monotonic_ns() - started) // 1000
    failpoints.hit("model.before_settle", record.step)
    with within(record.workspace_id) as now:
        if ledger.settle(record, vectors.kept_apart(pending.move, reply), micros=micros, now=now):
            plans.heed(record.workspace_id, record.backend, reply, now=now)
            vectors.keep(record.workspace_id, pending.move, reply)
            _keep(pending, reply)
        telemetry.after_commit(record.run.trace_id, [spans.of_model(record, reply, micros)])
    failpoints.hit("model.after_settle", record.step)


def _keep(pending: Pending, reply: Reply) -> None:
    """What was asked and answered, redacted."""
    record, move = pending.record, pending.move
    number = ModelCall.objects.filter(run=record.run, step=record.step, pk__lte=record.pk).count()
    asked = "\n\n".join(said["content"] for said in messages.compose(move.request, move.key, move.wrong))
    transcripts.keep(
        run=record.run, step=record.step, number=number, prompt=asked, answer=reply.content, known=move.request.known
    )
    vault.keep(run=record.run, step=record.step, number=number, prompt=asked, answer=reply.content)


def _ask(pending: Pending) -> Reply:
    if pending.server is None:
        return Reply(Outcome.MISUSED, error=pending.fault, sent=False)
    return openai.ask(pending.server, pending.move)
