"""Claims a second by eight processes until the queue is empty, beside a bare `SKIP LOCKED` loop on a plain table."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import psycopg
from django.db import connection

from agents.benchmarks import crowd, queueing
from agents.evals import throwaway
from approvals import claims
from portal import workspace
from portal.models import Role

CLAIMERS, ITEMS = 8, 20_000
REVIEWER = (Role.REVIEWER,)

# The same columns with the same values, nothing claimed, and the two indexes that such a loop needs: grown row by row,
# as ours are; built at once they would be packed more tightly than any queue in use.
FLOOR = """
DROP TABLE IF EXISTS floor_claim;
CREATE TABLE floor_claim AS
    SELECT id, workspace_id, item, urgency, team, language, proposer, anyones,
        NULL::bigint AS person_id, ''::text AS token, NULL::timestamptz AS until
    FROM approvals_claim WITH NO DATA;
ALTER TABLE floor_claim ADD PRIMARY KEY (id);
CREATE INDEX floor_free ON floor_claim (urgency, id) WHERE person_id IS NULL;
INSERT INTO floor_claim
    SELECT id, workspace_id, item, urgency, team, language, proposer, anyones, NULL, '', NULL FROM approvals_claim
    ORDER BY id;
"""
BARE = """
UPDATE floor_claim SET person_id = %s, token = %s, until = clock_timestamp() + interval '10 minutes'
WHERE id = (SELECT id FROM floor_claim WHERE person_id IS NULL ORDER BY urgency, id
            FOR UPDATE SKIP LOCKED LIMIT 1) RETURNING id
"""


def measure(*, items: int = ITEMS, claimers: int = CLAIMERS, say: Callable[[str], None]) -> dict[str, Any]:
    """Both loops on one throwaway database; claims a second, their ratio, and what was served twice or never."""
    with throwaway.database(durable=True):
        say(f"filling a queue with {items} items")
        queue = queueing.fill(items)
        say(f"{claimers} bare loops")
        before = _floor(claimers)
        say(f"{claimers} claimers")
        throwaway.sign_in("web")
        done = crowd.at_once(claimers, lambda n: list(_claim(queue.workspace, queue.people[n::claimers])))
        say(f"{claimers} bare loops once more")  # a machine that grew slower meanwhile did so for both
        after = _floor(claimers)
    served = [item for one in done.results for item in one]
    ours, floor = len(served) / done.seconds, _rate(before, after)
    return {
        "ours": round(ours, 1), "floor": round(floor, 1), "ratio": round(ours / floor, 3),
        "twice": len(served) - len(set(served)), "skipped": items - len(set(served)), "items": items,
        "claimers": claimers,
    }  # fmt: skip


def _claim(ws: int, people: Sequence[int]) -> Iterator[str]:
    """As a page does it, one transaction a claim; each person takes as many as one may hold."""
    for person in people:
        for _ in range(claims.MOST):
            with workspace.within(ws, person) as now:
                taken = claims.claim_next(workspace=ws, person=person, now=now, roles=REVIEWER)
            if taken is None:
                return
            yield taken.item


def _rate(*done: crowd.Done) -> float:
    return float(sum(sum(one.results) for one in done) / sum(one.seconds for one in done))


def _floor(claimers: int) -> crowd.Done:
    throwaway.sign_in("owner")
    with connection.cursor() as cursor:
        cursor.execute(FLOOR)
    throwaway.settle()
    return crowd.at_once(claimers, _bare)


def _bare(number: int) -> int:
    taken = 0
    params = {name: value for name, value in connection.get_connection_params().items() if name != "prepare_threshold"}
    with psycopg.connect(**params, autocommit=True) as bare:
        while bare.execute(BARE, [number, "0" * 32]).fetchone():
            taken += 1
    return taken
