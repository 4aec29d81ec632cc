"""Which read tools there are: what each takes and gives, the kind of record it reads, the classes of data in it.

The forms are checked on the way in and on the way out; kind and classes are what policies may forbid an agent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import ConfigDict, StringConstraints, TypeAdapter

from agents.refunds.facts import OpenRefund
from agents.triage.duplicates import Other
from portal.systems.records import Clause, Contact, Customer, Order, PaymentMethod, Ticket

# More spellings than this are not looked up: a message of nothing but numbers must not read the whole book.
MOST_SPELLINGS = 60

Key = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
One, Two, Many = tuple[Key], tuple[Key, Key], tuple[list[Key]]
Words = Annotated[str, StringConstraints(max_length=20_000)]
# Records are ours to build, and still looked through to their last field: a reader of an outside system is not.
STRICT = ConfigDict(strict=True, revalidate_instances="always")


class Form(Protocol):
    """Looks a value through; raises pydantic.ValidationError."""

    def validate_python(self, value: Any, /) -> Any: ...


class Anything:
    """The form of what is not data, like a fitted model: it is named by its own digest."""

    def validate_python(self, value: Any, /) -> Any:
        """As it is."""
        return value


@dataclass(frozen=True, slots=True)
class Tool:
    """`kind` is the kind of record it reads, `data` the classes in it: routing, message, personal, identity, money,
    policy, model."""

    kind: str
    data: tuple[str, ...]
    takes: Form
    gives: Form


def sources(value: object) -> set[str]:
    """The records in what a tool gave, as evidence names them."""
    match value:
        case Ticket():
            return {f"ticket:{value.ticket_id}"}
        case Other():
            return {f"ticket:{value.ticket_id}"}
        case Contact():
            return {f"contact:{value.contact_id}"}
        case Customer():
            return {f"customer:{value.customer_id}"}
        case Order():
            return {f"order:{value.order_id}"}
        case PaymentMethod():
            return {f"method:{value.payment_method_id}"}
        case Clause():
            return {f"clause:{value.clause_id}"}
        case tuple():
            return {source for one in value for source in sources(one)}
    return set()


def _of(gives: Any, takes: Any = tuple[()]) -> tuple[Form, Form]:
    return TypeAdapter(takes, config=STRICT), TypeAdapter(gives, config=STRICT)


TOOLS: Mapping[str, Tool] = {
    "ticket": Tool("ticket", ("message", "personal"), *_of(Ticket | None, One)),
    "open_tickets": Tool("ticket", ("message", "personal"), *_of(tuple[Other, ...], Two)),
    "contact": Tool("contact", ("identity", "personal"), *_of(Contact | None, One)),
    "customer": Tool("customer", ("personal",), *_of(Customer | None, One)),
    "orders_of": Tool("order", ("money",), *_of(tuple[Order, ...], One)),
    "orders_named": Tool("order", ("money",), *_of(tuple[Order, ...], Many)),
    "methods_of": Tool("method", ("money",), *_of(tuple[PaymentMethod, ...], One)),
    "open_refunds": Tool("proposal", ("money",), *_of(tuple[OpenRefund, ...], Many)),
    "clauses": Tool("page", ("policy",), *_of(tuple[Clause, ...])),
    "passages": Tool("page", ("policy",), *_of(tuple[Clause, ...], tuple[Words])),
    "queues": Tool("queue", ("routing",), *_of(tuple[str, ...])),
    "triage_model": Tool("model", ("model",), TypeAdapter(tuple[()]), Anything()),
}
