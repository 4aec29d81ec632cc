"""Which row of a file becomes which row of the books, and what makes two of them the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from portal.imports.rows import CustomerRow, ItemRow, MethodRow, OrderRow, PaymentRow, Row
from portal.models import Customer, Order, OrderItem, Payment, PaymentMethod, WorkspaceRow

R = TypeVar("R", bound=Row)
M = TypeVar("M", bound=WorkspaceRow)
Key = tuple[Any, ...]


@dataclass(slots=True)
class Links:
    """What rows need to know: primary keys by table and key, orders there before."""

    workspace: int
    closed: frozenset[int]
    pks: dict[str, dict[Key, int]] = field(default_factory=dict)

    def pk(self, table: str, key: str) -> int:
        """The primary key of a row by its own id."""
        return self.pks[table][(key,)]


@dataclass(frozen=True, slots=True)
class Shelf(Generic[R, M]):
    """Where the rows of a file go.

    `key` names the fields that tell rows of a workspace apart; `columns` the others, each with its column,
    which must agree when a row is there already.
    """

    model: type[M]
    make: Callable[[R, Links], M]
    key: tuple[str, ...]
    columns: Mapping[str, str]

    def key_of(self, row: M) -> Key:
        """The values of `key`."""
        return tuple(getattr(row, name) for name in self.key)


def _columns(*same: str, **renamed: str) -> dict[str, str]:
    return {**{name: name for name in same}, **renamed}


def _customer(row: CustomerRow, links: Links) -> Customer:
    return Customer(workspace_id=links.workspace, **row.model_dump())


def _method(row: MethodRow, links: Links) -> PaymentMethod:
    return PaymentMethod(
        workspace_id=links.workspace, customer_id=links.pk("customers", row.customer_id),
        payment_method_id=row.payment_method_id, kind=row.kind, brand=row.brand, last_four=row.last_four,
        balance_minor=row.gift_card_balance,
    )  # fmt: skip


def _order(row: OrderRow, links: Links) -> Order:
    shipping = {
        "city": row.ship_city, "state": row.ship_state, "postcode": row.ship_zip, "country": row.ship_country,
        "tracking_ids": row.tracking_ids,
    }  # fmt: skip
    return Order(
        workspace_id=links.workspace, customer_id=links.pk("customers", row.customer_id),
        order_id=row.order_id, status=row.status, currency=row.currency, paid_total_minor=row.paid_total,
        shipping=shipping,
    )  # fmt: skip


def _item(row: ItemRow, links: Links) -> OrderItem:
    return OrderItem(
        workspace_id=links.workspace, order_id=links.pk("orders", row.order_id), line=row.line,
        item_id=row.item_id, product_id=row.product_id, product=row.product, quantity=row.quantity,
        unit_price_minor=row.unit_price, options=row.options,
    )  # fmt: skip


def _payment(row: PaymentRow, links: Links) -> Payment:
    return Payment(
        workspace_id=links.workspace, order_id=links.pk("orders", row.order_id), seq=row.seq, type=row.type,
        amount_minor=row.amount, currency=row.currency,
        method_id=links.pk("payment_methods", row.payment_method_id), outside_id=row.outside_id,
    )  # fmt: skip


# In the order they are put away: each points only at those before it.
SHELVES: dict[str, Shelf[Any, Any]] = {
    "customers": Shelf(
        Customer, _customer, ("customer_id",),
        _columns(
            "first_name", "last_name", "email", "address1", "address2", "city", "state", "country",
            postcode="zip",
        ),
    ),
    "payment_methods": Shelf(
        PaymentMethod, _method, ("payment_method_id",),
        _columns("customer_id", "kind", "brand", "last_four", balance_minor="gift_card_balance"),
    ),
    "orders": Shelf(
        Order, _order, ("order_id",),
        _columns("customer_id", "status", "currency", paid_total_minor="paid_total", shipping="ship_*"),
    ),
    "order_items": Shelf(
        OrderItem, _item, ("order_id", "line"),
        _columns("item_id", "product_id", "product", "quantity", "options", unit_price_minor="unit_price"),
    ),
    "payment_history": Shelf(
        Payment, _payment, ("order_id", "seq"),
        _columns("type", "currency", "outside_id", amount_minor="amount", method_id="payment_method_id"),
    ),
}  # fmt: skip
