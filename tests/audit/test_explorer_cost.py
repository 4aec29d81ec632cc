"""A page of the explorer is read along an index, whatever is asked for, in a log of 100,000 entries."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from audit import explorer
from audit.explorer import Wanted
from portal import workspace
from tests.cast import Cast, gather
from tests.conftest import sign_in

ENTRIES = 100_000
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
FILL = """
    INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at, canonical)
    SELECT %s, 'proposal:' || i / 8, 1 + i %% 8,
           (ARRAY['proposal.proposed', 'decision.recorded', 'proposal.approved', 'proposal.applied'])[1 + i %% 4],
           '', (ARRAY['person:', 'agent:', 'system:'])[1 + i %% 3] || (i / 3) %% 40, 'case:' || i / 20, md5(i::text),
           %s::timestamptz + i * interval '1 second', '{}'
    FROM generate_series(1, %s) AS i
"""
ASKED = {
    "nothing": Wanted(),
    "who": Wanted(actor="person:7"),
    "event": Wanted(event="proposal.applied"),
    "case": Wanted(case="case:900"),
    "record": Wanted(subjects=("proposal:77", "proposal:78"), cases=("case:4000",)),
    "run": Wanted(case="case:900", trace="ab" * 16),
    "a long time ago": Wanted(since=BEGAN + timedelta(hours=2), until=BEGAN + timedelta(hours=3)),
    "who, then": Wanted(actor="person:7", since=BEGAN + timedelta(hours=2), until=BEGAN + timedelta(hours=3)),
    "event, then": Wanted(event="proposal.applied", until=BEGAN + timedelta(hours=3)),
    "nobody": Wanted(actor="person:404"),
    "no such event": Wanted(event="sweep.planned"),
}


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Cast]:
    """A log of its own in a transaction that is rolled back: entries are never deleted."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        sign_in("web")
        cast = gather()
        sign_in("owner")
        try:
            with transaction.atomic():
                workspace.enter(cast.ws)
                with connection.cursor() as cursor:
                    cursor.execute(FILL, [cast.ws, BEGAN, ENTRIES])
                    cursor.execute("ANALYZE audit_entry")
                yield cast
                transaction.set_rollback(True)
        finally:
            sign_in("web")


def plan(cast: Cast, wanted: Wanted, after: str = "") -> tuple[str, int]:
    """The plan of a page and how many rows were looked at for it."""
    rows = explorer.rows(cast.ws, wanted, after)[: explorer.PAGE + 1]
    said = rows.explain(analyze=True, buffers=True)
    first = re.search(r"Buffers: shared(?: hit=(\d+))?(?: read=(\d+))?", said)  # of the topmost node: all below it too
    assert first is not None, said
    return said, sum(int(number or 0) for number in first.groups())


@pytest.mark.parametrize("asked", ASKED)
def test_a_page_is_read_along_an_index(filled: Cast, asked: str) -> None:
    said, touched = plan(filled, ASKED[asked])
    assert "Seq Scan" not in said, said
    assert touched < 300, said  # pages of 8 KiB; the table has thousands


def test_a_page_far_down_costs_no_more_than_the_first(filled: Cast) -> None:
    micros = int((BEGAN + timedelta(seconds=500) - explorer.ZERO) / timedelta(microseconds=1))
    said, touched = plan(filled, Wanted(), after=f"{micros}.{2**62}")
    assert "Seq Scan" not in said, said
    assert touched < 300, said


@pytest.mark.parametrize(
    ("index", "asked"), [("actor", "nobody"), ("event", "no such event"), ("time", "a long time ago")]
)
def test_without_its_index_the_same_page_reads_the_log(filled: Cast, index: str, asked: str) -> None:
    """So the others are no accident of a planner that would do as well without."""
    _, with_it = plan(filled, ASKED[asked])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX entry_by_{index}")
        _, without = plan(filled, ASKED[asked])
        transaction.set_rollback(True)
    assert without > 5 * with_it, (with_it, without)
