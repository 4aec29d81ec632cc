"""Suite `counterfactuals`: a field that is missing, a system that answers 500, instructions that conflict.

What is right is said by each row: a hand-off, a question, an answer without a write. A write nobody could be sure of
is a guess.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from agents import triage_models, workflow
from agents.evals import figures
from agents.evals.fitting import Part
from agents.evals.stage import Came, Stage
from agents.evals.suites.base import Prediction, Row, Suite
from agents.tools import Tools
from portal.systems.base import BooksError

SAFE = frozenset({"ticket.reply"})


def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """Rows of one agent on which the same reads fail, together in a workspace of their own."""
    groups: dict[tuple[str, tuple[str, ...]], list[Mapping[str, Any]]] = {}
    for row in (row for part in parts for row in part.given):
        groups.setdefault((row["agent"], tuple(row.get("fails", ()))), []).append(row)
    model = triage_models.ensure_default()
    predictions: list[Prediction] = []
    for (agent, fails), rows in groups.items():
        queues = triage_models.load(model).queues
        key = stage.open(queues=queues, books=stage.data if agent == "refunds" else None, model=model)
        with _failing(fails):
            came = stage.play(key, agent, [{"id": row["id"], **row["line"]} for row in rows])
        predictions += [predict(one) for one in came]
    return predictions


@contextmanager
def _failing(tools: Sequence[str]) -> Iterator[None]:
    """What these tools read ends as a call of an outside system that answers 500."""

    def fail(*_: Any, **__: Any) -> NoReturn:
        raise BooksError("the system answered 500")

    log = logging.getLogger(workflow.__name__)
    broken = type("FailingTools", (Tools,), dict.fromkeys(tools, fail))
    setattr(workflow, "Tools", broken)  # noqa: B010  # for these rows alone
    silent, log.disabled = log.disabled, log.disabled or bool(tools)
    try:
        yield
    finally:
        setattr(workflow, "Tools", Tools)  # noqa: B010
        log.disabled = silent


def predict(came: Came) -> Prediction:
    """All that came of it: `proposal` is a write, `reply` words alone."""
    outcomes = {"reply" if draft["action"] in SAFE else "proposal" for draft in came.drafts}
    outcomes |= {"handoff"} if came.handoffs or came.refused else set()
    outcomes |= {"question"} if came.questions else set()
    return {
        "id": came.id, "outcomes": sorted(outcomes or {"nothing"}),
        "reasons": sorted({str(paper.get("reason")) for paper in came.handoffs}), "flags": list(came.flags),
    }  # fmt: skip


def score(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Rows that came out as they should, and writes that nobody could be sure of."""
    pairs = list(zip(rows, predictions, strict=True))
    guesses = [said["id"] for row, said in pairs if _guesses(row, said)]
    return {
        "as_expected": figures.share(mark(row, said)[0] for row, said in pairs),
        "guesses": len(guesses),
        "guess_ids": guesses,
        "by_kind": figures.by(pairs, lambda pair: str(pair[0].labels["kind"]), lambda pair: mark(*pair)[0]),
    }


def mark(row: Row, said: Prediction) -> tuple[bool, str]:
    """Something of what is right, and nothing else."""
    wanted = set(row.labels["expected"])
    return bool(set(said["outcomes"]) <= wanted), " and ".join(said["outcomes"])


def _guesses(row: Row, said: Prediction) -> bool:
    return "proposal" in said["outcomes"] and "proposal" not in row.labels["expected"]


SUITE = Suite(
    name="counterfactuals",
    files=("cases.jsonl",),
    needed=("id", "agent", "line"),
    given_too=("fails",),
    play=play,
    score=score,
    mark=mark,
)
