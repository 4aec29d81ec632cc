"""Fits the triage model an evaluation measures, never on what is measured, and parts the rows by model.

With `train` there is one model; without, many labelled rows are measured by five-fold cross-validation, each
by a model that has not seen it; few rows, or bare ones, by the model that comes with the program.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents import triage_models
from agents.triage import classifier
from agents.triage.classifier import Labelled

FOLDS = 5
# Fewer labelled rows teach nothing that holds: they are measured by the model that comes with the program.
FEWEST = 500
# The label that marks a row as two messages joined; `from` names their ids.
JOINED = "other_queue"


@dataclass(frozen=True, slots=True)
class Part:
    """Rows that are measured by one model; `queues` are those it can name."""

    given: Sequence[Mapping[str, Any]]
    model: str = ""
    queues: tuple[str, ...] = ()


@dataclass(slots=True)
class Fitting:
    """`how` says for people what was fitted on what. Model files it made are removed at the end."""

    how: str = "nothing is fitted"
    parts: list[Part] = field(default_factory=list)
    made: list[Path] = field(default_factory=list)

    def fit(self, rows: Sequence[Labelled]) -> str:
        """Fit and store a model; returns its digest."""
        before = set(triage_models.folder().glob("*.model"))
        digest = triage_models.fit(rows)
        path = triage_models.folder() / f"{digest}.model"
        self.made += [] if path in before else [path]
        return digest


@contextmanager
def fitted(
    given: Sequence[Mapping[str, Any]], labels: Sequence[Mapping[str, Any]], train: Path | None
) -> Iterator[Fitting]:
    """The rows parted by the model that measures them.

    Raises:
        classifier.ModelError: there is nothing to learn from.
    """
    fitting = Fitting()
    try:
        if train is not None:
            rows = triage_models.read_folder(train)
            fitting.how = f"one model, fitted on {len(rows)} messages of --train"
            fitting.parts.append(_part(fitting, given, rows))
        elif len(labels) >= FEWEST and all("queue" in label and "priority" in label for label in labels):
            fitting.how = f"{FOLDS}-fold cross-validation by a hash of the id"
            fitting.parts += _folds(fitting, given, labels)
        else:
            fitting.how = "the model that comes with the program"
            model = triage_models.ensure_default()
            fitting.parts.append(Part(given, model, triage_models.load(model).queues))
        yield fitting
    finally:
        for path in fitting.made:
            path.unlink(missing_ok=True)


def _part(fitting: Fitting, given: Sequence[Mapping[str, Any]], rows: Sequence[Labelled]) -> Part:
    return Part(given, fitting.fit(rows), tuple(sorted({row.queue for row in rows})))


def fold_of(row_id: str) -> int:
    """Which fold a row is in; the same on every machine."""
    return hashlib.sha256(row_id.encode()).digest()[0] % FOLDS


def _folds(fitting: Fitting, given: Sequence[Mapping[str, Any]], labels: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    """Single messages by fold; joined ones by a model that has seen neither half."""
    known = {str(g["id"]): _labelled(label) for g, label in zip(given, labels, strict=True) if JOINED not in label}
    halves = {str(half) for label in labels for half in label.get("from", ())}
    for fold in range(FOLDS):
        inside = [g for g in given if str(g["id"]) in known and fold_of(str(g["id"])) == fold]
        if inside:
            yield _part(fitting, inside, [row for key, row in known.items() if fold_of(key) != fold])
    joined = [g for g, label in zip(given, labels, strict=True) if JOINED in label]
    if joined:
        yield _part(fitting, joined, [row for key, row in known.items() if key not in halves])


def _labelled(label: Mapping[str, Any]) -> Labelled:
    try:
        return Labelled(label["text"], label["queue"], label["priority"], label.get("intent", ""))
    except KeyError as error:
        raise classifier.ModelError(f"{label.get('id')}: {error.args[0]} is missing") from error
