"""Frozen records that readers of a system of record hand out. Pure: no Django, clock, network or settings.

Money is whole minor units of `currency` (ISO 4217; JPY has no decimals). Identifiers are the system's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys; `contact_id` is who that is in the CRM, "" where it is not known.

    `version` counts changes of the record, as on every record below.
    """

    customer_id: str
    first_name: str
    last_name: str
    email: str
    postcode: str = ""
    city: str = ""
    country: str = ""
    version: int = 1
    contact_id: str = ""


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """`kind` is `credit_card`, `paypal` or `gift_card`; `balance_minor` only for gift cards."""

    payment_method_id: str
    customer_id: str
    kind: str
    brand: str = ""
    last_four: str = ""
    balance_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One row of an order: `quantity` pieces at `unit_price_minor` each."""

    line: int
    item_id: str
    product: str
    quantity: int
    unit_price_minor: int
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of an order's payment history. `type` is `payment` or `refund`; `outside_id` the provider's name."""

    seq: int
    type: str
    amount_minor: int
    currency: str
    payment_method_id: str
    outside_id: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """`status`: pending, processed, delivered, cancelled, return requested, exchange requested."""

    order_id: str
    customer_id: str
    status: str
    currency: str
    paid_total_minor: int
    items: tuple[Item, ...] = ()
    payments: tuple[Payment, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Clause:
    """A sentence of the policy pages that can be cited by `clause_id`."""

    clause_id: str
    section: str
    text: str
    version: int = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a ticket. `sender` is `customer` or `staff`."""

    seq: int
    sender: str
    body: str


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket of the helpdesk with its conversation, oldest message first."""

    ticket_id: str
    customer_id: str
    sender_email: str
    subject: str
    queue: str
    priority: str
    status: str
    tags: tuple[str, ...] = ()
    messages: tuple[Message, ...] = ()
    version: int = 1


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the CRM. Absent fields are not in `fields`; a person locked `locked_fields`.

    `merged_into` names the contact it was retired into, "" where it stands for itself.
    """

    contact_id: str
    fields: Mapping[str, str]
    locked_fields: tuple[str, ...] = ()
    version: int = 1
    merged_into: str = ""
