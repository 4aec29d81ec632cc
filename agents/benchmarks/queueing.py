"""A workspace with a full queue: cases, submissions, proposals, hand-offs and their places, filled by COPY."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from agents.benchmarks import filling
from agents.evals import throwaway
from approvals import claims
from portal import staff, workspace
from portal.models import Person

TABLES = ("approvals_case", "approvals_submission", "approvals_proposal", "approvals_revision", "approvals_handoff",
          "approvals_claim")  # fmt: skip
TEAMS, LANGUAGES, HANDOFF_EVERY = ("orders_delivery", "fees_billing", "refunds_returns", ""), ("en", "de", ""), 10
# One may stand still while another takes what it left: more people than the items need.
SPARE = 1.5
SEED = 20_26


@dataclass(frozen=True, slots=True)
class Queue:
    """A filled workspace: its id, and reviewers enough that nobody needs to hold more than one may."""

    workspace: int
    people: list[int]


def fill(items: int) -> Queue:
    """`items` open items in a workspace of its own, a tenth of them hand-offs, urgent in no order."""
    throwaway.sign_in("web")
    with transaction.atomic():
        made = staff.open_workspace(slug="benchmark", name="Benchmark", currency="EUR", queues={})
        now = workspace.enter(made.pk)
    with filling.untriggered(TABLES):
        people = Person.objects.bulk_create(
            Person(email=f"{n}@benchmark.invalid", name=f"Reviewer {n}")
            for n in range(int(items / claims.MOST * SPARE) + 1)
        )
        for table, columns, rows in _tables(made.pk, items, now):
            filling.copy(table, columns, rows)
    throwaway.settle()
    return Queue(made.pk, [person.pk for person in people])


def _tables(ws: int, items: int, now: datetime) -> Iterator[tuple[str, Sequence[str], Iterator[Sequence[Any]]]]:
    numbers = range(1, items + 1)
    chance = random.Random(SEED)  # nosec B311  # an order, not a secret
    soon = int(now.timestamp())
    urgency = {n: soon + chance.randrange(86_400) for n in numbers}
    proposed = [n for n in numbers if n % HANDOFF_EVERY]
    handed = [n for n in numbers if n % HANDOFF_EVERY == 0]
    yield "approvals_case", *_case(ws, numbers)
    yield "approvals_submission", *_submission(ws, numbers)
    yield "approvals_proposal", *_proposal(ws, proposed, urgency, now)
    yield "approvals_handoff", *_handoff(ws, handed, urgency)
    yield "approvals_claim", *_claim(ws, numbers, urgency)


def _case(ws: int, numbers: Sequence[int]) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    columns = ("id", "workspace_id", "subject", "title", "customer")
    return columns, ((n, ws, f"ticket:T-{n}", f"Where is my order {n}?", f"cu-{n}") for n in numbers)


def _submission(ws: int, numbers: Sequence[int]) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    columns = ("id", "workspace_id", "case_id", "kind", "proposer", "run", "key", "depends_on", "payload",
               "seen_content", "proposer_version", "language", "trace_id", "status", "outcome")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (n, ws, n, "action", "agent:triage", f"run:{n}", "1", [], {"action": "ticket.update"}, "", "1", "", "",
         "gated", f"proposal:{n}")
        for n in numbers
    )  # fmt: skip
    return columns, rows


def _proposal(
    ws: int, numbers: Sequence[int], urgency: dict[int, int], now: datetime
) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    columns = ("id", "workspace_id", "submission_id", "case_id", "action", "target", "state", "version", "revision",
               "round", "digest", "basis", "basis_version", "tier", "people", "proposer", "proposer_version", "team",
               "language", "customer", "currency", "confidence_pct", "summary", "flags", "content_key", "urgency",
               "fresh_until")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (n, ws, n, n, "ticket.update", f"ticket:T-{n}", "pending", 1, 1, 1, f"{n:064x}", {}, 1, "low", 1,
         "agent:triage", "1", _team(n), _language(n), f"cu-{n}", "", 90, f"Move to orders (T-{n})", [], f"{n:064x}",
         urgency[n], now + timedelta(days=1))
        for n in numbers
    )  # fmt: skip
    return columns, rows


def _handoff(ws: int, numbers: Sequence[int], urgency: dict[int, int]) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    columns = ("id", "workspace_id", "case_id", "submission_id", "kind", "reason", "summary", "found", "evidence",
               "proposer", "team", "language", "state", "version", "outcome", "urgency")  # fmt: skip
    rows: Iterator[Sequence[Any]] = (
        (n, ws, n, n, "handoff", "unclear", f"It is not clear what T-{n} is about.", {}, [], "agent:triage", _team(n),
         _language(n), "open", 1, "", urgency[n])
        for n in numbers
    )  # fmt: skip
    return columns, rows


def _claim(ws: int, numbers: Sequence[int], urgency: dict[int, int]) -> tuple[Sequence[str], Iterator[Sequence[Any]]]:
    columns = ("workspace_id", "item", "urgency", "team", "language", "proposer", "anyones", "token")
    rows: Iterator[Sequence[Any]] = (
        (ws, f"{'proposal' if n % HANDOFF_EVERY else 'handoff'}:{n}", urgency[n], _team(n), _language(n),
         "agent:triage", True, "")
        for n in numbers
    )  # fmt: skip
    return columns, rows


def _team(n: int) -> str:
    return TEAMS[n % len(TEAMS)]


def _language(n: int) -> str:
    return LANGUAGES[n % len(LANGUAGES)]
