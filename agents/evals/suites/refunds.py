"""Suite `refunds`: what is decided about a request, and whether money would go exactly where it should."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.evals import figures
from agents.evals.fitting import Part
from agents.evals.stage import Came, Stage
from agents.evals.suites.base import Prediction, Row, Suite
from portal import money

LINE = ("id", "from_customer_id", "from_email", "text")
_NUMBER = re.compile(r"\d{4,}")


def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """Rows that could touch one order go to workspaces of their own; steps of a sequence follow one another."""
    given = [row for part in parts for row in part.given]
    predictions: dict[str, Prediction] = {}
    for apart in apart_from_each_other(given):
        key = stage.open(queues=("refunds_returns",), books=stage.data)
        for step in sorted({int(row.get("step", 0)) for row in apart}):
            rows = [row for row in apart if int(row.get("step", 0)) == step]
            came = stage.play(key, "refunds", [{name: row.get(name) for name in LINE} for row in rows])
            predictions |= {one.id: predict(one) for one in came}
            followed = [one for one, row in zip(came, rows, strict=True) if row.get("sequence")]
            stage.carry_out(key, followed)
    return list(predictions.values())


def apart_from_each_other(given: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Groups in which no two rows share a sender or a number, but for the steps of one sequence."""
    units: dict[str, list[Mapping[str, Any]]] = {}
    for row in given:
        units.setdefault(str(row.get("sequence") or f"row {row['id']}"), []).append(row)
    groups: list[list[Mapping[str, Any]]] = []
    taken: list[set[str]] = []
    for unit in units.values():
        marks = {mark for row in unit for mark in (row["from_customer_id"], *_NUMBER.findall(row["text"]))}
        at = next((n for n, known in enumerate(taken) if not known & marks), len(groups))
        if at == len(groups):
            groups.append([])
            taken.append(set())
        groups[at] += unit
        taken[at] |= marks
    return groups


def predict(came: Came) -> Prediction:
    """Approve is a proposed refund, escalate a hand-off, clarify a question, deny a reply that cites clauses."""
    refunds = [draft["args"] for draft in came.drafts if draft["action"] == "refund.create"]
    currency = next((args["currency"] for args in refunds), "")
    total = sum(args["amount_minor"] for args in refunds)
    return {
        "id": came.id,
        "decision": _decision(came, bool(refunds)),
        "amount": money.to_text(total, currency) if refunds else "0.00",
        "currency": currency or None,
        "actions": [
            {
                "action": args["kind"], "order_id": args["order_id"], "item_ids": args["item_ids"],
                "refund_to": args["refund_to"], "amount": money.to_text(args["amount_minor"], args["currency"]),
            }
            for args in refunds
        ],
        "clauses": sorted(_clauses(came)),
        "question": next((question["text"] for question in came.questions), None),
        "flags": list(came.flags),
    }  # fmt: skip


def _decision(came: Came, refunds: bool) -> str | None:
    if refunds:
        return "approve"
    if came.handoffs or came.refused:
        return "escalate"
    if came.questions:
        return "clarify"
    return "deny" if any(draft["action"] == "ticket.reply" for draft in came.drafts) else None


def _clauses(came: Came) -> set[str]:
    sources = {piece["source"] for paper in came.papers for piece in paper.get("evidence", ())}
    return {source.removeprefix("clause:") for source in sources if source.startswith("clause:")}


def score(rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Decisions, exact effects, and the clauses they rest on."""
    pairs = list(zip(rows, predictions, strict=True))
    sure = [(row, said) for row, said in pairs if row.labels["expected"]["acceptable"] == ["approve"]]
    wanted = [clause for row, _ in pairs for clause in row.labels["expected"]["clauses"]]
    cited = [c for row, said in pairs for c in row.labels["expected"]["clauses"] if c in said["clauses"]]
    wrong = [said["id"] for row, said in pairs if said["decision"] == "approve" and not _right(row, said)]
    return {
        "acceptable": figures.share(_acceptable(pair) for pair in pairs),
        "approve_only_exact": figures.share(_right(row, said) for row, said in sure),
        "wrong_effects": len(wrong),
        "wrong_effect_ids": wrong,
        "by_family": figures.by(pairs, lambda pair: str(pair[0].labels.get("family")), _acceptable),
        "by_kind": figures.by(pairs, lambda pair: str(pair[0].labels.get("kind")), _acceptable),
        "clause_recall": figures.ratio(len(cited), len(wanted)),
    }


def _acceptable(pair: tuple[Row, Prediction]) -> bool:
    row, said = pair
    return said["decision"] in row.labels["expected"]["acceptable"]


def _right(row: Row, said: Prediction) -> bool:
    """An approval that was due, of exactly these amounts, owners, pieces and destinations."""
    wanted = row.labels["expected"]
    return (
        said["decision"] == "approve" == wanted["decision"]
        and sorted(map(_effect, said["actions"])) == sorted(map(_effect, wanted["actions"]))
        and Decimal(said["amount"]) == Decimal(wanted["amount"])
        and said["currency"] == wanted["currency"]
    )


def _effect(action: Mapping[str, Any]) -> tuple[str, str, str, Decimal, tuple[str, ...]]:
    """A cancellation takes the whole order, whether its pieces are listed or not."""
    pieces = () if action["action"] == "cancel" else tuple(sorted(action["item_ids"]))
    return action["action"], action["order_id"], action["refund_to"], Decimal(action["amount"]), pieces


SUITE = Suite(
    name="refunds",
    files=("cases.jsonl",),
    needed=LINE,
    given_too=("sequence", "step"),
    play=play,
    score=score,
    leave_out="needs_dialogue",
)
