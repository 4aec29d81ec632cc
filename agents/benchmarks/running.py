"""Runs a second through two worker processes, from intake to proposal, beside a bare Django loop in the same database.

The floor writes as many rows of the same sizes, one transaction a run, by two processes, and does nothing else.
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import Celery
from django.apps.registry import Apps
from django.conf import settings
from django.db import connection, models, transaction

from agents import intake, workflow
from agents.benchmarks import crowd
from agents.demo.processes import Processes
from agents.evals import throwaway
from approvals import thresholds
from portal import env, staff, workspace

RUNS, WARM, ALONE, WRITERS = 600, 20, 40, 2
IDLE_SECONDS = 0.2
# A database of the broker that no installation's workers listen on.
BROKER_DATABASE = 9
LIMIT_SECONDS = 600.0
QUEUES = {"orders_delivery": "Orders and delivery", "fees_billing": "Fees and billing"}
TEXTS = (
    "My parcel {n} was due on Monday and has not come. Where is it, please?",
    "I was charged twice for order {n}. Please look at the invoice.",
    "How do I change the address of delivery {n}? I moved last week.",
)
OURS = """
SELECT c.relname, pg_relation_size(c.oid), s.n_tup_ins FROM pg_class c
JOIN pg_stat_user_tables s ON s.relid = c.oid WHERE s.n_tup_ins > 0
"""


class Slow(Exception):
    """The runs did not come to their end in time."""


class FloorRow(models.Model):
    """What the bare loop writes: one row of text, in a registry of its own."""

    body = models.TextField()

    class Meta:
        app_label = "benchmarks"
        apps = Apps()
        db_table = "floor_row"

    def __str__(self) -> str:
        return str(self.pk)


def measure(*, items: int = RUNS, say: Callable[[str], None]) -> dict[str, Any]:
    """Both in one throwaway database with fsync on: rates a second, their ratio, commits a run, and times in ms.

    `p50_ms`, `p95_ms` are of a run by itself, `way_...` of a lone ticket from intake to proposal by idle workers.
    """
    with throwaway.database(durable=True), tempfile.TemporaryDirectory(prefix="countersign-benchmark-") as logs:
        ws = _workspace()
        processes = Processes(Path(logs), 0, _environment())
        for name in ("worker-agents", "worker-apply"):
            processes.spawn(name)
        try:
            say("waiting for two workers")
            _through(ws, WARM)
            before, rows_before = _commits(), _rows()
            say(f"{items} runs")
            rate, asked = _through(ws, items)
            say(f"{ALONE} runs, one after the other")
            alone = [_alone(ws) for _ in range(ALONE)]
        finally:
            processes.stop()  # what a worker counted is told when it goes
        runs = items + ALONE
        commits = _commits() - before - asked - sum(polls for _, polls in alone) - 1
        sizes = _sizes(rows_before, runs)
        say(f"{ALONE} runs worked here, one after the other")
        own = _own_parts(ws)
        say(f"a bare loop over {len(sizes)} rows a run")
        floor = _floor(sizes, items)
    way = sorted(1000 / each for each, _ in alone)
    return {
        "ours": round(rate, 1), "floor": round(floor, 1), "ratio": round(rate / floor, 3),
        "commits_per_run": round(commits / runs, 2), "p50_ms": _percentile(own, 50), "p95_ms": _percentile(own, 95),
        "way_p50_ms": _percentile(way, 50), "way_p95_ms": _percentile(way, 95), "runs": items,
        "rows_per_run": len(sizes),
    }  # fmt: skip


def _percentile(times: list[float], percent: int) -> float:
    return round(times[len(times) * percent // 100], 1)


def _workspace() -> int:
    throwaway.sign_in("web")
    with transaction.atomic():
        made = staff.open_workspace(slug="benchmark", name="Benchmark", currency="EUR", queues=QUEUES)
        now = workspace.enter(made.pk)
        thresholds.install(workspace=made.pk, actor="system:benchmark", now=now, with_caps=False)
    return made.pk


def _environment() -> dict[str, str]:
    """The workers' own: this database, and a broker that nobody else listens on, which this process then uses too."""
    redis = f"{env.read().redis_url.partition('?')[0]}"
    redis = f"{redis}?db={BROKER_DATABASE}" if redis.startswith("unix:") else f"{redis.rstrip('/0')}/{BROKER_DATABASE}"
    app = Celery("benchmark")
    app.config_from_object({**settings.CELERY, "broker_url": env.broker_of(redis)})
    app.set_current()
    there = connection.settings_dict
    port = f"&port={there['PORT']}" if there["PORT"] else ""
    return {
        **os.environ, "DATABASE_URL": f"postgresql:///{there['NAME']}?host={there['HOST']}{port}", "REDIS_URL": redis,
    }  # fmt: skip


def _through(ws: int, count: int, *, pause: float = 0.02) -> tuple[float, int]:
    """Take `count` tickets in and wait until the gate is through with all; runs a second, and how often it was asked.

    Raises:
        Slow.
    """
    start, first = time.perf_counter(), time.monotonic_ns()
    gated = _gated()
    for n in range(count):
        _take_in(ws, f"b-{first}-{n}", first % 99_999 + n)
    polls = 1
    while _gated() < gated + count:
        polls += 1
        if time.perf_counter() - start > LIMIT_SECONDS:
            raise Slow(f"{count} runs did not end within {LIMIT_SECONDS:.0f} s")
        time.sleep(pause)
    return count / (time.perf_counter() - start), polls + 1


def _alone(ws: int) -> tuple[float, int]:
    """One ticket that finds both workers idle, not gathering behind the one before."""
    time.sleep(IDLE_SECONDS)
    return _through(ws, 1, pause=0.001)


def _own_parts(ws: int) -> list[float]:
    """What a run takes of ours (ms, ascending): one by itself, from its lease to its committed end, no model asked."""
    throwaway.sign_in("web")
    runs = [_take_in(ws, f"own-{n}", n) for n in range(ALONE + WARM)]
    throwaway.sign_in("agents")
    times = []
    for run in runs:
        start = time.perf_counter()
        if run is None or not workflow.advance(workspace=ws, run=run):
            raise Slow(f"run {run} did not end")
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times[WARM:])


def _take_in(ws: int, key: str, n: int) -> int | None:
    with workspace.within(ws) as now:
        line = {"id": key, "text": TEXTS[n % len(TEXTS)].format(n=n)}
        return intake.take_in(workspace=ws, agent="triage", line=line, actor="system:benchmark", now=now).run


def _gated() -> int:
    """Submissions the gate is through with; one statement, so one commit that is not the product's."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('countersign.workspace', (SELECT min(id)::text FROM portal_workspace_ids()), true)"
        )
        cursor.execute("SELECT count(*) FROM approvals_submission WHERE status = 'gated'")
        return int(cursor.fetchone()[0])


def _commits() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


def _rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(OURS)
        return {name: rows for name, _, rows in cursor.fetchall()}


def _sizes(before: dict[str, int], runs: int) -> list[int]:
    """The bytes of each row that one run writes, by table."""
    throwaway.sign_in("owner")
    found: list[int] = []
    with connection.cursor() as cursor:
        cursor.execute(OURS)
        for name, size, rows in cursor.fetchall():
            each = round((rows - before.get(name, 0)) / runs)
            found += [max(1, size // rows)] * each
    return found


def _floor(sizes: list[int], runs: int) -> float:
    throwaway.sign_in("owner")
    with connection.schema_editor() as editor:
        editor.create_model(FloorRow)
    texts = [os.urandom(size // 2 + 1).hex()[:size] for size in sizes]
    done = crowd.at_once(WRITERS, lambda _: _write(texts, runs // WRITERS))
    return float(sum(done.results) / done.seconds)


def _write(texts: list[str], runs: int) -> int:
    for _ in range(runs):
        with transaction.atomic():
            for text in texts:
                FloorRow(body=text).save(force_insert=True)
    return runs
