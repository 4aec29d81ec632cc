"""`contact.merge`: somebody who is there twice becomes one contact. Reversible.

One record stays, the other is retired into it and keeps all it holds. Of two values the staying record's survives,
unless `take` says otherwise; a locked value is never overwritten and never lost.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from approvals.actions import merge_words as words
from approvals.actions.base import (
    ALREADY_SO,
    NOT_THERE,
    Action,
    Arguments,
    BadArguments,
    NothingToDo,
    Preview,
    clean_text,
    id_of,
)
from approvals.actions.contacts import Name, Text, change_of, data_class
from approvals.diff import ABSENT, Change, Diff, Read
from approvals.policy import Facts
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Merge, Reader, Reversibility, Writer
from portal.systems.outside import Operation
from portal.systems.records import Contact

Id = Annotated[str, Field(max_length=80), AfterValidator(clean_text)]
Key = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(clean_text)]

# Changes that are no field of the contact: what is retired, whose customers are, which fields are locked.
RETIRED, CUSTOMER, LOCKS = "contact:", "customer:", "locked:"


class Merging(Arguments):
    """`other` is retired. `take`: its value survives; `leave`: its value is not filled in.

    `back` is an undo's: what each field goes back to. Where nothing but fields is left of it, `other` is "".
    """

    other: Id
    take: Annotated[list[Name], Field(max_length=50)] = Field(default_factory=list)
    leave: Annotated[list[Name], Field(max_length=50)] = Field(default_factory=list)
    back: Annotated[dict[Key, Text | list[Name] | None], Field(min_length=1, max_length=200)] | None = Field(
        None, json_schema_extra={"kept": True}
    )


class ContactMerge(Action):
    """One of two contacts stays."""

    name: ClassVar = "contact.merge"
    title: ClassVar = kept("Merge two contacts")
    schema: ClassVar = Merging
    reversibility: ClassVar[Reversibility] = "reversible"
    target_kind: ClassVar = "contact"
    part: ClassVar = Part.CONTACTS

    def preview(self, target: str, args: Merging, case_customer: str, reader: Reader) -> Preview:
        """What of the other record goes into this one, and what moves along."""
        keep = _standing(reader, id_of(target, "contact"))
        if args.back is None:
            other: Contact | None = (found := _there(reader, args.other, keep))
            changes = _forth(keep, found, args, reader)
        else:
            now = self._now(keep, args.back, reader)
            other = _there(reader, args.other or _named_in(args.back, now, keep), keep) if _moves(args.back) else None
            changes = _back(keep, other, args.back, now)
        if not changes:
            raise NothingToDo(ALREADY_SO % {"target": target})
        reads = (Read(f"contact:{other.contact_id}", other.version),) if other else ()
        diff = Diff(self.name, target, changes, target_version=keep.version, reads=reads)
        return Preview(diff, _summary(keep, other, changes), facts=_facts(keep, changes))

    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """The staying contact's fields, and where everything else stands."""
        keep = reader.contact(id_of(target, "contact"))
        return {} if keep is None else self._now(keep, [change.field for change in changes], reader)

    def _now(self, keep: Contact, names: Sequence[str] | Mapping[str, Any], reader: Reader) -> dict[str, Any]:
        found: dict[str, Any] = {**keep.fields, LOCKS: sorted(keep.locked_fields)}
        for name in names:
            if name.startswith(RETIRED):
                other = reader.contact(name.removeprefix(RETIRED))
                found |= {name: other.merged_into} if other is not None and other.merged_into else {}
            elif name.startswith(CUSTOMER):
                customer = reader.customer(name.removeprefix(CUSTOMER))
                found |= {name: customer.contact_id} if customer is not None and customer.contact_id else {}
        return found

    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """All of it in one write, asked again under the lock of both."""
        keep, fields = id_of(target, "contact"), _fields(changes)
        if other := _other(keep, changes):
            writer.merge_contacts(_merge(keep, other, changes))
        elif fields:
            writer.update_contact(keep, fields)

    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """Which two, what is written on the one that stays, and whether together or apart."""
        keep = id_of(target, "contact")
        apart = any(change.field.startswith(RETIRED) and change.after is ABSENT for change in changes)
        return "split_contacts" if apart else "merge_contacts", {
            "contact": keep, "other": _other(keep, changes), "fields": _fields(changes)
        }  # fmt: skip

    def undo_args(self, changed: Sequence[Change], now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Every field and reference as it was, of the locks only what this added or took away."""
        back = {change.field: _value_before(change, now.get(change.field)) for change in changed}
        retired = [change.field.removeprefix(RETIRED) for change in changed if change.field.startswith(RETIRED)]
        return {"other": retired[0] if retired else "", "back": back}

    def rare(self, args: Any) -> Operation | None:
        """Few systems merge; none of ours says it can take a merge apart."""
        return "merge_contacts" if args.back is None else "split_contacts"

    def open_key(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same two, whatever survives."""
        return {"other": args.get("other"), "back": args.get("back") is not None}


def survivors(keep: Contact, other: Contact, args: Merging) -> Iterator[tuple[str, str | None, str]]:
    """(field, the value that stays or None for none, why), for each field that either record has.

    Raises:
        BadArguments: a locked value would be overwritten or lost.
    """
    for name in sorted({*keep.fields, *other.fields}):
        mine, theirs = keep.fields.get(name), other.fields.get(name)
        if not theirs or mine == theirs:
            yield name, mine, words.BOTH if theirs else words.ONLY_THIS
        elif name in args.leave:
            yield name, mine, words.LEFT_THERE
        elif name in keep.locked_fields:
            if name in other.locked_fields or name in args.take:
                raise BadArguments(f"{name}: " + words.LOCKED_HERE % {"contact": keep.contact_id})
            yield name, mine, words.LOCKED
        elif not mine:
            yield name, theirs, words.ONLY_OTHER
        elif name in args.take:
            yield name, theirs, words.CHOSEN
        elif name in other.locked_fields:
            raise BadArguments(f"{name}: " + words.LOCKED_THERE % {"contact": other.contact_id})
        else:
            yield name, mine, words.STAYING_FIRST


def _forth(keep: Contact, other: Contact, args: Merging, reader: Reader) -> tuple[Change, ...]:
    if other.merged_into:
        said = {"other": other.contact_id, "into": other.merged_into}
        raise BadArguments("other: " + words.MERGED_ALREADY % said)
    if odd := [name for name in (*keep.fields, *other.fields) if _is_special(name)]:
        raise BadArguments("target: " + words.ODD_FIELD % {"field": repr(odd[0])})
    if missing := [name for name in (*args.take, *args.leave) if name not in other.fields]:
        said = {"other": other.contact_id, "field": repr(missing[0])}
        raise BadArguments("take: " + words.NO_FIELD % said)
    changes = [
        change_of(name, keep.fields.get(name), value)
        for name, value, _why in survivors(keep, other, args)
        if value != keep.fields.get(name)
    ]
    locks = sorted({*keep.locked_fields, *other.locked_fields})
    if locks != sorted(keep.locked_fields):
        changes.append(Change(LOCKS, "set_members", sorted(keep.locked_fields), locks))
    for customer in reader.customers_of(other.contact_id):
        changes.append(Change(f"{CUSTOMER}{customer.customer_id}", "set", other.contact_id, keep.contact_id))
    return (*changes, Change(f"{RETIRED}{other.contact_id}", "set", ABSENT, keep.contact_id))


def _back(keep: Contact, other: Contact | None, back: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Change, ...]:
    """To the values that are named: of an undo, and of an undo's undo."""
    changes = []
    for name, value in sorted(back.items()):
        if other is not None and name.startswith((RETIRED, CUSTOMER)):
            _refuse_elsewhere(keep, other, name, value)
        elif isinstance(value, list) != (name == LOCKS):
            raise BadArguments("back: " + words.NO_VALUE % {"field": name, "value": repr(value)})
        if name == LOCKS:
            changes.append(Change(name, "set_members", now[LOCKS], sorted(value)))
        elif name.startswith(CUSTOMER):
            changes.append(Change(name, "set", now.get(name, ABSENT), value))
        else:
            changes.append(change_of(name, now.get(name), value))
    return tuple(change for change in changes if change.before != change.after)


def _refuse_elsewhere(keep: Contact, other: Contact, name: str, value: Any) -> None:
    """Only these two are put together and taken apart, and only from where they stand."""
    two = (keep.contact_id, other.contact_id)
    right = value in two if name.startswith(CUSTOMER) else name == RETIRED + two[1] and value in (None, two[0])
    if not right:
        raise BadArguments("back: " + words.NO_VALUE_HERE % {"field": name, "value": repr(value)})
    if name.startswith(RETIRED) and value is None and other.merged_into != keep.contact_id:
        raise BadArguments("other: " + words.NOT_MERGED % {"other": two[1], "into": two[0]})
    if name.startswith(RETIRED) and value is not None and other.merged_into:
        said = {"other": two[1], "into": other.merged_into}
        raise BadArguments("other: " + words.MERGED % said)


def _standing(reader: Reader, contact_id: str) -> Contact:
    contact = reader.contact(contact_id)
    if contact is None:
        raise BadArguments("target: " + NOT_THERE % {"target": f"contact:{contact_id}"})
    if contact.merged_into:
        said = {"other": contact_id, "into": contact.merged_into}
        raise BadArguments("target: " + words.MERGED_AWAY % said)
    return contact


def _there(reader: Reader, contact_id: str, keep: Contact) -> Contact:
    contact = reader.contact(contact_id)
    if contact is None:
        raise BadArguments("other: " + NOT_THERE % {"target": f"contact:{contact_id}"})
    if contact.contact_id == keep.contact_id:
        raise BadArguments(f"other: {words.SAME}")
    return contact


def _moves(back: Mapping[str, Any]) -> bool:
    return any(name.startswith((RETIRED, CUSTOMER)) for name in back)


def _named_in(back: Mapping[str, Any], now: Mapping[str, Any], keep: Contact) -> str:
    """The other contact, where only customers are left to go between the two."""
    both = [who for name, value in back.items() if name.startswith(CUSTOMER) for who in (value, now.get(name))]
    return next((str(who) for who in both if who not in (None, keep.contact_id)), "")


def _facts(keep: Contact, changes: Sequence[Change]) -> Facts:
    fields = set(_fields(changes))
    data = sorted({"personal", *map(data_class, fields)})
    return Facts(touches_locked=bool(fields & set(keep.locked_fields)), data=tuple(data))


def _is_special(name: str) -> bool:
    return name.startswith((RETIRED, CUSTOMER)) or name == LOCKS


def _fields(changes: Sequence[Change]) -> dict[str, str | None]:
    own = (change for change in changes if not _is_special(change.field))
    return {change.field: None if change.after is ABSENT else change.after for change in own}


def _other(keep: str, changes: Sequence[Change]) -> str:
    """The contact that is not the staying one, out of the changes alone; "" where they are of its fields only."""
    for change in changes:
        if change.field.startswith(RETIRED):
            return change.field.removeprefix(RETIRED)
        if change.field.startswith(CUSTOMER):
            return next((v for v in (change.before, change.after) if isinstance(v, str) and v != keep), "")
    return ""


def _merge(keep: str, other: str, changes: Sequence[Change]) -> Merge:
    retired = [change for change in changes if change.field.startswith(RETIRED)]
    return Merge(
        keep, other, (retired[0].after is not ABSENT) if retired else None, _fields(changes),
        tuple((c.field.removeprefix(CUSTOMER), c.after) for c in changes if c.field.startswith(CUSTOMER)),
        next((tuple(change.after) for change in changes if change.field == LOCKS), None),
    )  # fmt: skip


def _value_before(change: Change, now: Any) -> Any:
    if change.op != "set_members":
        return None if change.before is ABSENT else change.before
    added, removed = set(change.after) - set(change.before), set(change.before) - set(change.after)
    return sorted((set(now or ()) - added) | removed)


def _summary(keep: Contact, other: Contact | None, changes: Sequence[Change]) -> str:
    retired = [change for change in changes if change.field.startswith(RETIRED)]
    if other is None or not retired:
        return (words.PUT_BACK % {"contact": _named(keep)})[:300]
    if retired[0].after is ABSENT:
        return (words.TAKE_OUT % {"other": _named(other), "contact": _named(keep)})[:300]
    return (words.MERGE % {"other": _named(other), "contact": _named(keep)})[:300]


def _named(contact: Contact) -> str:
    fields = contact.fields
    name = fields.get("full_name") or " ".join(filter(None, (fields.get("given_name"), fields.get("surname"))))
    return f"{name} ({contact.contact_id})" if name else contact.contact_id
