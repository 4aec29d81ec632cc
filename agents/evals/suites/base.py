"""What a suite is: where its rows lie, what of them an agent may see, how it is played and scored.

A row is parted when it is read: `given` goes to the agent, `labels` only to the score, after all answers.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.evals.fitting import Part
from agents.evals.stage import Stage

Prediction = dict[str, Any]


class SuiteError(ValueError):
    """The folder or a row of it is not of the suite's form; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a suite's data."""

    given: Mapping[str, Any]
    labels: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The row's name."""
        return str(self.given["id"])


@dataclass(frozen=True, slots=True)
class Suite:
    """`files` are the names or patterns of its data, of which the first must be there.

    `needed` and, where they are there, `given_too` are the fields an agent may see. A row in which the field
    `leave_out` is true is not played. `play(stage, parts)` gives one prediction per row, in any order, and
    `score(rows, predictions)` its figures. `mark(row, prediction)` says whether one row came out right, and in a
    few words without anybody's data what was done. With `fitted` a triage model is fitted and rows come in parts.
    `key` is the column of a row's name; without `by_row` predictions are not one per row, and are kept as they come.
    """

    name: str
    files: tuple[str, ...]
    needed: tuple[str, ...]
    play: Callable[[Stage, Sequence[Part]], list[Prediction]]
    score: Callable[[Sequence[Row], Sequence[Prediction]], dict[str, Any]]
    mark: Callable[[Row, Prediction], tuple[bool, str]] | None = None
    given_too: tuple[str, ...] = ()
    leave_out: str = ""
    fitted: bool = False
    key: str = "id"
    by_row: bool = True

    def read(self, folder: Path, limit: int | None) -> list[Row]:
        """The rows of the folder, the first `limit` of each file.

        Raises:
            SuiteError.
        """
        paths = [sorted(folder.glob(pattern)) for pattern in self.files]
        if not paths[0]:
            raise SuiteError(f"{folder}: holds no {self.files[0]}")
        rows = [row for path in (p for some in paths for p in some) for row in self._rows(path, limit)]
        if not rows:
            raise SuiteError(f"{folder}: holds no row")
        if twice := [name for name, count in Counter(row.id for row in rows).items() if count > 1]:
            raise SuiteError(f"{folder}: the id {twice[0]} is there twice")
        return rows

    def _rows(self, path: Path, limit: int | None) -> list[Row]:
        found: list[Row] = []
        for at, raw in _read(path):
            if len(found) == limit:
                break
            if missing := [name for name in self.needed if name not in raw]:
                raise SuiteError(f"{path.name} line {at}: {missing[0]} is missing")
            if not (self.leave_out and raw.get(self.leave_out)):
                given = {name: raw[name] for name in (*self.needed, *self.given_too) if name in raw}
                found.append(Row({**given, "id": raw[self.key]}, {**raw, "file": path.name, "folder": path.parent}))
        return found


def _read(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    at = 0
    try:
        with path.open(encoding="utf-8", newline="" if path.suffix == ".csv" else "\n") as file:
            lines: Iterator[Any] = csv.DictReader(file) if path.suffix == ".csv" else map(json.loads, file)
            for at, row in enumerate(lines, 1):
                if not isinstance(row, dict):
                    raise SuiteError(f"{path.name} line {at}: is not a JSON object")
                yield at, row
    except (OSError, csv.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise SuiteError(f"{path.name} line {at + 1}: {error}") from error
