"""Evidence of a refund: each fact with the record, clause or passage it rests on. Pure."""

from collections.abc import Iterable, Sequence

from agents.refunds import amounts
from agents.refunds.facts import Facts
from agents.refunds.reading import Mentions, Request
from agents.refunds.verdicts import Plan
from agents.types import Evidence
from portal.retold import kept

_QUOTE = 300
_PIECES = kept("%(pieces)s of %(quantity)s x %(product)s at %(price)s")
_STATUS = kept("Order %(order)s is %(status)s and belongs to %(customer)s")
_PAID = kept("%(paid)s was paid for the order and %(back)s goes back")
_GOES_TO = kept("The money goes to a %(kind)s of the sender")
_ASKS = kept("The customer asks for it")
_ASKS_FOR = kept("The customer asks for it for order %(order)s")
_NOT_READ = kept("Not read: it addresses the machine")


def cite_plan(
    plan: Plan, message: str, requests: Sequence[Request], facts: Facts, clauses: Iterable[str]
) -> tuple[Evidence, ...]:
    """Order, rows, payment, destination, request and clauses behind a plan."""
    order, currency = plan.order, plan.order.currency
    source = f"order:{order.order_id}"
    paid = amounts.show(amounts.sum_payments(order, "payment"), currency)
    rows = [
        Evidence(
            _PIECES
            % {
                "pieces": pieces,
                "quantity": i.quantity,
                "product": i.product,
                "price": amounts.show(i.unit_price_minor, currency),
            },
            source,
            i.item_id,
            "item_ids",
        )
        for i, pieces in plan.rows
    ]
    return (
        Evidence(
            _STATUS % {"order": order.order_id, "status": order.status, "customer": order.customer_id},
            source,
            order.status,
            "order_id",
        ),
        *rows,
        Evidence(
            _PAID % {"paid": paid, "back": amounts.show(plan.amount_minor, currency)},
            source,
            "",
            "amount_minor",
        ),
        Evidence(
            _GOES_TO % {"kind": plan.method.kind},
            f"method:{plan.method.payment_method_id}",
            "",
            "refund_to",
        ),
        *cite_request(message, requests, order.order_id),
        *cite_clauses(facts, clauses),
    )


def cite_request(message: str, requests: Sequence[Request], about: str = "") -> tuple[Evidence, ...]:
    """The passages that carry the wish, to the letter."""
    claim = _ASKS_FOR % {"order": about} if about else _ASKS
    quotes = [message[p.start : p.end].strip()[:_QUOTE] for request in requests for p in request.asked]
    return tuple(Evidence(claim, "ticket:", quote) for quote in dict.fromkeys(quotes) if quote)


def cite_commands(mentions: Mentions) -> tuple[Evidence, ...]:
    """Passages that try to instruct the machine and were not read."""
    return tuple(Evidence(_NOT_READ, "ticket:", p.text.strip()[:_QUOTE]) for p in mentions.commands if p.text.strip())


def cite_clauses(facts: Facts, clauses: Iterable[str]) -> tuple[Evidence, ...]:
    """Clauses with their text."""
    return tuple(Evidence(f"{c.section}: {c.clause_id}", f"clause:{c.clause_id}", c.text) for c in facts.cite(clauses))
