"""The built-in books behind the protocols: helpdesk, orders and payments, contacts in our own PostgreSQL."""

from collections.abc import Collection, Iterable

from portal import models, pages
from portal.systems import records

OPEN_TICKETS = 20


class BooksReader:
    """Reads one workspace; see `portal.systems.base.Reader`. The transaction must be inside it."""

    def __init__(self, workspace: int) -> None:
        self._workspace = workspace

    def ticket(self, ticket_id: str) -> records.Ticket | None:
        """A ticket with its messages, oldest first."""
        return next(iter(self._read_tickets([ticket_id])), None)

    def customer(self, customer_id: str) -> records.Customer | None:
        """A customer by the books' own id."""
        rows = models.Customer.objects.filter(workspace=self._workspace, customer_id=customer_id)
        row = rows.select_related("contact").first()
        return None if row is None else _customer(row)

    def order(self, order_id: str) -> records.Order | None:
        """An order, whoever owns it."""
        return next(iter(self._orders(order_id=order_id)), None)

    def orders_known_as(self, order_ids: Collection[str]) -> tuple[records.Order, ...]:
        """Those of the orders that are on record, whoever owns them."""
        return self._orders(order_id__in=list(order_ids)) if order_ids else ()

    def orders_of(self, customer_id: str) -> tuple[records.Order, ...]:
        """All orders of a customer, in the order of their ids."""
        return self._orders(customer__customer_id=customer_id)

    def methods_of(self, customer_id: str) -> tuple[records.PaymentMethod, ...]:
        """A customer's payment methods."""
        rows = models.PaymentMethod.objects.filter(
            workspace=self._workspace, customer__customer_id=customer_id
        ).select_related("customer")
        return tuple(_method(row) for row in rows.order_by("payment_method_id"))

    def contact(self, contact_id: str) -> records.Contact | None:
        """A contact of the CRM."""
        rows = models.Contact.objects.filter(workspace=self._workspace, contact_id=contact_id)
        row = rows.select_related("merged_into").first()
        if row is None:
            return None
        into = row.merged_into.contact_id if row.merged_into else ""
        return records.Contact(row.contact_id, row.fields, tuple(row.locked_fields), row.version, into)

    def customers_of(self, contact_id: str) -> tuple[records.Customer, ...]:
        """The customers that a contact of the CRM is, in the order of their ids."""
        rows = models.Customer.objects.filter(workspace=self._workspace, contact__contact_id=contact_id)
        return tuple(_customer(row) for row in rows.select_related("contact").order_by("customer_id"))

    def clauses(self) -> tuple[records.Clause, ...]:
        """Every clause of the policy pages in force that all staff may read, in their order."""
        rows = pages.readable(pages.in_force(self._workspace), (pages.STAFF,)).order_by("position", "id")
        return tuple(clause(row) for row in rows)

    def clauses_for(self, agent: str) -> tuple[records.Clause, ...]:
        """Every clause in force that an agent may rest on, in their order."""
        rows = pages.for_agent(self._workspace, agent).order_by("position", "id")
        return tuple(clause(row) for row in rows)

    def queues(self) -> tuple[str, ...]:
        """Names of the team queues."""
        rows = models.Queue.objects.filter(workspace=self._workspace).order_by("name")
        return tuple(rows.values_list("name", flat=True))

    def open_tickets_of(self, customer_id: str) -> tuple[records.Ticket, ...]:
        """The newest `OPEN_TICKETS` of a customer that are neither solved nor closed."""
        rows = models.Ticket.objects.filter(
            workspace=self._workspace, customer__customer_id=customer_id, status__in=["open", "waiting"]
        )
        rows = rows.select_related("customer", "queue").prefetch_related("messages")
        return tuple(_ticket(row) for row in rows.order_by("-pk")[:OPEN_TICKETS])

    def _read_tickets(self, ticket_ids: Collection[str]) -> tuple[records.Ticket, ...]:
        if not ticket_ids:
            return ()
        rows = models.Ticket.objects.filter(workspace=self._workspace, ticket_id__in=list(ticket_ids))
        return tuple(_ticket(row) for row in rows.select_related("customer", "queue").prefetch_related("messages"))

    def _orders(self, **filters: str | list[str]) -> tuple[records.Order, ...]:
        rows = (
            models.Order.objects.filter(workspace=self._workspace, **filters)
            .select_related("customer")
            .prefetch_related("items", "payments__method")
            .order_by("order_id")
        )
        return tuple(_order(row) for row in rows)


class Snapshot(BooksReader):
    """Reads each ticket once, those named at the beginning together, queues and clauses once: for a transaction that
    writes no books."""

    def __init__(self, workspace: int, *, tickets: Collection[str] = ()) -> None:
        super().__init__(workspace)
        self._tickets: dict[str, records.Ticket | None] = dict.fromkeys(tickets)
        self._tickets |= {ticket.ticket_id: ticket for ticket in self._read_tickets(tickets)}
        self._queues: tuple[str, ...] | None = None
        self._clauses: tuple[records.Clause, ...] | None = None
        self._clauses_of: dict[str, tuple[records.Clause, ...]] = {}

    def ticket(self, ticket_id: str) -> records.Ticket | None:
        """As it was when it was first asked for."""
        if ticket_id not in self._tickets:
            self._tickets[ticket_id] = super().ticket(ticket_id)
        return self._tickets[ticket_id]

    def clauses(self) -> tuple[records.Clause, ...]:
        """As they were when they were first asked for."""
        if self._clauses is None:
            self._clauses = super().clauses()
        return self._clauses

    def clauses_for(self, agent: str) -> tuple[records.Clause, ...]:
        """As they were when they were first asked for."""
        if agent not in self._clauses_of:
            self._clauses_of[agent] = super().clauses_for(agent)
        return self._clauses_of[agent]

    def queues(self) -> tuple[str, ...]:
        """As they were when they were first asked for."""
        if self._queues is None:
            self._queues = super().queues()
        return self._queues


def clause(row: models.Clause) -> records.Clause:
    """A clause as a record."""
    return records.Clause(row.clause_id, row.section, row.text, row.version)


def _customer(row: models.Customer) -> records.Customer:
    return records.Customer(
        row.customer_id,
        row.first_name,
        row.last_name,
        row.email,
        row.postcode,
        row.city,
        row.country,
        row.version,
        row.contact.contact_id if row.contact else "",
    )


def _method(row: models.PaymentMethod) -> records.PaymentMethod:
    return records.PaymentMethod(
        row.payment_method_id, row.customer.customer_id, row.kind, row.brand, row.last_four, row.balance_minor
    )


def _order(row: models.Order) -> records.Order:
    return records.Order(
        row.order_id, row.customer.customer_id, row.status, row.currency, row.paid_total_minor,
        tuple(_item(item) for item in sorted(row.items.all(), key=lambda i: i.line)),
        tuple(_payments(row.payments.all())), row.version,
    )  # fmt: skip


def _item(row: models.OrderItem) -> records.Item:
    return records.Item(row.line, row.item_id, row.product, row.quantity, row.unit_price_minor, row.options)


def _payments(rows: Iterable[models.Payment]) -> Iterable[records.Payment]:
    for row in sorted(rows, key=lambda payment: payment.seq):
        yield records.Payment(
            row.seq, row.type, row.amount_minor, row.currency, row.method.payment_method_id, row.outside_id
        )


def _ticket(row: models.Ticket) -> records.Ticket:
    messages = sorted(row.messages.all(), key=lambda message: message.seq)
    return records.Ticket(
        ticket_id=row.ticket_id,
        customer_id=row.customer.customer_id if row.customer else "",
        sender_email=row.sender_email,
        subject=row.subject,
        queue=row.queue.name if row.queue else "",
        priority=row.priority,
        status=row.status,
        tags=tuple(row.tags),
        messages=tuple(records.Message(m.seq, m.sender, m.body) for m in messages),
        version=row.version,
    )
