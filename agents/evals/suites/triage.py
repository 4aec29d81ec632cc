"""Suite `triage`: queue and priority of single messages and of two joined into one."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.evals import figures
from agents.evals.fitting import JOINED, Part
from agents.evals.stage import Came, Stage
from agents.evals.suites.base import Prediction, Row, Suite

URGENT = "P1"


def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """Each part in a workspace of its own, with its own model in force."""
    predictions: list[Prediction] = []
    for part in parts:
        key = stage.open(queues=part.queues, model=part.model)
        lines = [{"id": row["id"], "text": row["text"]} for row in part.given]
        predictions += [predict(came) for came in stage.play(key, "triage", lines)]
    return predictions


def predict(came: Came) -> Prediction:
    """A hand-off counts as what it says is likeliest, not routed."""
    draft = next((d for d in came.drafts if d["action"] == "ticket.update"), None)
    if draft is None:
        found: Mapping[str, Any] = next((h["found"] for h in came.handoffs), {})
        queue = next((str(name) for name in found.get("queues") or ()), None)
        return _line(came, queue=queue, priority=found.get("priority"), confidence=0.0)
    args, tags = draft["args"], draft["args"].get("tags") or ()
    other = next((tag.removeprefix("also:") for tag in tags if tag.startswith("also:")), None)
    return _line(
        came,
        queue=args["queue"],
        priority=args["priority"],
        confidence=draft["confidence"],
        other_queue=other,
    )


def _line(
    came: Came, *, queue: str | None, priority: str | None, confidence: float, other_queue: str | None = None
) -> Prediction:
    return {
        "id": came.id, "queue": queue, "priority": priority, "confidence": round(confidence, 4),
        "auto": came.automatic, "other_queue": other_queue, "flags": list(came.flags),
    }  # fmt: skip


def score(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Accuracy of single messages; of joined ones, whether the more urgent matter leads."""
    pairs = [(row.labels, said) for row, said in zip(rows, predictions, strict=True)]
    single = [(label, said) for label, said in pairs if JOINED not in label]
    auto = [(label, said) for label, said in single if said["auto"]]

    def right(pair: tuple[Any, Prediction]) -> bool:
        return bool(pair[0]["queue"] == pair[1]["queue"])

    return {
        "queue_accuracy": figures.share(map(right, single)),
        "priority_accuracy": figures.share(a["priority"] == b["priority"] for a, b in single),
        "p1_recall": figures.share(b["priority"] == URGENT for a, b in single if a["priority"] == URGENT),
        "auto_coverage": figures.ratio(len(auto), len(single)),
        "auto_accuracy": figures.share(map(right, auto)),
        "compound_lead_accuracy": figures.share(right(pair) for pair in pairs if JOINED in pair[0]),
        "by_source": figures.by(single, lambda pair: str(pair[0].get("source")), right),
    }


def mark(row: Row, said: Prediction) -> tuple[bool, str]:
    """The right queue."""
    words = f"{said['queue'] or 'nowhere'} {said['priority'] or ''}{'' if said['auto'] else ', to a person'}"
    return said["queue"] == row.labels["queue"], words


SUITE = Suite(
    name="triage",
    files=("messages_*.jsonl", "compound.jsonl"),
    needed=("id", "text"),
    play=play,
    score=score,
    mark=mark,
    fitted=True,
)
