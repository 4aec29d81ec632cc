"""What a customer writes after the first message: kept once, on the log; a case that waited for it goes on.

Whatever was proposed on the conversation as it stood shows that it moved, and is looked at anew before it is approved.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from approvals import abouts, proposals, waiting
from audit import log
from audit.events import Event
from portal.models import Ticket
from portal.retold import kept
from portal.systems import inbound

WROTE = kept("the customer wrote")


@dataclass(frozen=True, slots=True)
class Received:
    """`case` is ours, `seq` the message's number on its ticket; `new` is False where its id was taken before."""

    case: int
    seq: int
    new: bool


def receive(*, workspace: int, ticket: str, external_id: str, text: str, actor: str, now: datetime) -> Received:
    """Take in the next message on the ticket with the outside id `ticket`; the same id again is a no-op.

    Raises:
        Ticket.DoesNotExist: no ticket of that id was taken in here.
    """
    if "\x00" in ticket:
        raise Ticket.DoesNotExist
    with transaction.atomic():
        row = Ticket.objects.select_related("customer").get(workspace_id=workspace, external_id=ticket)
        case = proposals.open_case(
            workspace=workspace, subject=f"ticket:{row.ticket_id}", title=row.subject,
            customer=row.customer.customer_id if row.customer else "",
        )  # fmt: skip
        log.attribute(f"message:{row.ticket_id}")
        message, new = inbound.receive_message(ticket=row, external_id=external_id, body=text)
        if not new:
            log.attribute("")
            return Received(case.pk, message.seq, new=False)
        log.record(
            workspace=workspace, subject=f"ticket:{row.ticket_id}", event=Event.MESSAGE_RECEIVED, actor=actor,
            now=now, case=f"case:{case.pk}", body={"message": message.seq},
            personal={"text": text, "external_id": external_id}, about=abouts.of_customer(case.customer),
        )  # fmt: skip
        waiting.end(workspace=workspace, case=case.pk, actor=actor, now=now, because=WROTE)
    return Received(case.pk, message.seq, new=True)
