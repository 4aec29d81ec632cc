"""What an action is: a strict argument schema, a preview that only reads, an apply, and what an undo takes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError

from approvals.diff import Change, Diff
from approvals.policy import Facts
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Reader, Reversibility, Writer
from portal.systems.outside import Operation

# What is wrong with arguments, without the field: read by agents, kept by the gate.
NUL, SURROGATE = kept("holds a NUL character; take it out"), kept("holds a lone surrogate; take it out")
OTHER_KIND = kept("expected %(kind)s:<id>, not %(target)s")
NOT_THERE = kept("there is no %(target)s")
ALREADY_SO = kept("%(target)s is already so")


class ActionError(Exception):
    """Base of what an action answers instead of a preview; the message names the field and the way out."""


class BadArguments(ActionError):
    """The arguments do not fit the schema or the books."""


class NothingToDo(ActionError):
    """The books are already as asked."""


class Arguments(BaseModel):
    """Base of every schema: nothing extra, no silent conversion, no NUL, no lone surrogate."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run: the diff, one sentence of what would happen, and what policy and caps ask about.

    `customer` is the books' id of whom it concerns, or "".
    """

    diff: Diff
    summary: str
    customer: str = ""
    amount_minor: int | None = None
    currency: str = ""
    facts: Facts = NO_FACTS


class Action(ABC):
    """One kind of write. A new one is one module here and one line in `approvals.actions`."""

    name: ClassVar[str]
    title: ClassVar[str]
    schema: ClassVar[type[Arguments]]
    reversibility: ClassVar[Reversibility]
    target_kind: ClassVar[str]
    part: ClassVar[Part]

    @property
    def outward(self) -> bool:
        """Whether it reaches a customer, so that it counts as a write to them and is held before."""
        return self.reversibility != "reversible"

    def parse(self, args: Mapping[str, Any]) -> Any:
        """The arguments as the schema's value.

        Raises:
            BadArguments: naming the first field that is off.
        """
        try:
            return self.schema.model_validate(dict(args))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "arguments"
            raise BadArguments(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error

    @abstractmethod
    def preview(self, target: str, args: Any, case_customer: str, reader: Reader) -> Preview:
        """What would happen, reading only.

        Raises:
            BadArguments, NothingToDo.
        """

    @abstractmethod
    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """The present value of each changed field; a field that is absent has no key."""

    @abstractmethod
    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """Write the approved changes and effects, nothing else.

        Raises:
            portal.systems.base.BooksError: the record is gone or moved.
        """

    @abstractmethod
    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """What an outside system is told to do instead: the approved changes and effects, nothing else.

        The reader only puts the other side's own ids in.
        """

    def undo_args(self, changed: Sequence[Change], now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Arguments of the compensating proposal, or None where nothing can be taken back."""
        return None

    def rare(self, args: Any) -> Operation | None:
        """The operation that not every outside system has; without it a person does this there by hand."""
        return None

    def open_key(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """What makes two open proposals on one target the same; by default the arguments."""
        return args


def clean_text(value: str) -> str:
    """A text that can be stored, hashed and shown.

    Raises:
        ValueError: NUL or a lone surrogate in it.
    """
    if "\x00" in value:
        raise ValueError(NUL)
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(SURROGATE) from error
    return value


def id_of(target: str, kind: str) -> str:
    """The id in `kind:id`.

    Raises:
        BadArguments: the target is of another kind.
    """
    found, _, key = target.partition(":")
    if found != kind or not key:
        raise BadArguments("target: " + OTHER_KIND % {"kind": kind, "target": repr(target[:60])})
    return key
