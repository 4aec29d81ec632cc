"""What can be found about one order of a request: a plan, a refusal, a doubt or a referral. Pure values."""

from dataclasses import dataclass

from agents.refunds.picking import Picked
from agents.refunds.products import Fit
from portal.systems.records import Order, PaymentMethod

REASONS = ("no longer needed", "ordered by mistake")


@dataclass(frozen=True, slots=True)
class Plan:
    """A refund the records and the policy allow. `kind` is return or cancel, money in order.currency."""

    kind: str
    order: Order
    rows: Picked
    method: PaymentMethod
    amount_minor: int
    reason: str = ""
    fit: Fit = Fit.EXACT
    described: bool = False
    quotes: tuple[str, ...] = ()

    @property
    def clauses(self) -> tuple[str, ...]:
        return ("RET-1", "RET-2", "RET-4", "AMT-1") if self.kind == "return" else ("CAN-1", "CAN-2", "CAN-3")

    @property
    def item_ids(self) -> tuple[str, ...]:
        return tuple(item.item_id for item, pieces in self.rows for _ in range(pieces))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request the policy does not allow. `why` is a sentence for the customer."""

    why: str
    clauses: tuple[str, ...]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something only the customer can tell. `asks` names the fact, `question` is for the customer.

    `kind`, `options` and `about` are those of `agents.types.Asked`.
    """

    asks: str
    question: str
    clauses: tuple[str, ...]
    flags: tuple[str, ...] = ()
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    about: str = ""


@dataclass(frozen=True, slots=True)
class Referral:
    """Something only a person can do. `reason` is a preset of hand-offs, `summary` is for the staff."""

    reason: str
    summary: str
    clauses: tuple[str, ...] = ("ESC-1",)
    flags: tuple[str, ...] = ()


Verdict = Plan | Refusal | Doubt | Referral
