"""The records that a few writes of the past are about, as they were before: for judging them again from the books."""

from collections.abc import Sequence

from agents.benchmarks import filling
from agents.benchmarks.coming import Came
from portal.models import Contact, Customer, Message, Order, OrderItem, Payment, PaymentMethod, Ticket

TABLES = tuple(
    model._meta.db_table for model in (Customer, PaymentMethod, Order, OrderItem, Payment, Ticket, Message, Contact)
)


def fill(ws: int, writes: Sequence[Came]) -> None:
    """As owner: each write's ticket, order with its payment, or contact. None is yet as anybody wants it."""
    with filling.untriggered(TABLES):
        _empty(ws)
        each = {one.about: one for one in writes}.values()  # an undo is about the record that was changed
        tickets = [one for one in each if one.subject.startswith("ticket:")]
        refunds = [one for one in each if one.currency]
        Contact.objects.bulk_create(
            Contact(workspace_id=ws, contact_id=str(one.about), fields={"first_name": "ANNA"})
            for one in each
            if one.action == "contact.update"
        )
        Customer.objects.bulk_create(_customer(ws, one) for one in tickets)
        known = {row.customer_id: row for row in Customer.objects.filter(workspace=ws)}
        Ticket.objects.bulk_create(_ticket(ws, one, known[f"cu-{one.about}"]) for one in tickets)
        _orders(ws, refunds, known)


def _empty(ws: int) -> None:
    for model in (Payment, OrderItem, Order, PaymentMethod, Message, Ticket, Customer, Contact):
        model._default_manager.filter(workspace=ws).delete()


def _customer(ws: int, one: Came) -> Customer:
    key = f"cu-{one.about}"
    return Customer(workspace_id=ws, customer_id=key, first_name="Cleo", last_name="C.", email=f"{key}@example.com")


def _ticket(ws: int, one: Came, owner: Customer) -> Ticket:
    return Ticket(
        workspace_id=ws, ticket_id=str(one.about), external_id=str(one.about), customer=owner,
        sender_email=owner.email, subject="My order", priority="P4",
    )  # fmt: skip


def _orders(ws: int, refunds: Sequence[Came], known: dict[str, Customer]) -> None:
    """Each with two items, paid by card; one that is not theirs belongs to somebody else."""
    others = Customer.objects.bulk_create(
        Customer(workspace_id=ws, customer_id=f"other-{one.n}", first_name="O", last_name="O", email="o@example.com")
        for one in refunds
        if not one.theirs
    )
    owners = known | {row.customer_id: row for row in others}
    owner = {one.n: owners[f"cu-{one.n}" if one.theirs else f"other-{one.n}"] for one in refunds}
    methods = PaymentMethod.objects.bulk_create(
        PaymentMethod(workspace_id=ws, payment_method_id=f"card-{one.n}", customer=owner[one.n], kind="credit_card")
        for one in refunds
    )
    orders = Order.objects.bulk_create(
        Order(workspace_id=ws, order_id=str(one.n), customer=owner[one.n], status="delivered", currency=one.currency,
              paid_total_minor=sum(one.pieces))
        for one in refunds
    )  # fmt: skip
    OrderItem.objects.bulk_create(
        OrderItem(workspace_id=ws, order=order, line=line, item_id=f"i-{line}", product="Kettle", quantity=1,
                  unit_price_minor=price)
        for one, order in zip(refunds, orders, strict=True)
        for line, price in enumerate(one.pieces, 1)
    )  # fmt: skip
    Payment.objects.bulk_create(
        Payment(workspace_id=ws, order=order, seq=1, type="payment", amount_minor=sum(one.pieces),
                currency=one.currency, method=method)
        for one, order, method in zip(refunds, orders, methods, strict=True)
    )  # fmt: skip
