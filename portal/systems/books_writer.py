"""Writes to the built-in books; imported by `approvals/actions/` alone, signed in as apply.

Every write is conditional and inside the caller's transaction, which names its action to the log first.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from django.db.models import F, Max

from portal import models
from portal.retold import kept
from portal.systems import merging
from portal.systems.base import Conflict, Merge, NotFound, Refund, Reversibility

# What stands in the way, kept in English.
NO_QUEUE = kept("queue %(name)s is not there")
NO_TICKET = kept("ticket %(ticket)s is not there")
NO_ORDER = kept("order %(order)s or payment method %(method)s is not there")
NO_DESTINATION = kept("%(method)s is not a destination for order %(order)s")
TOO_MUCH = kept("order %(order)s: more would go back than was paid")
NO_CONTACT = kept("contact %(contact)s is not there")
MERGED = kept("contact %(contact)s was merged into another meanwhile")
NO_RECORD = kept("%(record)s is not there")


class BooksWriter:
    """Writes one workspace; see `portal.systems.base.Writer`. Rows are locked until the transaction ends."""

    reversibility: ClassVar[Mapping[str, Reversibility]] = {
        "update_ticket": "reversible",
        "reply": "cancellable",
        "refund": "cancellable",
        "update_contact": "reversible",
        "merge_contacts": "reversible",
    }

    def __init__(self, workspace: int) -> None:
        self._workspace = workspace

    def update_ticket(self, ticket_id: str, fields: Mapping[str, str | Sequence[str]]) -> None:
        """Set queue, priority, status or tags."""
        values: dict[str, object] = {k: list(v) if k == "tags" else v for k, v in fields.items() if k != "queue"}
        if "queue" in fields:
            values["queue"] = self._queue(str(fields["queue"]))
        self._one(
            models.Ticket.objects.filter(workspace=self._workspace, ticket_id=ticket_id).update(
                version=F("version") + 1, **values
            ),
            f"ticket {ticket_id}",
        )

    def _queue(self, name: str) -> models.Queue | None:
        if not name:
            return None
        queue = models.Queue.objects.filter(workspace=self._workspace, name=name).first()
        if queue is None:
            raise NotFound(NO_QUEUE % {"name": name})
        return queue

    def reply(self, ticket_id: str, body: str, reference: str) -> None:
        """Send a message to the customer."""
        ticket = models.Ticket.objects.select_for_update().filter(
            workspace=self._workspace, ticket_id=ticket_id
        ).first()  # fmt: skip
        if ticket is None:
            raise NotFound(NO_TICKET % {"ticket": ticket_id})
        last = ticket.messages.aggregate(n=Max("seq"))["n"] or 0
        models.Message.objects.create(
            workspace_id=self._workspace, ticket=ticket, seq=last + 1, sender="staff", body=body,
            reference=reference,
        )  # fmt: skip
        models.Ticket.objects.filter(pk=ticket.pk).update(version=F("version") + 1)

    def refund(self, refund: Refund, reference: str) -> None:
        """Book the refund in the payment history and set the order's status, together."""
        order = models.Order.objects.select_for_update().filter(
            workspace=self._workspace, order_id=refund.order_id
        ).first()  # fmt: skip
        method = models.PaymentMethod.objects.filter(
            workspace=self._workspace, payment_method_id=refund.refund_to
        ).first()
        if order is None or method is None:
            raise NotFound(NO_ORDER % {"order": refund.order_id, "method": refund.refund_to})
        if method.customer_id != order.customer_id or refund.currency != order.currency:
            raise Conflict(NO_DESTINATION % {"method": refund.refund_to, "order": refund.order_id})
        self._refuse_more_than_paid(order, refund.amount_minor)
        last = order.payments.aggregate(n=Max("seq"))["n"] or 0
        models.Payment.objects.create(
            workspace_id=self._workspace, order=order, seq=last + 1, type="refund", method=method,
            amount_minor=refund.amount_minor, currency=refund.currency, reference=reference,
        )  # fmt: skip
        models.Order.objects.filter(pk=order.pk).update(status=refund.status, version=F("version") + 1)

    def _refuse_more_than_paid(self, order: models.Order, amount_minor: int) -> None:
        paid = back = 0
        for kind, amount in order.payments.values_list("type", "amount_minor"):
            paid, back = (paid + amount, back) if kind == "payment" else (paid, back + amount)
        if back + amount_minor > paid:
            raise Conflict(TOO_MUCH % {"order": order.order_id})

    def update_contact(self, contact_id: str, fields: Mapping[str, str | None]) -> None:
        """Set fields; None takes a field away."""
        contact = models.Contact.objects.select_for_update().filter(
            workspace=self._workspace, contact_id=contact_id
        ).first()  # fmt: skip
        if contact is None:
            raise NotFound(NO_CONTACT % {"contact": contact_id})
        if contact.merged_into_id is not None:
            raise Conflict(MERGED % {"contact": contact_id})
        merging.change(contact, fields=fields)

    def merge_contacts(self, merge: Merge) -> None:
        """Retire one contact into the other, or take it out again, with all that goes along."""
        merging.merge(self._workspace, merge)

    def _one(self, changed: int, record: str) -> None:
        if changed != 1:
            raise NotFound(NO_RECORD % {"record": record})
