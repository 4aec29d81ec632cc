"""Where a page shows what is cited: passage of the conversation, order, field of the contact, customer. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from portal.systems.records import Contact, Customer, Order, Ticket


def slug(name: str) -> str:
    """A name as a part of an anchor: `#W100` is w100."""
    return re.sub(r"[^a-z0-9_]+", "-", name.lower()).strip("-")


def texts(ticket: Ticket) -> dict[int, str]:
    """A ticket's texts by number; 0 is the subject line."""
    return {0: ticket.subject, **{message.seq: message.body for message in ticket.messages}}


def quoted(evidence: Iterable[Mapping[str, Any]], ticket: Ticket | None) -> dict[str, str]:
    """What is cited of the case's ticket to the letter, by the anchor of its place."""
    return {f"cited-{at}": str(one["quote"]) for at, one in enumerate(evidence) if ticket and _stands(one, ticket)}


def of(
    piece: Mapping[str, Any], at: int, *, ticket: Ticket | None, orders: Sequence[Order], contact: Contact | None,
    customer: Customer | None,
) -> str:  # fmt: skip
    """The anchor of the citation of this number; "" where the page shows nothing of it."""
    kind, _colon, key = str(piece.get("source", "")).partition(":")
    if kind == "ticket" and ticket is not None and ticket.ticket_id == key:
        return f"cited-{at}" if _stands(piece, ticket) else "conversation"
    if kind == "order" and any(order.order_id == key for order in orders):
        return f"order-{slug(key)}"
    if kind == "contact" and contact is not None and contact.contact_id == key:
        name = str(piece.get("field", ""))
        return f"contact-{slug(name)}" if contact.fields.get(name) else "contact"
    return "customer" if kind == "customer" and customer is not None and customer.customer_id == key else ""


def _stands(piece: Mapping[str, Any], ticket: Ticket) -> bool:
    quote = piece.get("quote")
    if piece.get("source") != f"ticket:{ticket.ticket_id}" or not isinstance(quote, str) or not quote.strip():
        return False
    return any(quote in text for text in texts(ticket).values())
