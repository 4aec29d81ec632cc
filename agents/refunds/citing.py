"""Evidence of a refund: each fact with the record, clause or passage it rests on. Pure."""

from collections.abc import Iterable, Sequence

from agents.refunds import amounts
from agents.refunds.facts import Facts
from agents.refunds.reading import Mentions, Request
from agents.refunds.verdicts import Plan
from agents.types import Evidence

_QUOTE = 300


def cite_plan(
    plan: Plan, message: str, requests: Sequence[Request], facts: Facts, clauses: Iterable[str]
) -> tuple[Evidence, ...]:
    """Order, rows, payment, destination, request and clauses behind a plan."""
    order, currency = plan.order, plan.order.currency
    source = f"order:{order.order_id}"
    paid = amounts.show(amounts.sum_payments(order, "payment"), currency)
    rows = [
        Evidence(
            f"{pieces} of {i.quantity} x {i.product} at {amounts.show(i.unit_price_minor, currency)}",
            source,
            i.item_id,
            "item_ids",
        )
        for i, pieces in plan.rows
    ]
    return (
        Evidence(
            f"Order {order.order_id} is {order.status} and belongs to {order.customer_id}",
            source,
            order.status,
            "order_id",
        ),
        *rows,
        Evidence(
            f"{paid} was paid for the order and {amounts.show(plan.amount_minor, currency)} goes back",
            source,
            "",
            "amount_minor",
        ),
        Evidence(
            f"The money goes to a {plan.method.kind} of the sender",
            f"method:{plan.method.payment_method_id}",
            "",
            "refund_to",
        ),
        *cite_request(message, requests, order.order_id),
        *cite_clauses(facts, clauses),
    )


def cite_request(message: str, requests: Sequence[Request], about: str = "") -> tuple[Evidence, ...]:
    """The passages that carry the wish, to the letter."""
    claim = f"The customer asks for it{f' for order {about}' if about else ''}"
    quotes = [message[p.start : p.end].strip()[:_QUOTE] for request in requests for p in request.asked]
    return tuple(Evidence(claim, "ticket:", quote) for quote in dict.fromkeys(quotes) if quote)


def cite_commands(mentions: Mentions) -> tuple[Evidence, ...]:
    """Passages that try to instruct the machine and were not read."""
    return tuple(
        Evidence("Not read: it addresses the machine", "ticket:", p.text.strip()[:_QUOTE])
        for p in mentions.commands
        if p.text.strip()
    )


def cite_clauses(facts: Facts, clauses: Iterable[str]) -> tuple[Evidence, ...]:
    """Clauses with their text."""
    return tuple(Evidence(f"{c.section}: {c.clause_id}", f"clause:{c.clause_id}", c.text) for c in facts.cite(clauses))
