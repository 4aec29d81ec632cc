"""What comes to the gate in a shop: most of it small and sure, a little of it large, unsure, flagged or not theirs."""

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

SEED, BY_HAND, STRANGERS = 20_26, 0.04, 0.01
TEAMS = ("orders_delivery", "fees_billing", "refunds_returns", "")
KINDS = {"ticket.update": 50, "refund.create": 25, "contact.update": 15, "ticket.reply": 10}
AGENTS = {"refund.create": "refunds", "contact.update": "contacts"}
FATES = {"applied": 72, "rejected": 7, "edited": 6, "undone": 4, "sent_back": 3, "pending": 3, "expired": 3,
         "withdrawn": 2}  # fmt: skip
FLAGS = {(): 94, ("injection",): 3, ("hidden_text",): 1, ("tainted_destination",): 1, ("unclear",): 1}
CURRENCIES = {"EUR": 70, "USD": 20, "GBP": 8, "JPY": 2}
REVERSIBLE = ("ticket.update", "contact.update")


@dataclass(frozen=True, slots=True)
class Came:
    """One write as it came in.

    `pieces` are the prices of the two items of a refund; `theirs`: the order is the customer's who asks; `fate` is
    what people do with it, where they see it; `undoes` is the write before, which they took back.
    """

    n: int
    action: str
    proposer: str
    confidence: float
    flags: tuple[str, ...]
    fate: str
    team: str
    currency: str = ""
    pieces: tuple[int, int] = (0, 0)
    theirs: bool = True
    undoes: int | None = None

    @property
    def amount_minor(self) -> int | None:
        """What moves by it."""
        return sum(self.pieces) if self.currency else None

    @property
    def about(self) -> int:
        """The write whose record and case it is about."""
        return self.n if self.undoes is None else self.undoes

    @property
    def target(self) -> str:
        """The record."""
        kind = {"refund.create": "order", "contact.update": "contact"}.get(self.action, "ticket")
        return f"{kind}:{self.about}"

    @property
    def subject(self) -> str:
        """What its case is about."""
        return f"{'contact' if self.action == 'contact.update' else 'ticket'}:{self.about}"

    def args(self, *, edited: bool = False) -> dict[str, Any]:
        """What it asks for; an edited refund is of one item."""
        match self.action:
            case "refund.create":
                items, amount = (["i-1"], self.pieces[0]) if edited else (["i-1", "i-2"], sum(self.pieces))
                return {"kind": "return", "order_id": str(self.n), "item_ids": items, "refund_to": f"card-{self.n}",
                        "amount_minor": amount, "currency": self.currency}  # fmt: skip
            case "ticket.update":
                return {"priority": "P2" if edited else "P3" if self.undoes else "P1"}
            case "ticket.reply":
                return {"body": "Your order is on its way." if edited else "Your order left us today."}
        return {"changes": {"first_name": "Ann" if edited else "anna" if self.undoes else "Anna"}}

    def payload(self) -> dict[str, Any]:
        """As it was handed in."""
        return {"action": self.action, "target": self.target, "args": self.args(), "confidence": self.confidence,
                "flags": list(self.flags), "justification": "", "evidence": []}  # fmt: skip


def coming(people: Sequence[int]) -> Iterator[Came]:
    """Without end, and the same each time; what is taken back is so by the write that follows."""
    chance = random.Random(SEED)  # nosec B311  # an order, not a secret
    before: Came | None = None
    for n in itertools.count(1):
        if before is not None and before.fate == "undone":
            before = Came(
                n, before.action, f"person:{chance.choice(people)}", 1.0, (), "applied", before.team, undoes=before.n
            )
        else:
            before = _one(n, chance, people)
        yield before


def _one(n: int, chance: random.Random, people: Sequence[int]) -> Came:
    action, fate, flags = (_pick(chance, table) for table in (KINDS, FATES, FLAGS))
    by_hand = chance.random() < BY_HAND
    if (fate == "undone" and action not in REVERSIBLE) or (fate == "sent_back" and by_hand):
        fate = "applied"
    proposer = f"person:{chance.choice(people)}" if by_hand else f"agent:{AGENTS.get(action, 'triage')}"
    one = Came(
        n, action, proposer, 1.0 if by_hand else round(chance.betavariate(9, 1.5), 2), () if by_hand else flags, fate,
        "" if action == "contact.update" else TEAMS[min(int(chance.expovariate(1)), len(TEAMS) - 1)],
    )  # fmt: skip
    if action != "refund.create":
        return one
    amount = int(min(500_000, 900 * chance.paretovariate(1.1)))
    pieces, theirs = (amount, max(1, amount // chance.randint(2, 9))), by_hand or chance.random() > STRANGERS
    return replace(one, currency=_pick(chance, CURRENCIES), pieces=pieces, theirs=theirs)


def _pick(chance: random.Random, table: dict[Any, int]) -> Any:
    return chance.choices(list(table), list(table.values()))[0]
