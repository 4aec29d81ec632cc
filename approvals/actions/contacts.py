"""`contact.update`: fields of a contact of the CRM. Reversible."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from approvals import wording
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
from approvals.diff import ABSENT, Change, Diff
from approvals.policy import Facts
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Reader, Reversibility, Writer
from portal.systems.outside import Operation

Text = Annotated[str, Field(max_length=10_000), AfterValidator(clean_text)]
Name = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(clean_text)]


# Words in the name of a field that proves who somebody is, or what they own; all other fields are personal.
_IDENTITY = re.compile(
    r"(?:^|_)(?:birth|birthday|dob|passport|identity|ssn|sin|nino|nif|dni|cpf|iban|bic|tax|vat|licen[cs]e)(?:_|$)"
    r"|social_security|national_id|id_(?:number|no|card)|date_of_birth|birth_?date"
)


CORRECT = kept("Correct %(fields)s of %(name)s")
MERGED = kept("contact:%(contact)s was merged into contact:%(other)s; change that one")


class ContactFields(Arguments):
    """Field and new value; null takes the field away."""

    changes: Annotated[dict[Name, Text | None], Field(min_length=1, max_length=50)]


class ContactUpdate(Action):
    """Sets fields of a contact."""

    name: ClassVar = "contact.update"
    title: ClassVar = kept("Update a contact")
    schema: ClassVar = ContactFields
    reversibility: ClassVar[Reversibility] = "reversible"
    target_kind: ClassVar = "contact"
    part: ClassVar = Part.CONTACTS

    def preview(self, target: str, args: ContactFields, case_customer: str, reader: Reader) -> Preview:
        """One change per field that differs."""
        contact = reader.contact(id_of(target, "contact"))
        if contact is None:
            raise BadArguments("target: " + NOT_THERE % {"target": target})
        if contact.merged_into:
            said = {"contact": contact.contact_id, "other": contact.merged_into}
            raise BadArguments("target: " + MERGED % said)
        changes = tuple(
            change_of(field, contact.fields.get(field), value)
            for field, value in sorted(args.changes.items())
            if contact.fields.get(field) != value
        )
        if not changes:
            raise NothingToDo(ALREADY_SO % {"target": target})
        locked = bool(set(args.changes) & set(contact.locked_fields))
        name = contact.fields.get("full_name") or contact.contact_id
        fields = ", ".join(wording.kept_field(change.field) for change in changes)
        return Preview(
            Diff(self.name, target, changes, target_version=contact.version),
            (CORRECT % {"fields": fields, "name": name})[:300],
            facts=Facts(touches_locked=locked, data=tuple(sorted({data_class(field) for field in args.changes}))),
        )

    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """The contact's fields."""
        contact = reader.contact(id_of(target, "contact"))
        return {} if contact is None else contact.fields

    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """One update of the record."""
        writer.update_contact(
            id_of(target, "contact"), {c.field: None if c.after is ABSENT else c.after for c in changes}
        )

    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """The approved fields; null takes one away."""
        fields = {c.field: None if c.after is ABSENT else c.after for c in changes}
        return "update_contact", {"contact": id_of(target, "contact"), "fields": fields}

    def undo_args(self, changed: Sequence[Change], now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The values before; a field that was absent is taken away again."""
        return {"changes": {c.field: None if c.before is ABSENT else c.before for c in changed}}


def data_class(field: str) -> str:
    """What kind of data a field of the CRM holds; a name nobody foresaw is personal."""
    return "identity" if _IDENTITY.search(re.sub(r"[^a-z]+", "_", field.lower())) else "personal"


def change_of(field: str, before: str | None, after: str | None) -> Change:
    if after is None:
        return Change(field, "unset", before, ABSENT)
    return Change(field, "set", ABSENT if before is None else before, after)
