"""What a line of intake must look like, one form per agent. Pure: no Django, clock, network or settings.

What a form does not name is dropped before it is stored; what it names is checked, or the line refused.
"""

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

LONGEST_TEXT = 100_000
LONGEST_FIELD = 10_000


class LineError(ValueError):
    """The line is not of the form its agent takes; the message names the field."""


def _storable(value: str) -> str:
    """PostgreSQL stores no NUL, and no hash covers half a character."""
    if "\x00" in value:
        raise ValueError("holds a NUL character")
    if re.search("[\ud800-\udfff]", value):
        raise ValueError("holds a lone surrogate")
    return value


def _identifying(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


Text = Annotated[str, Field(max_length=LONGEST_TEXT), AfterValidator(_storable)]
Short = Annotated[str, Field(max_length=254), AfterValidator(_storable)]
Identifier = Annotated[str, Field(max_length=120), AfterValidator(_storable), AfterValidator(_identifying)]
FieldName = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_storable)]
FieldValue = Annotated[str, Field(max_length=LONGEST_FIELD), AfterValidator(_storable)]


class Line(BaseModel):
    """`id` is the caller's own: the same one again is a no-op."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    id: Identifier


class TicketLine(Line):
    """A message of somebody, with who the sender is where that is known."""

    text: Text
    from_customer_id: Short = ""
    from_email: Short = ""

    @property
    def heading(self) -> str:
        """The subject line, where the form has one."""
        return ""


class TriageLine(TicketLine):
    """Any message that comes in."""

    subject: Annotated[str, Field(max_length=200), AfterValidator(_storable)] = ""

    @property
    def heading(self) -> str:
        """The subject line."""
        return self.subject


class RefundLine(TicketLine):
    """`from_customer_id` is the authenticated sender, "" if nobody is signed in."""

    from_customer_id: Short
    from_email: Short


class ContactLine(Line):
    """A contact of the CRM as found; a field that is null is absent."""

    record: Annotated[dict[FieldName, FieldValue | None], Field(min_length=1, max_length=100)]
    locked_fields: Annotated[list[FieldName], Field(max_length=100)] = []

    @property
    def fields(self) -> dict[str, str]:
        """The fields that are there."""
        return {name: value for name, value in self.record.items() if value is not None}


LineT = TypeVar("LineT", bound=Line)


def check(form: type[LineT], line: object) -> LineT:
    """The line as its form.

    Raises:
        LineError: naming the first field that is off.
    """
    if not isinstance(line, Mapping):
        raise LineError("line: is not a JSON object")
    try:
        return form.model_validate(dict(line))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "line"
        raise LineError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
