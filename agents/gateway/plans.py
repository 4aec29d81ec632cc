"""What may be asked for a run now: offers with prices, who rests, bars, what the caps leave. Read in a transaction.

A model without a price is not offered: what it costs could not be capped. The breaker is a row that all workers share.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from django.db import connection

from agents.gateway import budgets, catalogue
from agents.gateway.base import AWAY, Offer, Outcome, Reply
from agents.gateway.routing import Plan
from agents.models import BackendHealth, Budget, ModelBackend, ModelPrice, Replay, Run
from approvals import thresholds
from approvals.risk import Rule

SMALL, LARGE, VERIFIER, EMBEDDING = 1, 2, 3, 4
# So many failures in a row open the breaker; from then on one call tries, and each failure doubles the rest.
FAILURES, REST_SECONDS, LONGEST_REST_SECONDS = 3, 30, 600
LONGEST_RETRY_SECONDS = 3600

_FAILED = """
    INSERT INTO agents_backendhealth AS h (workspace_id, backend, failures, rest_until)
    VALUES (%(workspace)s, %(backend)s, 1, %(until)s)
    ON CONFLICT (workspace_id, backend) DO UPDATE SET failures = h.failures + 1, rest_until = greatest(h.rest_until,
        excluded.rest_until, CASE WHEN h.failures + 1 >= %(failures)s THEN %(now)s + least(
            %(rest)s * power(2, least(h.failures + 1 - %(failures)s, 20)), %(longest)s) * interval '1 second' END)
"""


VECTORS_THERE = (
    "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'agents_clausevector'::regclass AND attname = 'vector'"
    " AND NOT attisdropped)"
)


@dataclass
class Catalogue:
    """What a workspace offers, each table read at most once: for one transaction."""

    workspace: int
    now: datetime

    @cached_property
    def _there(self) -> tuple[bool, bool]:
        """Whether a backend or a budget was ever set: all that a workspace without models is asked."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM agents_modelbackend WHERE workspace_id = %s),"
                " EXISTS (SELECT FROM agents_budget WHERE workspace_id = %s)",
                [self.workspace, self.workspace],
            )
            backend, budget = cursor.fetchone()
        return backend, budget

    @cached_property
    def backends(self) -> list[ModelBackend]:
        """Those in force, in order of fall-back."""
        return catalogue.backends(self.workspace) if self._there[0] else []

    @cached_property
    def prices(self) -> Mapping[str, ModelPrice]:
        """By model."""
        return catalogue.prices(self.workspace, today=self.now.date()) if self.backends else {}

    @cached_property
    def budgets(self) -> list[Budget]:
        """Those in force."""
        return budgets.in_force(self.workspace) if self._there[1] else []

    @cached_property
    def bars(self) -> dict[str, int]:
        """Per cent by step."""
        return catalogue.bars(self.workspace)

    @cached_property
    def thresholds(self) -> list[Rule]:
        """How high the stakes of a write are."""
        return thresholds.rules(self.workspace)

    @cached_property
    def resting(self) -> frozenset[str]:
        """Backends that nobody asks now."""
        rows = BackendHealth.objects.filter(workspace_id=self.workspace, rest_until__gt=self.now)
        return frozenset(rows.values_list("backend", flat=True))

    def offers(self, tiers: frozenset[int]) -> Iterator[Offer]:
        """Each priced model of these tiers."""
        for row in self.backends:
            models = {
                SMALL: row.small_model, LARGE: row.large_model, VERIFIER: row.verifier_model or row.large_model,
                EMBEDDING: row.embedding_model,
            }  # fmt: skip
            for tier, model in models.items():
                price = self.prices.get(model)
                if tier in tiers and model and price is not None:
                    yield Offer(
                        tier, row.name, row.version, model, price.input_micros, price.output_micros,
                        row.deadline_seconds, frozenset(row.barred),
                    )  # fmt: skip

    @cached_property
    def embedding(self) -> str:
        """The embedding model in force, "" where there is none, or no pgvector to keep what it would say."""
        first = next(self.offers(frozenset({EMBEDDING})), None)
        if first is None:
            return ""
        with connection.cursor() as cursor:
            cursor.execute(VECTORS_THERE)
            return first.model if cursor.fetchone()[0] else ""

    def plan(self, run: Run, tiers: frozenset[int], replay: Replay | None = None) -> Plan:
        """All of it for one run, or a replay of it."""
        offers = tuple(self.offers(tiers))
        if not offers:
            return Plan(bars=self.bars)
        left, caps = budgets.left(self.workspace, budgets.caps(run, self.budgets, now=self.now, replay=replay))
        return Plan(offers, self.resting, self.bars, left, caps, budgets.one_call(run, self.budgets))


def heed(workspace: int, backend: str, reply: Reply, *, now: datetime) -> None:
    """Tell all workers how a backend did, in the caller's transaction."""
    if reply.outcome not in AWAY:
        BackendHealth.objects.filter(workspace_id=workspace, backend=backend).exclude(failures=0).update(
            failures=0, rest_until=None
        )
        return
    asked = min(reply.retry_seconds, LONGEST_RETRY_SECONDS)
    rest = timedelta(seconds=asked if reply.outcome == Outcome.LIMITED else 0)
    with connection.cursor() as cursor:
        cursor.execute(
            _FAILED,
            {
                "workspace": workspace, "backend": backend, "until": now + rest, "now": now, "failures": FAILURES,
                "rest": REST_SECONDS, "longest": LONGEST_REST_SECONDS,
            },
        )  # fmt: skip
