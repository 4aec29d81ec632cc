"""Measures a suite: plays its rows in the database at hand, and makes the report and the marks of them.

Labels are looked at after all answers are in. Whoever calls makes the throwaway database.
"""

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import roster
from agents.evals import figures
from agents.evals.fitting import Fitting, Part, fitted
from agents.evals.stage import Stage
from agents.evals.suites.base import Prediction, Row, Suite
from approvals import policy

Marks = dict[str, tuple[bool, str]]


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures, what the agents did row by row, and whether each row came out right; no marks without labels."""

    report: dict[str, Any]
    predictions: Sequence[Prediction]
    marks: Marks


def measure(
    suite: Suite, rows: Sequence[Row], *, data: Path, train: Path | None, progress: Callable[[str], None]
) -> Measured:
    """Play and score; `data` is the folder the rows come from, `train` one to fit on."""
    started = time.monotonic()
    stage = Stage(data=data, progress=progress)
    given = [row.given for row in rows]
    fitting_of = (
        fitted(given, [row.labels for row in rows], train)
        if suite.fitted
        else nullcontext(Fitting(parts=[Part(given)]))
    )
    with fitting_of as fitting:
        progress(f"{suite.name}: {len(rows)} rows; {fitting.how}")
        predictions = suite.play(stage, fitting.parts)
    if suite.by_row:
        by_id = {str(line["id"]): line for line in predictions}
        predictions = [by_id[row.id] for row in rows]
    scored, marks = _score(suite, rows, predictions)
    report = {
        "suite": suite.name, "rows": len(rows), "seconds": round(time.monotonic() - started, 2), **_spread(stage),
        "data": digest(rows),
        "versions": {
            "agents": {agent.name: agent.version for agent in roster.AGENTS},
            "model": fitting.how,
            "policy": policy.load().version,
        },
    }  # fmt: skip
    return Measured(report | scored | stage.behaved.report(), predictions, marks)


def digest(rows: Sequence[Row]) -> str:
    """SHA-256 (hex) of the rows with their labels: runs on the same digest may be compared."""
    whole = hashlib.sha256()
    for row in rows:
        labels = {name: value for name, value in row.labels.items() if name != "folder"}
        whole.update(json.dumps([row.given, labels], sort_keys=True, default=str).encode())
    return whole.hexdigest()


def _spread(stage: Stage) -> dict[str, Any]:
    """Milliseconds and micro-dollars of a run: nearest-rank percentiles, and what all of them cost."""
    percents = (50, 90, 95, 99, 100)
    return {
        "p50_ms": figures.percentile(stage.milliseconds, 50),
        "p95_ms": figures.percentile(stage.milliseconds, 95),
        "cost_micros": sum(stage.costs),
        "latency_ms": {f"p{percent}": figures.percentile(stage.milliseconds, percent) for percent in percents},
        "run_cost_micros": {f"p{percent}": figures.percentile(stage.costs, percent) for percent in percents},
    }


def _score(suite: Suite, rows: Sequence[Row], predictions: Sequence[Prediction]) -> tuple[dict[str, Any], Marks]:
    """The suite's figures and a mark for each row; none where the rows carry no labels."""
    try:
        mark = suite.mark
        marks = {row.id: mark(row, said) for row, said in zip(rows, predictions, strict=True)} if mark else {}
        return suite.score(rows, predictions), marks
    except KeyError as error:
        return {"unscored": f"the rows carry no label {error.args[0]!r}"}, {}
