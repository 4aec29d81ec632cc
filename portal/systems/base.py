"""The protocols in front of every system of record. Readers are open to all; writers to actions alone. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from portal.systems.records import Clause, Contact, Customer, Order, PaymentMethod, Ticket

Reversibility = Literal["read-only", "reversible", "cancellable", "irreversible"]


class BooksError(Exception):
    """Base of what a system of record can answer instead of doing it."""


class NotFound(BooksError):
    """There is no such record here; the message names it."""


class Conflict(BooksError):
    """The record moved between reading and writing."""


class Reader(Protocol):
    """Reads one workspace's books. Absent records are None, never an exception."""

    def ticket(self, ticket_id: str) -> Ticket | None: ...

    def open_tickets_of(self, customer_id: str) -> tuple[Ticket, ...]: ...

    def customer(self, customer_id: str) -> Customer | None: ...

    def order(self, order_id: str) -> Order | None: ...

    def orders_known_as(self, order_ids: Collection[str]) -> tuple[Order, ...]: ...

    def orders_of(self, customer_id: str) -> tuple[Order, ...]: ...

    def methods_of(self, customer_id: str) -> tuple[PaymentMethod, ...]: ...

    def contact(self, contact_id: str) -> Contact | None: ...

    def customers_of(self, contact_id: str) -> tuple[Customer, ...]: ...

    def clauses(self) -> tuple[Clause, ...]: ...
    def clauses_for(self, agent: str) -> tuple[Clause, ...]: ...

    def queues(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Refund:
    """What a refund books: `amount_minor` of `currency` to `refund_to`, and the order's new status."""

    order_id: str
    refund_to: str
    amount_minor: int
    currency: str
    status: str


@dataclass(frozen=True, slots=True)
class Merge:
    """What a merge of contacts writes, all of it or nothing; the way back is the same with `retire` False.

    `fields` are those of `keep` that change (None takes one away), `locked_fields` all of its locks where they change.
    `customers` go from the contact that is not theirs any more to the other one. `retire` None leaves `other` as it
    stands.
    """

    keep: str
    other: str
    retire: bool | None
    fields: Mapping[str, str | None] = field(default_factory=dict)
    customers: tuple[tuple[str, str], ...] = ()
    locked_fields: tuple[str, ...] | None = None


class Writer(Protocol):
    """Writes one workspace's books, inside the caller's transaction, once per `reference`.

    `reference` is the proposal's own (`proposal:12`); a second write with it raises IntegrityError.

    Raises:
        NotFound, Conflict.
    """

    reversibility: ClassVar[Mapping[str, Reversibility]]

    def update_ticket(self, ticket_id: str, fields: Mapping[str, str | Sequence[str]]) -> None: ...

    def reply(self, ticket_id: str, body: str, reference: str) -> None: ...

    def refund(self, refund: Refund, reference: str) -> None: ...

    def update_contact(self, contact_id: str, fields: Mapping[str, str | None]) -> None: ...

    def merge_contacts(self, merge: Merge) -> None: ...
