"""What the queue page costs: a fixed number of queries whatever its length; no COUNT, no OFFSET, an index."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from approvals import counting, saving
from tests.approvals import steps
from tests.cast import Cast, gather

LENGTHS = (1, 26, 52)
MOST = 16  # as docs/performance.md has it, with counters and own views asked anew
GROWING = ("approvals_proposal", "approvals_handoff", "audit_entry", "agents_run", "approvals_submission")


@pytest.fixture
def cast(live: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    for kept in (counting, saving):
        monkeypatch.setattr(kept, "KEPT_SECONDS", 0)  # each page asks for itself
    return gather()


def queries_of(cast: Cast, path: str) -> list[str]:
    client = Client()
    client.force_login(cast.people["rosa"], backend="allauth.account.auth_backends.AuthenticationBackend")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = client.get(f"/w/{cast.workspace.slug}/{path}")
    assert answer.status_code == 200
    return [query["sql"] for query in captured.captured_queries]


def fill(cast: Cast, upto: int, have: int, priority: str = "P1") -> None:
    """Tickets with a proposal each; a priority there is not ends in a hand-off."""
    for _ in range(have, upto):
        target = steps.ticket(cast)
        steps.pass_gate(cast, steps.submit_as_agent(cast, target, "ticket.update", target, {"priority": priority}))


@pytest.mark.parametrize(("path", "priority"), [("", "P1"), ("?state=handoffs", "P9"), ("cases/", "P1")])
def test_a_list_costs_a_fixed_number_of_queries_whatever_its_length(cast: Cast, path: str, priority: str) -> None:
    counts, have = {}, 0
    for length in LENGTHS:
        fill(cast, length, have, priority)
        have = length
        counts[length] = len(queries_of(cast, path))
    print(f"queries of {path or 'the queue page'} by length: {counts}")
    assert len(set(counts.values())) == 1
    assert counts[LENGTHS[0]] <= MOST


@pytest.mark.parametrize("path", ["", "?state=applied", "?tier=low", "?agent=triage", "?state=handoffs", "cases/"])
def test_no_list_counts_or_skips_over_a_table_that_grows(cast: Cast, path: str) -> None:
    fill(cast, 27, 0)
    asked = queries_of(cast, path)
    assert [sql for sql in asked if "LIMIT" in sql and any(table in sql for table in GROWING)]
    for sql in asked:
        assert not re.search(r"\bOFFSET\b", sql), sql
        counted = re.search(r"\bCOUNT\(", sql, re.IGNORECASE)
        assert not counted or "LIMIT" in sql or not any(table in sql for table in GROWING), sql
