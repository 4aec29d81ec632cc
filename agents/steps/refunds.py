"""Refunds under a cap: proposes `refund.create` and `ticket.reply` from the records, or asks, or hands off.

`check` computes owner, pieces, amount and destination again from records read anew, without the code that
proposed them.
"""

from collections import Counter
from functools import partial
from typing import Any

from agents import marking
from agents.lines import RefundLine
from agents.refunds import deciding, reading
from agents.refunds.facts import Facts
from agents.steps import second_look, verify
from agents.steps.base import Agent, Trace
from agents.tools import Tools
from agents.types import Draft, Outcome, Told
from portal.retold import kept
from portal.systems.records import Order, Ticket

_TWICE = kept("one order would be refunded twice")
_NOT_ITS_ORDER = kept("%(target)s is not the order of the draft")
_NOT_THEIR_ORDER = kept("%(order)s is not the sender's order")
# Not registered: its one word stands in what people write, too.
_STATUS = "%(order)s is %(status)s"
_PIECES = kept("the pieces are not those of %(order)s")
_AMOUNT = kept("the records give %(right)s minor units of %(currency)s, not %(amount)s")
_LEFT = kept("only %(left)s minor units of %(order)s are left")
_NOT_THEIRS = kept("%(method)s is not the sender's")
_NOT_PAID_WITH = kept("%(order)s was not paid with %(method)s")
_DOES_NOT_WAIT = kept("the reply does not wait for %(key)s")
STATUS_NEEDED = {"return": "delivered", "cancel": "pending"}


def work(subject: str, tools: Tools, trace: Trace, told: Told | None = None) -> Outcome:
    """Read, gather facts, propose, or propose again as a reviewer said, verify."""
    ticket = trace.step("retrieve", tools.ticket, subject.partition(":")[2])
    if ticket is None:
        return verify.gone(subject)
    facts = trace.step("gather", partial(gather, tools), ticket)
    if told is None:
        outcome = trace.step("propose", propose, ticket, facts)
    else:
        outcome = trace.step("follow", follow, ticket, facts, told)
    outcome = trace.step("verify", partial(check, tools), outcome, subject, ticket)
    return second_look.look(tools, trace, outcome, shown(ticket, facts, outcome), marking.known_of(facts.customer))


def shown(ticket: Ticket, facts: Facts, outcome: Outcome) -> dict[str, Any]:
    """What a second model sees: the message, the orders it is about, and the clauses that were cited."""
    about = {draft.args.get("order_id") for draft in outcome.drafts}
    known = {order.order_id: order for order in (*facts.orders, *facts.named)}
    orders = [order for order_id, order in known.items() if order_id in about]
    cited = {piece.source.removeprefix("clause:") for draft in outcome.drafts for piece in draft.evidence}
    clauses = [clause for clause in facts.clauses if clause.clause_id in cited]
    return {"message": written(ticket), "sender": ticket.customer_id, "orders": orders, "clauses": clauses}


def written(ticket: Ticket) -> str:
    """What the customer wrote."""
    return "\n\n".join(message.body for message in ticket.messages if message.sender == "customer")


def gather(tools: Tools, ticket: Ticket) -> Facts:
    """All records the decision may rest on: the sender's, and the orders the text names, whoever's."""
    customer = tools.customer(ticket.customer_id) if ticket.customer_id else None
    orders = tools.orders_of(customer.customer_id) if customer else ()
    named = tools.orders_named(reading.spell_orders(written(ticket)))
    return Facts(
        customer=customer,
        orders=orders,
        methods=tools.methods_of(customer.customer_id) if customer else (),
        named=named,
        clauses=tools.clauses(),
        open_refunds=tools.open_refunds({order.order_id for order in (*orders, *named)}),
    )


def propose(ticket: Ticket, facts: Facts) -> Outcome:
    """What to do about the message."""
    return deciding.decide(written(ticket), ticket.customer_id, ticket.sender_email, facts)


def follow(ticket: Ticket, facts: Facts, told: Told) -> Outcome:
    """What to do about the message, as reviewers said."""
    return deciding.decide_again(written(ticket), ticket.customer_id, ticket.sender_email, facts, told)


def check(tools: Tools, outcome: Outcome, subject: str, ticket: Ticket) -> Outcome:
    """Money goes to the sender alone, for their own order, at the recorded price, to a way they may have."""
    settled = verify.settle(outcome, subject=subject, texts=[written(ticket)], actions=AGENT.actions)
    refunds = [draft for draft in settled.drafts if draft.action == "refund.create"]
    replies = [draft for draft in settled.drafts if draft.action == "ticket.reply"]
    faults = [fault for draft in refunds for fault in _refund_faults(tools, draft, ticket.customer_id)]
    faults += [fault for draft in replies for fault in _reply_faults(draft, subject, refunds)]
    if len({draft.target for draft in refunds}) < len(refunds):
        faults.append(_TWICE)
    return verify.judge(settled, faults)


def _refund_faults(tools: Tools, draft: Draft, customer_id: str) -> list[str]:
    order = next(iter(tools.orders_named([str(draft.args.get("order_id"))])), None)
    if order is None or draft.target != f"order:{order.order_id}":
        return [_NOT_ITS_ORDER % {"target": draft.target}]
    if not customer_id or order.customer_id != customer_id:
        return [_NOT_THEIR_ORDER % {"order": order.order_id}]
    return [*_amount_faults(order, draft), *_destination_faults(tools, order, draft)]


def _amount_faults(order: Order, draft: Draft) -> list[str]:
    kind, amount = str(draft.args.get("kind")), draft.args.get("amount_minor")
    bought: Counter[str] = Counter()
    for item in order.items:
        bought[item.item_id] += item.quantity
    price = {item.item_id: item.unit_price_minor for item in order.items}
    named = draft.args.get("item_ids")
    pieces = Counter(str(item_id) for item_id in named) if isinstance(named, list) else Counter()
    fits = order.status == STATUS_NEEDED.get(kind)
    faults = [] if fits else [_STATUS % {"order": order.order_id, "status": order.status}]
    if not pieces or pieces - bought or (kind == "cancel" and pieces != bought):
        return [*faults, _PIECES % {"order": order.order_id}]
    total = sum(price[item_id] * count for item_id, count in pieces.items())
    total = order.paid_total_minor if kind == "cancel" else total
    paid = sum(p.amount_minor if p.type == "payment" else -p.amount_minor for p in order.payments)
    if amount != total or draft.args.get("currency") != order.currency:
        faults.append(_AMOUNT % {"right": total, "currency": order.currency, "amount": amount})
    return faults + ([_LEFT % {"left": paid, "order": order.order_id}] if total > paid else [])


def _destination_faults(tools: Tools, order: Order, draft: Draft) -> list[str]:
    wanted = draft.args.get("refund_to")
    own = {method.payment_method_id: method for method in tools.methods_of(order.customer_id)}
    paid_with = {payment.payment_method_id for payment in order.payments if payment.type == "payment"}
    if wanted not in own:
        return [_NOT_THEIRS % {"method": wanted}]
    if own[wanted].kind != "gift_card" and wanted not in paid_with:
        return [_NOT_PAID_WITH % {"order": order.order_id, "method": wanted}]
    return []


def _reply_faults(draft: Draft, subject: str, refunds: list[Draft]) -> list[str]:
    """A reply that may speak of a refund is never sent without it."""
    faults = [] if draft.target == subject else [verify.NOT_THE_CASE % {"target": draft.target, "subject": subject}]
    missing = {refund.key for refund in refunds} - set(draft.depends_on)
    return faults + [_DOES_NOT_WAIT % {"key": key} for key in sorted(missing)]


AGENT = Agent(
    name="refunds",
    version="1",
    line=RefundLine,
    tools=frozenset({"ticket", "customer", "orders_of", "methods_of", "orders_named", "clauses", "open_refunds"}),
    actions=frozenset({"refund.create", "ticket.reply"}),
    work=work,
)
