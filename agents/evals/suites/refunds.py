"""Suite `refunds`: what is decided about a request, and whether money would go exactly where it should."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from agents.evals import figures
from agents.evals.fitting import Part
from agents.evals.stage import Came, Stage
from agents.evals.suites.base import Prediction, Row, Suite
from portal import money

LINE = ("id", "from_customer_id", "from_email", "text")
QUEUES = ("refunds_returns",)
ASIDE = frozenset({"escalate", "clarify"})
Given = Mapping[str, Any]


def play(stage: Stage, parts: Sequence[Part]) -> list[Prediction]:
    """All runs of a round end before one is gated, so that no agent sees what came of another row."""
    given = [row for part in parts for row in part.given]
    single = [row for row in given if not row.get("sequence")]
    sequences = [row for row in given if row.get("sequence")]
    return [*_play_single(stage, single), *_play_sequences(stage, sequences)]


def _play_single(stage: Stage, rows: list[Given]) -> Iterator[Prediction]:
    """A refund that the gate met twice, of two rows, is played again where it is the only one."""
    while rows:
        key = stage.open(queues=QUEUES, books=stage.data)
        came = stage.play(key, "refunds", [_line(row) for row in rows])
        yield from (predict(one) for one in came if not one.twin)
        rows = [row for row, one in zip(rows, came, strict=True) if one.twin]


def _play_sequences(stage: Stage, rows: Sequence[Given]) -> Iterator[Prediction]:
    """Steps of a sequence follow one another; two sequences of one customer never share a workspace."""
    for apart in by_customer(rows):
        key = stage.open(queues=QUEUES, books=stage.data)
        for step in sorted({int(row["step"]) for row in apart}):
            came = stage.play(key, "refunds", [_line(row) for row in apart if int(row["step"]) == step])
            yield from map(predict, came)
            stage.carry_out(key, came)


def by_customer(rows: Sequence[Given]) -> list[list[Given]]:
    """Groups in which every customer has one sequence at most."""
    groups: list[dict[str, str]] = []
    found: list[list[Given]] = []
    for row in rows:
        customer, sequence = str(row["from_customer_id"]), str(row["sequence"])
        at = next((n for n, g in enumerate(groups) if g.get(customer, sequence) == sequence), len(groups))
        if at == len(groups):
            groups.append({})
            found.append([])
        groups[at][customer] = sequence
        found[at].append(row)
    return found


def _line(row: Given) -> dict[str, Any]:
    return {name: row[name] for name in LINE}


def predict(came: Came) -> Prediction:
    """Approve is a proposed refund, escalate a hand-off, clarify a question, deny a reply alone."""
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
                "refund_to": args["refund_to"],
                "amount": money.to_text(args["amount_minor"], args["currency"]),
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
        **_escalation(pairs),
    }


def mark(row: Row, said: Prediction) -> tuple[bool, str]:
    """An acceptable decision, and an exact effect where money would move."""
    paid = f" {said['amount']} {said['currency']}" if said["decision"] == "approve" else ""
    right = _right(row, said) if paid else _acceptable((row, said))
    return right, f"{said['decision'] or 'nothing'}{paid}"


def _escalation(pairs: Sequence[tuple[Row, Prediction]]) -> dict[str, Any]:
    """Of what only a person or a question may settle, what went there; of all hand-offs, those that were needless."""
    due = [said["decision"] for row, said in pairs if set(row.labels["expected"]["acceptable"]) <= ASIDE]
    went = [row.labels["expected"]["acceptable"] for row, said in pairs if said["decision"] == "escalate"]
    return {
        "escalation_recall": figures.share(decision in ASIDE for decision in due),
        "needless_escalations": figures.share("escalate" not in acceptable for acceptable in went),
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
    mark=mark,
    given_too=("sequence", "step"),
    play=play,
    score=score,
    leave_out="needs_dialogue",
)
