"""The lines of the six tables, one Pydantic model each: forms, lengths, amounts and references.

Fields stand in the order they are checked: what a later one needs (the currency of an amount) comes first.
"""

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Json, ValidationInfo

from portal import money
from portal.imports.refusal import short

_WHOLE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


@dataclass(slots=True)
class Known:
    """What the tables read so far hold, for the references of the next; `orders` maps to their currency."""

    currency: str
    customers: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    orders: dict[str, str] = field(default_factory=dict)


def _known(info: ValidationInfo) -> Known:
    context = info.context
    assert isinstance(context, Known)
    return context


def _storable(value: str) -> str:
    if "\0" in value:
        raise ValueError("holds a NUL character; take it out")
    return value


def _ident(value: str) -> str:
    if not value:
        raise ValueError("is empty; fill it in")
    if value != value.strip() or not value.isprintable():
        raise ValueError(f"{short(value)} has spaces around it or unprintable characters; take them out")
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
        raise ValueError(f"{short(value)} is not a whole number from 1 on; write digits, like 3")
    return int(value)


def _currency(value: str) -> str:
    money.decimals(value)
    return value


def _customer(value: str, info: ValidationInfo) -> str:
    return _found(value, _known(info).customers, "customers.csv")


def _method(value: str, info: ValidationInfo) -> str:
    return _found(value, _known(info).methods, "payment_methods.csv")


def _order(value: str, info: ValidationInfo) -> str:
    return _found(value, _known(info).orders, "orders.csv")


def _found(value: str, among: set[str] | dict[str, str], file: str) -> str:
    if value not in among:
        raise ValueError(f"{short(value)} is not in {file}; add it there or correct it here")
    return value


def _amount(value: Any, info: ValidationInfo) -> int:
    """Minor units of the row's currency, else of its order's, else of the workspace's."""
    order = info.data.get("order_id", "")
    currency = info.data.get("currency") or _known(info).orders.get(order) or _known(info).currency
    return money.to_minor(str(value), currency)


def _balance(value: Any, info: ValidationInfo) -> int | None:
    return None if value == "" else _amount(value, info)


Text = Annotated[str, AfterValidator(_storable)]
Ident = Annotated[Text, AfterValidator(_ident)]
Whole = Annotated[int, BeforeValidator(_whole)]
Currency = Annotated[Ident, AfterValidator(_currency)]
Amount = Annotated[int, BeforeValidator(_amount)]


class Row(BaseModel):
    """A line of FILE; no two lines have the same KEY."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    FILE: ClassVar[str]
    KEY: ClassVar[tuple[str, ...]]


class CustomerRow(Row):
    """Somebody who buys."""

    FILE = "customers.csv"
    KEY = ("customer_id",)
    customer_id: Ident = Field(max_length=80)
    first_name: Text = Field(min_length=1, max_length=80)
    last_name: Text = Field(min_length=1, max_length=80)
    email: Ident = Field(max_length=254)
    address1: Text = Field(max_length=200)
    address2: Text = Field(max_length=200)
    city: Text = Field(max_length=100)
    state: Text = Field(max_length=60)
    postcode: Text = Field(alias="zip", max_length=20)
    country: Text = Field(max_length=60)


class MethodRow(Row):
    """A card, wallet or gift card; a balance is in the workspace's currency."""

    FILE = "payment_methods.csv"
    KEY = ("payment_method_id",)
    payment_method_id: Ident = Field(max_length=80)
    customer_id: Annotated[Ident, AfterValidator(_customer)]
    kind: Ident = Field(max_length=20)
    brand: Text = Field(max_length=40)
    last_four: Text = Field(max_length=4)
    gift_card_balance: Annotated[int | None, BeforeValidator(_balance)]


class OrderRow(Row):
    """An order and where it goes; `item_count` counts its lines, or its pieces, in order_items.csv."""

    FILE = "orders.csv"
    KEY = ("order_id",)
    order_id: Ident = Field(max_length=40)
    customer_id: Annotated[Ident, AfterValidator(_customer)]
    status: Ident = Field(max_length=30)
    item_count: Whole
    currency: Currency
    paid_total: Amount
    tracking_ids: Text = Field(max_length=400)
    ship_city: Text = Field(max_length=100)
    ship_state: Text = Field(max_length=60)
    ship_zip: Text = Field(max_length=20)
    ship_country: Text = Field(max_length=60)


class ItemRow(Row):
    """A line of an order; the price of one piece is in the order's currency."""

    FILE = "order_items.csv"
    KEY = ("order_id", "line")
    order_id: Annotated[Ident, AfterValidator(_order)]
    line: Whole
    item_id: Ident = Field(max_length=40)
    product_id: Text = Field(max_length=40)
    product: Text = Field(min_length=1, max_length=120)
    quantity: Whole
    unit_price: Amount
    options: Json[dict[Text, Text]]


def _of_order(value: str, info: ValidationInfo) -> str:
    theirs = _known(info).orders.get(info.data.get("order_id", ""), value)
    if value != theirs:
        raise ValueError(f"{short(value)} is not the order's currency; write {theirs}")
    return value


def _positive(value: int) -> int:
    if value == 0:
        raise ValueError("is zero; a payment is more, take the row out or correct it")
    return value


class PaymentRow(Row):
    """A payment or refund of an order; the method may belong to another customer.

    `outside_id` is what the payment provider calls it; its column may be left out.
    """

    FILE = "payment_history.csv"
    KEY = ("order_id", "seq")
    order_id: Annotated[Ident, AfterValidator(_order)]
    seq: Whole
    type: Literal["payment", "refund"]
    currency: Annotated[Currency, AfterValidator(_of_order)]
    amount: Annotated[Amount, AfterValidator(_positive)]
    payment_method_id: Annotated[Ident, AfterValidator(_method)]
    outside_id: Text = Field(default="", max_length=120)


class ClauseRow(Row):
    """A sentence of the policy pages; `origin` tells where it came from and is not kept."""

    FILE = "policy_clauses.jsonl"
    KEY = ("clause_id",)
    clause_id: Ident = Field(max_length=20)
    section: Text = Field(min_length=1, max_length=80)
    text: Text = Field(min_length=1, max_length=4000)
    origin: Text = ""
