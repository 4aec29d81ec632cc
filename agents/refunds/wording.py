"""Texts that go to customers. Pure: every figure and name comes from verdicts, none from the message."""

from collections.abc import Sequence

from agents.refunds import amounts, judging
from agents.refunds.verdicts import Doubt, Plan, Refusal
from portal.systems.records import Customer

_CLOSING = "Kind regards\nCustomer service"


def announce(customer: Customer, plans: Sequence[Plan], refusals: Sequence[Refusal], named_amount: bool) -> str:
    """The reply that goes out with refunds; tells what is refunded, where to, and what is not."""
    lines = [_tell_plan(plan) for plan in plans]
    if named_amount:
        lines.append("The amount follows from the prices recorded for the order and is not converted or changed.")
    if any(plan.kind == "return" for plan in plans):
        lines.append("You will receive an email that tells how to send the articles back.")
    return _letter(customer, [*lines, *(refusal.why for refusal in refusals)])


def refuse(customer: Customer | None, refusals: Sequence[Refusal]) -> str:
    """The reply that says why nothing can be refunded."""
    lines = ["Thank you for writing to us. We are sorry that we cannot do what you ask."]
    return _letter(customer, [*lines, *dict.fromkeys(refusal.why for refusal in refusals)])


def ask(customer: Customer | None, doubts: Sequence[Doubt]) -> str:
    """The question that must be answered first."""
    lines = ["Thank you for writing to us. Before we go on we need to know:"]
    return _letter(customer, [*lines, *dict.fromkeys(doubt.question for doubt in doubts)])


def _tell_plan(plan: Plan) -> str:
    amount = amounts.show(plan.amount_minor, plan.order.currency)
    to = judging.name_method(plan.method)
    if plan.kind == "cancel":
        when = "at once" if plan.method.kind == "gift_card" else "within 5 to 7 business days"
        return f"Order {plan.order.order_id} is cancelled and {amount} goes back to {to} {when}."
    articles = ", ".join(f"{pieces} x {item.product}" for item, pieces in plan.rows)
    return f"Order {plan.order.order_id}: for the return of {articles} we refund {amount} to {to}."


def _letter(customer: Customer | None, lines: Sequence[str]) -> str:
    name = customer.first_name if customer else ""
    return "\n\n".join([f"Dear {name}," if name else "Hello,", *lines, _CLOSING])
