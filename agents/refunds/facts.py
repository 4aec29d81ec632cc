"""What the records say about a request, handed in whole. Pure: no Django, clock, network or settings.

Owns the value `Facts` the workflow fills from the systems; refuses to look anything up by itself.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from portal.systems.records import Clause, Customer, Order, PaymentMethod

SHORTEST_BARE_NUMBER = 5


@dataclass(frozen=True, slots=True)
class OpenRefund:
    """A refund already proposed for an order and not yet sent. `proposal` is its identifier."""

    order_id: str
    item_ids: tuple[str, ...]
    proposal: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`orders` and `methods` are the authenticated sender's; `named` the orders of the text, whoever's."""

    customer: Customer | None
    orders: tuple[Order, ...] = ()
    methods: tuple[PaymentMethod, ...] = ()
    named: tuple[Order, ...] = ()
    clauses: tuple[Clause, ...] = ()
    open_refunds: tuple[OpenRefund, ...] = ()

    def find_orders(self, spelling: str) -> tuple[Order, ...]:
        """Orders that `spelling` may mean: written alike, or the sender's own with the same digits."""
        known = {order.order_id: order for order in (*self.orders, *self.named)}
        alike = tuple(order for order in known.values() if _plain(order.order_id) == _plain(spelling))
        return alike or tuple(order for order in self.orders if _share_digits(order.order_id, spelling))

    def find_method(self, method_id: str) -> PaymentMethod | None:
        """The sender's own method of that id, or None."""
        return next((m for m in self.methods if m.payment_method_id == method_id), None)

    def cite(self, wanted: Iterable[str]) -> tuple[Clause, ...]:
        """Those of the wanted clauses that exist, in the order wanted, each once."""
        known = {clause.clause_id: clause for clause in self.clauses}
        return tuple(known[clause_id] for clause_id in dict.fromkeys(wanted) if clause_id in known)


def _plain(spelling: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", spelling.upper())


def _share_digits(order_id: str, spelling: str) -> bool:
    digits = re.sub(r"\D", "", spelling)
    if _plain(spelling) != digits or len(digits) < SHORTEST_BARE_NUMBER:
        return False
    return re.sub(r"\D", "", order_id) == digits
