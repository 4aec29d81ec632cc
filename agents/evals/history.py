"""Keeps what was measured, one file a run below VAR_DIR/evaluations, and says what changed since the last one.

Files, not rows: an evaluation belongs to no workspace, plays in a database that goes, and never writes to the
installation's own. A file holds figures and a mark a row, nothing of anybody's text.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

_NAME = re.compile(r"[a-z]+-\d{8}T\d{6}Z-[0-9a-f]{8}")
NEWEST = 100
# Times and counts of the run itself are not how good the agents are.
_NOT_COMPARED = frozenset({"rows", "seconds"})


class NoSuchEvaluation(LookupError):
    """Nothing was kept under that name."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One evaluation. `at` is UTC in ISO 8601, `marks` has whether a row came out right and what was done, by id."""

    name: str
    suite: str
    at: str
    data: str
    report: Mapping[str, Any]
    marks: Mapping[str, tuple[bool, str]]

    @property
    def figures(self) -> dict[str, float]:
        """The figures that are one number."""
        numbers = {k: v for k, v in self.report.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        return {name: value for name, value in numbers.items() if name not in _NOT_COMPARED}


@dataclass(frozen=True, slots=True)
class Change:
    """Against the one before on the same data: figures as (before, now), and the rows that are otherwise now."""

    before: Kept
    figures: Mapping[str, tuple[float, float]]
    rows: Mapping[str, tuple[tuple[bool, str], tuple[bool, str]]]

    @property
    def worse(self) -> int:
        """Rows that were right and are not."""
        return sum(was[0] and not now[0] for was, now in self.rows.values())

    @property
    def better(self) -> int:
        """Rows that were wrong and are right."""
        return sum(now[0] and not was[0] for was, now in self.rows.values())


def folder() -> Path:
    """Where they lie."""
    return Path(settings.VAR_DIR) / "evaluations"


def keep(*, report: Mapping[str, Any], marks: Mapping[str, tuple[bool, str]], now: datetime) -> Kept:
    """Write one down, whole or not at all."""
    name = f"{report['suite']}-{now:%Y%m%dT%H%M%SZ}-{report['data'][:8]}"
    kept = Kept(name, report["suite"], now.isoformat(timespec="seconds"), report["data"], report, marks)
    folder().mkdir(parents=True, exist_ok=True)
    part = folder() / f"{name}.part"
    part.write_text(json.dumps(asdict(kept)), encoding="utf-8")
    part.replace(folder() / f"{name}.json")
    return kept


def read(name: str) -> Kept:
    """One by its name.

    Raises:
        NoSuchEvaluation.
    """
    path = folder() / f"{name}.json"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise NoSuchEvaluation(name)
    raw = json.loads(path.read_text(encoding="utf-8"))
    marks = {row: (bool(right), str(said)) for row, (right, said) in raw.pop("marks").items()}
    return Kept(**raw, marks=marks)


def newest(suite: str = "") -> Iterator[Kept]:
    """The newest first, of one suite or of all."""
    names = sorted((path.stem for path in folder().glob(f"{suite or '*'}-*.json")), key=_when, reverse=True)
    return (read(name) for name in names[:NEWEST] if _NAME.fullmatch(name))


def _when(name: str) -> str:
    return name.partition("-")[2]


def before(kept: Kept) -> Kept | None:
    """The one before on the same rows, None where it is the first."""
    older = (path.stem for path in folder().glob(f"{kept.suite}-*-{kept.data[:8]}.json"))
    names = sorted(name for name in older if _when(name) < _when(kept.name))
    return read(names[-1]) if names else None


def change(kept: Kept) -> Change | None:
    """What changed since the one before on the same rows; None where there is none."""
    last = before(kept)
    if last is None or last.data != kept.data:
        return None
    now, was = kept.figures, last.figures
    figures = {name: (was[name], value) for name, value in now.items() if name in was and was[name] != value}
    rows = {
        row: (last.marks[row], mark)
        for row, mark in kept.marks.items()
        if row in last.marks and last.marks[row] != mark
    }
    return Change(last, figures, rows)
