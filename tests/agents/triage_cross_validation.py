"""Measures triage by 5-fold cross-validation on a folder of labelled messages (the form is told in docs).

    python -m tests.agents.triage_cross_validation DIR

Each message is decided by a model that has not seen it; compound messages by one that has seen neither half.
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.triage import classifier, deciding
from agents.triage.classifier import Labelled

FOLDS = 5
FLOOR = 0.80
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What was decided for a row, beside what is right."""

    row: Row
    queue: str
    priority: str
    confidence: float
    two: bool

    @property
    def right_queue(self) -> bool:
        return bool(self.queue == self.row["queue"])

    @property
    def right(self) -> bool:
        return self.right_queue and bool(self.priority == self.row["priority"])


def read(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def learn(rows: Iterable[Row]) -> classifier.Model:
    return classifier.fit([Labelled(r["text"], r["queue"], r["priority"], r.get("intent", "")) for r in rows])


def answer(row: Row, model: classifier.Model) -> Answer:
    """What is proposed; a hand-off counts as its likeliest queue and as not routed."""
    outcome = deciding.decide(row["text"], model, floor=FLOOR, queues=model.queues)
    if outcome.drafts:
        draft = outcome.drafts[0]
        args = draft.args
        return Answer(row, str(args["queue"]), str(args["priority"]), draft.confidence, "two_matters" in draft.flags)
    said = model.predict(row["text"])
    return Answer(row, said.queue, said.priority, 0.0, False)


def cross_validate(rows: Sequence[Row]) -> list[Answer]:
    order = list(range(len(rows)))
    random.Random(7).shuffle(order)
    answers = []
    for fold in range(FOLDS):
        held = set(order[fold::FOLDS])
        model = learn(row for at, row in enumerate(rows) if at not in held)
        answers += [answer(rows[at], model) for at in sorted(held)]
    return answers


def share(flags: Iterable[bool]) -> float:
    values = list(flags)
    return round(sum(values) / len(values), 4) if values else 0.0


def report(answers: Sequence[Answer]) -> dict[str, Any]:
    auto = [a for a in answers if a.confidence >= FLOOR]
    sources = sorted({a.row["source"] for a in answers})
    return {
        "rows": len(answers),
        "queue_accuracy": share(a.right_queue for a in answers),
        "by_source": {s: share(a.right_queue for a in answers if a.row["source"] == s) for s in sources},
        "priority_accuracy": share(a.priority == a.row["priority"] for a in answers),
        "p1_recall": share(a.priority == "P1" for a in answers if a.row["priority"] == "P1"),
        "p1_precision": share(a.row["priority"] == "P1" for a in answers if a.priority == "P1"),
        "auto_coverage": round(len(auto) / len(answers), 4),
        "auto_accuracy_queue": share(a.right_queue for a in auto),
        "auto_accuracy_both": share(a.right for a in auto),
        "taken_for_two_matters": share(a.two for a in answers),
    }


def report_compound(compound: Sequence[Row], rows: Sequence[Row]) -> dict[str, Any]:
    halves = {part for row in compound for part in row["from"]}
    model = learn(row for row in rows if row["id"] not in halves)
    answers = [answer(row, model) for row in compound]
    auto = [a for a in answers if a.confidence >= FLOOR]
    return {
        "rows": len(answers),
        "lead_accuracy": share(a.right_queue for a in answers),
        "found_two": share(a.two for a in answers),
        "auto_coverage": share(a.confidence >= FLOOR for a in answers),
        "auto_accuracy": share(a.right_queue for a in auto),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    rows = [row for path in sorted(folder.glob("messages_*.jsonl")) for row in read(path)]
    print(json.dumps(report(cross_validate(rows)), indent=1))
    compound = folder / "compound.jsonl"
    if compound.exists():
        print(json.dumps({"compound": report_compound(read(compound), rows)}, indent=1))


if __name__ == "__main__":
    main()
