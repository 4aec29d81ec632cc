"""Suite `dedupe`: which contacts a sweep finds to be one person, with and without their dates of birth."""

import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.dedupe.weighing import probability
from agents.evals import figures
from agents.evals.fitting import Part
from agents.evals.stage import ACTOR, Stage
from agents.evals.suites.base import Prediction, Row, Suite, SuiteError
from agents.evals.throwaway import sign_in
from agents.sweeps import planning, working
from agents.sweeps.models import Finding
from audit import log
from portal import workspace
from portal.systems import inbound

KEY, BIRTH, PAIRS = "record_id", "date_of_birth", "dedupe_pairs.csv"
FIELDS = ("given_name", "surname", "street_number", "address_1", "address_2", "suburb", "postcode", "state", BIRTH)


def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """Two workspaces, one without dates of birth, each swept as in service."""
    rows = [row for part in parts for row in part.given]
    return [line for births in (False, True) for line in _sweep(stage, rows, births=births)]


def _sweep(stage: Stage, rows: Sequence[Mapping[str, Any]], *, births: bool) -> Iterator[Prediction]:
    names = [name for name in FIELDS if births or name != BIRTH]
    records = {str(row["id"]): {name: str(row[name]) for name in names if row.get(name)} for row in rows}
    key = stage.open(queues=())
    with workspace.within(key) as now:
        log.attribute(ACTOR)
        inbound.receive_contacts(workspace=key, records=records)
        log.attribute("")
        sweep = planning.begin(workspace=key, actor=ACTOR, now=now)
    sign_in("agents")
    started = time.perf_counter()
    working.work(workspace=key, sweep=sweep.pk)
    stage.milliseconds.append((time.perf_counter() - started) * 1000)
    with workspace.within(key):
        found = list(Finding.objects.filter(workspace=key, sweep=sweep).order_by("-bits", "pk"))
    stage.progress(f"{len(found)} pairs found {'with' if births else 'without'} dates of birth")
    for one in found:
        left, right = sorted((one.keep, one.other))
        score = round(float(probability(one.bits / 100)), 6)
        yield {"left": left, "right": right, "score": score, "used_birth_date": births}


def score(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Precision, recall and their harmonic mean over the pairs of the rows that were played."""
    known = {row.id for row in rows}
    true = {pair for pair in _pairs(Path(rows[0].labels["folder"])) if pair <= known}
    return {
        name: _figures(true, [line for line in predictions if line["used_birth_date"] is births])
        for name, births in (("without_birth_date", False), ("with_birth_date", True))
    }


def _figures(true: set[frozenset[str]], lines: Sequence[Prediction]) -> dict[str, Any]:
    found = {frozenset((str(line["left"]), str(line["right"]))) for line in lines}
    right = len(found & true)
    return {
        "pairs": len(found), "precision": figures.ratio(right, len(found)), "recall": figures.ratio(right, len(true)),
        "f1": figures.ratio(2 * right, len(found) + len(true)),
    }  # fmt: skip


def _pairs(folder: Path) -> set[frozenset[str]]:
    """Read after all answers are in.

    Raises:
        KeyError: the folder holds none, so that nothing is scored.
    """
    path = folder / PAIRS
    if not path.is_file():
        raise KeyError(PAIRS)
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {frozenset((row["left"], row["right"])) for row in csv.DictReader(file)}
    except (csv.Error, UnicodeDecodeError) as error:
        raise SuiteError(f"{PAIRS}: {error}") from error


SUITE = Suite(
    name="dedupe", files=("dedupe_records.csv",), needed=(KEY,), given_too=FIELDS, key=KEY, by_row=False, play=play,
    score=score,
)  # fmt: skip
