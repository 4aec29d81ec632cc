"""What comes in from outside: a new ticket, a customer's next message, a new contact. Web alone may write these.

The same outside id again writes nothing. Refuses to change what is there.
"""

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from portal.models import Contact, Customer, Message, Ticket
from portal.rows import insert_once

# An outside id of this form can be read out on the phone and stand in an address; others get one of ours.
_CLEAN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")
_TRIES = 5


def number(external_id: str) -> str:
    """The id a ticket gets here: the outside one where it is short and clean, else one that says nothing of it.

    It stands on the log for good, and a digest of an address could be guessed.
    """
    return external_id if _CLEAN.fullmatch(external_id) else f"t-{secrets.token_hex(10)}"


def own_id(external_id: str, prefix: str) -> str:
    """The id a contact gets here: the outside one where it is short and clean, else `prefix` and a digest."""
    if _CLEAN.fullmatch(external_id):
        return external_id
    return f"{prefix}-{hashlib.sha256(external_id.encode()).hexdigest()[:20]}"


def receive_ticket(
    *, workspace: int, external_id: str, customer_id: str, sender_email: str, subject: str, body: str
) -> tuple[Ticket, bool]:
    """The ticket of an outside id, and whether it is new. An unknown customer leaves it without one."""
    customer = Customer.objects.filter(workspace=workspace, customer_id=customer_id).first() if customer_id else None
    ticket = Ticket(
        workspace_id=workspace, external_id=external_id, ticket_id=number(external_id), customer=customer,
        sender_email=sender_email, subject=subject,
    )  # fmt: skip
    if not insert_once(ticket):
        return Ticket.objects.select_related("customer").get(workspace_id=workspace, external_id=external_id), False
    Message.objects.create(workspace_id=workspace, ticket=ticket, seq=1, sender="customer", body=body)
    return ticket, True


def receive_message(*, ticket: Ticket, external_id: str, body: str) -> tuple[Message, bool]:
    """The customer's next message of an outside id, and whether it is new."""
    reference = f"in:{ticket.pk}:{hashlib.sha256(external_id.encode()).hexdigest()[:32]}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 5))", [f"messages:{ticket.pk}"])
    known = Message.objects.filter(workspace_id=ticket.workspace_id, reference=reference).first()
    if known is not None:
        return known, False
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _append(ticket, body, reference), True
        except IntegrityError:  # a reply of ours was sent in this moment and has the number
            continue
    return _append(ticket, body, reference), True


def _append(ticket: Ticket, body: str, reference: str) -> Message:
    last = ticket.messages.aggregate(n=Max("seq"))["n"] or 0
    return Message.objects.create(
        workspace_id=ticket.workspace_id, ticket=ticket, seq=last + 1, sender="customer", body=body,
        reference=reference,
    )  # fmt: skip


def receive_contact(
    *, workspace: int, external_id: str, fields: Mapping[str, str], locked_fields: Sequence[str]
) -> tuple[Contact, bool]:
    """The contact of an outside id, and whether it is new. Its field `customer_id` says which customer it is."""
    contact, new = Contact.objects.get_or_create(
        workspace_id=workspace, contact_id=own_id(external_id, "c"),
        defaults={"fields": dict(fields), "locked_fields": list(locked_fields)},
    )  # fmt: skip
    if new and fields.get("customer_id"):
        theirs = Customer.objects.filter(workspace=workspace, customer_id=fields["customer_id"], contact=None)
        theirs.update(contact=contact)
    return contact, new


def receive_contacts(*, workspace: int, records: Mapping[str, Mapping[str, str]]) -> list[Contact]:
    """Many new contacts at once, by ids of our own form. For what is filled in one go; they have no case yet."""
    return Contact.objects.bulk_create(
        [Contact(workspace_id=workspace, contact_id=key, fields=dict(fields)) for key, fields in records.items()],
        batch_size=1_000,
    )
