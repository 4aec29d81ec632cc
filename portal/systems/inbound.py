"""What comes in from outside: a new ticket with its first message, a new contact. Web alone may write these.

The same outside id again writes nothing. Refuses to change what is there.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence

from portal.models import Contact, Customer, Message, Ticket

# An outside id of this form can be read out on the phone and stand in an address; others get one of ours.
_CLEAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def own_id(external_id: str, prefix: str) -> str:
    """The id a record gets here: the outside one where it is short and clean, else `prefix` and a digest."""
    if _CLEAN.fullmatch(external_id):
        return external_id
    return f"{prefix}-{hashlib.sha256(external_id.encode()).hexdigest()[:20]}"


def receive_ticket(
    *, workspace: int, external_id: str, customer_id: str, sender_email: str, subject: str, body: str
) -> tuple[Ticket, bool]:
    """The ticket of an outside id, and whether it is new. An unknown customer leaves it without one."""
    customer = Customer.objects.filter(workspace=workspace, customer_id=customer_id).first() if customer_id else None
    ticket, made = Ticket.objects.get_or_create(
        workspace_id=workspace, external_id=external_id,
        defaults={
            "ticket_id": own_id(external_id, "t"), "customer": customer, "sender_email": sender_email,
            "subject": subject,
        },
    )  # fmt: skip
    if made:
        Message.objects.create(workspace_id=workspace, ticket=ticket, seq=1, sender="customer", body=body)
    return ticket, made


def receive_contact(
    *, workspace: int, external_id: str, fields: Mapping[str, str], locked_fields: Sequence[str]
) -> tuple[Contact, bool]:
    """The contact of an outside id, and whether it is new."""
    return Contact.objects.get_or_create(
        workspace_id=workspace, contact_id=own_id(external_id, "c"),
        defaults={"fields": dict(fields), "locked_fields": list(locked_fields)},
    )  # fmt: skip
