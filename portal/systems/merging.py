"""How two contacts become one in our own books, and two again. For the books' writer alone, signed in as apply.

Both are locked in one order whoever asks, and asked again under the lock: of two merges that race one is refused.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from portal.models import Contact, Customer
from portal.retold import kept
from portal.systems.base import Conflict, Merge, NotFound

# What stands in the way, kept in English.
NO_CONTACT = kept("contact %(contact)s is not there")
OTHER_CUSTOMER = kept("contact %(contact)s has become another customer meanwhile")
MERGED_AWAY = kept("contact %(contact)s was merged into another meanwhile")
APART = kept("contact %(other)s is not merged into %(contact)s any more")
FIELD_CHANGED = kept("%(field)s of contact %(contact)s changed meanwhile")
MERGED = kept("contact %(contact)s was merged meanwhile")
NOT_THEIRS = kept("customer %(customer)s is not %(contact)s's any more")


@transaction.atomic
def merge(workspace: int, wanted: Merge) -> None:
    """Write a merge, all of it or nothing, whatever the caller's transaction goes on to do.

    Raises:
        NotFound: one of them is not there.
        Conflict: one of them was merged meanwhile, or a customer belongs to somebody else by now.
    """
    rows = Contact.objects.select_for_update().filter(workspace=workspace, contact_id__in=[wanted.keep, wanted.other])
    found = {row.contact_id: row for row in rows.order_by("pk")}
    for name in (wanted.keep, wanted.other):
        if name not in found:
            raise NotFound(NO_CONTACT % {"contact": name})
    keep, other = found[wanted.keep], found[wanted.other]
    _refuse_retired(keep, other, wanted)
    change(keep, fields=wanted.fields, locked_fields=wanted.locked_fields)
    if wanted.retire is not None:
        change(other, merged_into=keep if wanted.retire else None)
    for customer, to in wanted.customers:
        _move(workspace, customer, *((other, keep) if to == wanted.keep else (keep, other)))
    if wanted.retire and Customer.objects.filter(workspace=workspace, contact=other).exists():
        raise Conflict(OTHER_CUSTOMER % {"contact": other.contact_id})


def change(
    contact: Contact, *, fields: Mapping[str, str | None] | None = None,
    locked_fields: tuple[str, ...] | None = None, **values: Any,
) -> None:  # fmt: skip
    """Write a locked contact; None takes a field away."""
    if fields:
        both = {**contact.fields, **fields}
        values["fields"] = {name: value for name, value in both.items() if value is not None}
    if locked_fields is not None:
        values["locked_fields"] = list(locked_fields)
    Contact.objects.filter(pk=contact.pk).update(version=F("version") + 1, changed_at=Now(), **values)


def _refuse_retired(keep: Contact, other: Contact, wanted: Merge) -> None:
    if keep.merged_into_id is not None:
        raise Conflict(MERGED_AWAY % {"contact": keep.contact_id})
    if wanted.retire is False and other.merged_into_id != keep.pk:
        raise Conflict(APART % {"other": other.contact_id, "contact": keep.contact_id})
    gone = [name for name, value in wanted.fields.items() if wanted.retire and value != other.fields.get(name)]
    if gone:
        raise Conflict(FIELD_CHANGED % {"field": gone[0], "contact": other.contact_id})
    if wanted.retire is not False and other.merged_into_id not in (None, *([keep.pk] if not wanted.retire else [])):
        raise Conflict(MERGED % {"contact": other.contact_id})


def _move(workspace: int, customer: str, source: Contact, to: Contact) -> None:
    moved = Customer.objects.filter(workspace=workspace, customer_id=customer, contact=source)
    if moved.update(contact=to, version=F("version") + 1) != 1:
        raise Conflict(NOT_THEIRS % {"customer": customer, "contact": source.contact_id})
