"""A case for a record that never came in: found by what people call it, opened by a person, on the log.

What they then start on it goes through the same door as everybody's (`approvals.manual`).
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from approvals import abouts
from approvals.models import Case
from audit import log
from audit.events import Event
from portal.rows import insert_once
from portal.systems.books import BooksReader

KINDS = ("ticket", "contact", "order")
MOST = 20


class NoRecord(Exception):
    """Nothing of the books can have a case of its own under this name."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record without a case: `subject` names it (`order:#W1`), `label` is what it is called."""

    subject: str
    label: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a search led to, newest first; `most` is how many cases are shown where there are more, else 0."""

    cases: tuple[Case, ...]
    records: tuple[Record, ...]
    most: int


def find(*, workspace: int, text: str) -> Found:
    """Cases of a ticket, contact, order or customer, and its records that have none. `contact:C-1` or `C-1` alone."""
    kind, _colon, key = text.partition(":")
    if kind not in (*KINDS, "customer") or not key:
        kind, key = "", text
    reader = BooksReader(workspace)
    order = reader.order(key) if kind in ("", "order") else None
    owner = order.customer_id if order else key if kind in ("", "customer") else ""
    customer = reader.customer(owner) if owner else None
    named = [f"{one}:{key}" for one in ((kind,) if kind in KINDS else KINDS)]
    known = [f"contact:{customer.contact_id}"] if customer and customer.contact_id else []
    orders = (order,) if order else reader.orders_of(owner) if customer else ()
    records = [*named, *known, *(f"order:{one.order_id}" for one in orders[:MOST])]
    about = Q(subject__in=records) | (Q(customer=owner) if customer else Q())
    rows = Case.objects.filter(workspace_id=workspace).filter(about).order_by("-pk")
    cases = tuple(rows[: MOST + 1])
    taken = set(rows.filter(subject__in=records).values_list("subject", flat=True))
    free = [record for one in dict.fromkeys(records) if one not in taken and (record := _record(reader, one))]
    return Found(cases[:MOST], tuple(free), MOST if len(cases) > MOST else 0)


def open_for(*, workspace: int, subject: str, person: int, now: datetime) -> Case:
    """The case of a contact or an order, opened by this person where there is none.

    Raises:
        NoRecord.
    """
    reader = BooksReader(workspace)
    record = _record(reader, subject)
    if record is None:
        raise NoRecord(_("No contact and no order is called %(subject)s.") % {"subject": subject[:120]})
    kind, _colon, key = subject.partition(":")
    order = reader.order(key) if kind == "order" else None
    owners = reader.customers_of(key) if kind == "contact" else ()
    customer = order.customer_id if order else owners[0].customer_id if len(owners) == 1 else ""
    case = Case(workspace_id=workspace, subject=subject, title=record.label[:200], customer=customer)
    with transaction.atomic():
        if not insert_once(case):
            return Case.objects.get(workspace_id=workspace, subject=subject)
        log.record(
            workspace=workspace, subject=f"case:{case.pk}", event=Event.CASE_OPENED, actor=f"person:{person}", now=now,
            case=f"case:{case.pk}", body={"on": subject}, about=abouts.of_case(case),
        )  # fmt: skip
    return case


def _record(reader: BooksReader, subject: str) -> Record | None:
    """None of what is not there or has a case in another way: a ticket's case comes with it."""
    kind, _colon, key = subject.partition(":")
    if kind == "order" and len(subject) <= 120 and (order := reader.order(key)):
        return Record(subject, order.order_id)
    contact = reader.contact(key) if kind == "contact" and len(subject) <= 120 else None
    if contact is None or contact.merged_into:
        return None
    return Record(subject, str(contact.fields.get("full_name") or contact.contact_id))
