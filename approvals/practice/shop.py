"""Drills about money and messages: each made right, or with the one thing off that its name says. Pure."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals.diff import Change
from approvals.practice import people
from approvals.practice.drills import Draw, Drill
from approvals.wording import amount
from portal import money
from portal.systems.records import Clause, Customer, Order, Payment, PaymentMethod

RETURNS = Clause("PR-RET-1", "Returns", "Goods may be sent back within 30 days; the money goes to the way it was paid.")
DELAY = Clause("PR-DEL-2", "Delays", "Where a delivery is late we say when it comes. We promise no compensation.")


def _refund(order: Order, to: str, minor: int, **more: Any) -> Drill:
    item = order.items[0]
    history = [_paid(one.type, one.amount_minor, one.payment_method_id) for one in order.payments]
    effect = {
        "kind": "refund", "order": order.order_id, "to": to, "amount_minor": minor, "currency": "EUR", "for": "return",
        "items": [item.item_id], "reason": "",
    }  # fmt: skip
    said = {"amount": amount(minor, "EUR"), "item": item.product, "order": order.order_id}
    return Drill(
        pgettext("title", "Refund"), _("Refund %(amount)s for %(item)s, order %(order)s") % said,
        _("The article is within the time for returns."),
        (
            Change("status", "set", order.status, "return requested"),
            Change("payments", "set", history, [*history, _paid("refund", minor, to)]),
        ),
        (effect,), order=order, clauses=(RETURNS,), cites=((_("Returned in time"), "clause:PR-RET-1", ""),), **more,
    )  # fmt: skip


def _paid(kind: str, minor: int, method: str) -> str:
    """As the history of payments is shown on a real refund."""
    return f"{kind} {money.shown(minor, 'EUR')} {method}"


def _wants_money(draw: Draw) -> tuple[Customer, PaymentMethod, Order]:
    owner = people.customer(draw)
    own = people.card(draw, owner)
    return owner, own, people.order(draw, owner, own)


def destination(draw: Draw, planted: bool) -> Drill:
    """Money back to a card that is somebody else's."""
    owner, own, order = _wants_money(draw)
    theirs = people.card(draw, people.customer(draw, "neighbour"), "strange")
    text = f"I sent back the {order.items[0].product.lower()} of {order.order_id}. Please return the money."
    drill = _refund(
        order, theirs.payment_method_id if planted else own.payment_method_id, order.items[0].unit_price_minor,
        customer=owner, ticket=people.ticket(draw, owner, "Money back", text), methods=(own, theirs),
    )  # fmt: skip
    off = _("The money goes to the card ending %(theirs)s. The one that paid ends %(own)s.") % {
        "theirs": theirs.last_four, "own": own.last_four
    }  # fmt: skip
    return replace(drill, wrong=off if planted else "")


def sum_of_money(draw: Draw, planted: bool) -> Drill:
    """Money back, more than the article cost."""
    owner, own, order = _wants_money(draw)
    price = order.items[0].unit_price_minor
    minor = price + draw.pick("more", (90, 900, 1000, 1800)) if planted else price
    text = f"The {order.items[0].product.lower()} does not suit me, I have sent it back. The other article I keep."
    drill = _refund(
        order, own.payment_method_id, minor, customer=owner, methods=(own,),
        ticket=people.ticket(draw, owner, f"Return of {order.order_id}", text),
    )  # fmt: skip
    sums = {"cost": amount(price, "EUR"), "back": amount(minor, "EUR")}
    off = _("The article cost %(cost)s; %(back)s would be paid back.") % sums
    return replace(drill, wrong=off if planted else "")


def twice(draw: Draw, planted: bool) -> Drill:
    """Money back that was paid back before."""
    owner, own, order = _wants_money(draw)
    price = order.items[0].unit_price_minor
    again = Payment(2, "refund", price if planted else 500, "EUR", own.payment_method_id)
    order = replace(order, payments=(*order.payments, again))
    text = f"Where is my money for the {order.items[0].product.lower()}? It went back a week ago."
    told = () if planted else ((_("5.00 EUR were paid back before, for the delay"), f"order:{order.order_id}", ""),)
    drill = _refund(
        order, own.payment_method_id, price, customer=owner, methods=(own,),
        ticket=people.ticket(draw, owner, "My money", text),
    )  # fmt: skip
    off = _("The payments of the order show %(amount)s paid back already: this would pay it twice.") % {
        "amount": amount(price, "EUR")
    }  # fmt: skip
    return replace(drill, wrong=off if planted else "", cites=(*drill.cites, *told))


def promise(draw: Draw, planted: bool) -> Drill:
    """A message that promises what the cited sentence forbids."""
    owner, _own, order = _wants_money(draw)
    text = f"Order {order.order_id} should have been here on Monday. Where is it?"
    ticket = people.ticket(draw, owner, "Late", text, queue="orders_delivery")
    extra = " As a compensation we will send you 10.00 EUR." if planted else ""
    body = (
        f"Dear {owner.first_name} {owner.last_name},\n\nwe are sorry that {order.order_id} is late. It left our"
        f" warehouse today and is with you within three working days.{extra}\n\nKestrel & Pine"
    )
    effect = {"kind": "reply", "ticket": ticket.ticket_id, "to": owner.email, "body": body, "clauses": ["PR-DEL-2"]}
    return Drill(
        _("Reply to a customer"), _("Answer %(ticket)s: it comes late") % {"ticket": ticket.ticket_id},
        _("The clause says how we answer."),
        effects=(effect,), ticket=ticket, customer=owner, order=order, clauses=(DELAY,),
        cites=((_("How we answer when a delivery is late"), "clause:PR-DEL-2", ""),),
        wrong=_("The message promises 10.00 EUR. The sentence it cites says that we promise no compensation.")
        if planted else "",
    )  # fmt: skip


def other_name(draw: Draw, planted: bool) -> Drill:
    """A message that tells one customer about another."""
    owner = people.customer(draw)
    ticket = people.ticket(draw, owner, "My address", "Which address do you have of me? I have moved.")
    whom = people.customer(draw, "neighbour") if planted else owner
    body = (
        f"Dear {owner.first_name} {owner.last_name},\n\nthe address we have is {whom.postcode} {whom.city},"
        f" {whom.country}, and we write to {whom.email}. Please tell us the new one.\n\nKestrel & Pine"
    )
    effect = {"kind": "reply", "ticket": ticket.ticket_id, "to": owner.email, "body": body, "clauses": []}
    return Drill(
        _("Reply to a customer"), _("Answer %(ticket)s: the address on record") % {"ticket": ticket.ticket_id},
        _("They ask for their own data."),
        effects=(effect,), ticket=ticket, customer=owner,
        cites=((_("The customer's record"), f"customer:{owner.customer_id}", ""),),
        wrong=_("%(email)s is somebody else's address: their data would go to %(name)s.") % {
            "email": whom.email, "name": f"{owner.first_name} {owner.last_name}"
        } if planted else "",
    )  # fmt: skip
