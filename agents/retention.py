"""Takes away what was kept long enough, a batch and its entry at a time, as the apply worker alone may.

It may be killed at any point and run again: what a batch took away, its entry says. Entries and commitments stay.
"""

import json
from collections import Counter
from datetime import datetime

from django.db import connection

from audit import log
from audit.events import Event
from audit.models import Retention
from portal import failpoints
from portal.workspace import known, within

ACTOR = "system:retention"
BATCH = 500
# As many batches as one run of the job takes in one workspace; the next goes on from there.
BATCHES = 40


def run_everywhere() -> None:
    """Every hour: in each workspace, what is over its time."""
    for workspace in known().values():
        run(workspace=workspace)


def run(*, workspace: int, batch: int = BATCH, batches: int = BATCHES) -> dict[str, int]:
    """Rows taken away by table. Each batch is a transaction of its own. Signed in as apply."""
    taken: Counter[str] = Counter()
    for kind in Retention.Kind.values:
        for _ in range(batches):
            with within(workspace) as now:
                counts = _batch(workspace, kind, batch, now)
            taken.update(counts)
            if not counts:
                break
            failpoints.hit("retention.after_batch")
    return dict(sorted(taken.items()))


def _batch(workspace: int, kind: str, most: int, now: datetime) -> dict[str, int]:
    """One batch of a kind with its entry, in the caller's transaction; nothing where nothing is over its time."""
    counts = _call(workspace, kind, most, now, only_count=True)
    if counts:
        log.record(
            workspace=workspace, subject=f"retention:{kind}", event=Event.RETENTION_RAN, actor=ACTOR, now=now,
            body={"kind": kind, "counts": counts},
        )  # fmt: skip
        failpoints.hit("retention.before_taking")
        _call(workspace, kind, most, now, only_count=False)
    return counts


def _call(workspace: int, kind: str, most: int, now: datetime, *, only_count: bool) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_retain(%s, %s, %s, %s, %s)", [workspace, kind, now, most, only_count])
        found = cursor.fetchone()[0]
    counts: dict[str, int] = json.loads(found) if isinstance(found, str) else found
    return dict(sorted(counts.items()))
