"""Fits, asks and keeps the model that names a ticket's queue and priority.
Pure but for the files it is told to read and write: no Django, clock, network or settings.
A fitted model is a file named by the SHA-256 of its bytes; it is fitted at set-up, never committed.
"""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import joblib
import numpy as np

from agents.triage import features

SEEDS = Path(__file__).with_name("seed.jsonl")
URGENT = "P1"
URGENT_FROM = 0.25
"""Probability from which a ticket counts as urgent: an overlooked P1 costs more than a P2 looked at first.
From 0.35 to 0.25 one more urgent ticket in eighty is seen; one in eight called urgent is not, was one in eleven."""


class ModelError(Exception):
    """The rows cannot be learned from, or a file is not the model its name promises."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One message with its answer. `intent` is a finer label where the source has one."""

    text: str
    queue: str
    priority: str
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """`confidence` is the calibrated probability that queue and priority are both right.

    `alternatives`: all queues with their probability, most likely first. `label` is the likeliest of the queue's.
    """

    queue: str
    priority: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Label:
    """What the scorer learns: the finest label there is, with the queue and priority it stands for."""

    queue: str
    priority: str
    intent: str

    def __str__(self) -> str:
        return json.dumps([self.queue, self.priority, self.intent])


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted scorer and what its classes stand for."""

    scorer: features.Scorer
    labels: tuple[_Label, ...]
    queues: tuple[str, ...] = field(init=False)
    priorities: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "queues", tuple(sorted({label.queue for label in self.labels})))
        object.__setattr__(self, "priorities", tuple(sorted({label.priority for label in self.labels})))

    def predict(self, text: str) -> Prediction:
        return self.predict_many([text])[0]

    def predict_many(self, texts: Sequence[str]) -> list[Prediction]:
        return [self._read(row) for row in self.scorer.probabilities(texts)] if texts else []

    def terms(self, text: str, said: Prediction) -> tuple[str, ...]:
        """The words of the text that spoke loudest for what was said of it."""
        return self.scorer.terms(text, said.label)

    def familiarity(self, text: str) -> float:
        """The share of the text's words that the model has met, 0 to 1."""
        return self.scorer.familiarity(text)

    def _read(self, row: features.Floats) -> Prediction:
        joint = np.zeros((len(self.queues), len(self.priorities)))
        for label, probability in zip(self.labels, row, strict=True):
            joint[self.queues.index(label.queue), self.priorities.index(label.priority)] += probability
        by_queue, by_priority = joint.sum(axis=1), joint.sum(axis=0)
        queue, priority = int(by_queue.argmax()), int(by_priority.argmax())
        if URGENT in self.priorities and by_priority[self.priorities.index(URGENT)] >= URGENT_FROM:
            priority = self.priorities.index(URGENT)
        ranked = sorted(zip(self.queues, by_queue.tolist(), strict=True), key=lambda pair: -pair[1])
        of_queue = (at for at, label in enumerate(self.labels) if label.queue == self.queues[queue])
        likeliest = max(of_queue, key=lambda at: float(row[at]))
        return Prediction(
            self.queues[queue], self.priorities[priority], float(joint[queue, priority]), tuple(ranked),
            str(self.labels[likeliest]),
        )  # fmt: skip


def fit(rows: Sequence[Labelled]) -> Model:
    """Learn from labelled messages, with or without intents; equal rows in equal order predict equally.

    A label with fewer rows than the calibration has folds is repeated until each fold holds one.
    ModelError if there are not at least three labels.
    """
    known = [row for row in rows if row.text.strip()]
    labels = [_Label(row.queue, row.priority, row.intent) for row in known]
    if len(set(labels)) < 3:
        raise ModelError("a model needs messages of at least three labels")
    counted = Counter(labels)
    repeats = [max(1, -(-features.FOLDS // counted[label])) for label in labels]
    texts = [row.text for row, times in zip(known, repeats, strict=True) for _ in range(times)]
    names = [str(label) for label, times in zip(labels, repeats, strict=True) for _ in range(times)]
    scorer = features.fit(texts, names)
    return Model(scorer, tuple(_Label(*json.loads(name)) for name in scorer.classes))


def read_rows(lines: Iterable[str]) -> list[Labelled]:
    """Rows from JSONL with `text, queue, priority`, perhaps `intent`; what else a line holds is dropped."""
    found = (json.loads(line) for line in lines if line.strip())
    return [Labelled(row["text"], row["queue"], row["priority"], row.get("intent", "")) for row in found]


def read_seeds() -> list[Labelled]:
    """The messages this product brings along, so that it can triage before it has any of its own."""
    return read_rows(SEEDS.read_text(encoding="utf-8").splitlines())


def save(model: Model, folder: Path) -> Path:
    """Write the model to `<SHA-256 of its bytes>.model` in the folder; the same bytes are written once."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    path = folder / f"{hashlib.sha256(buffer.getvalue()).hexdigest()}.model"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        part = path.with_suffix(".part")
        part.write_bytes(buffer.getvalue())
        part.replace(path)
    return path


def load(path: Path, digest: str = "") -> Model:
    """Read a saved model back. Its format is joblib's, which runs code while it is read.

    So not a byte is unpacked before the SHA-256 of the file equals `digest`, which the caller keeps
    where an agent cannot write; without one, the file's own name must match. ModelError if it does not.
    """
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != (digest or path.stem):
        raise ModelError(f"{path.name} is not the file it was when it was fitted")
    model = joblib.load(io.BytesIO(content))
    if not isinstance(model, Model):
        raise ModelError(f"{path.name} holds no triage model")
    return model
