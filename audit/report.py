"""What the log says of one subject, out of its entries alone: who did what, when, with which values.

Speaks from the bytes that were hashed, never from the columns beside them, and shows a personal value only while it
fits what was committed to. Knows no other app: a subject is text, `kind:number`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from audit import canonical
from audit.models import Entry, Payload


class Kept(StrEnum):
    """What became of a personal value: there, erased, or not what was committed to."""

    SHOWN = "shown"
    ERASED = "erased"
    ALTERED = "altered"


@dataclass(frozen=True, slots=True)
class Value:
    """A personal value by its name; None unless it is shown."""

    name: str
    value: Any
    kept: Kept

    @property
    def text(self) -> str:
        """As text; what is not there says so."""
        if self.kept is not Kept.SHOWN:
            return self.kept
        return self.value if isinstance(self.value, str) else json.dumps(self.value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry as it was hashed; `at` is UTC."""

    entry: int
    at: datetime
    actor: str
    event: str
    subject: str
    version: int
    state: str
    case: str
    trace_id: str
    body: Mapping[str, Any]
    values: tuple[Value, ...]

    def value(self, name: str) -> str:
        """A personal value as text; "" where there is none of this name."""
        return next((one.text for one in self.values if one.name == name), "")


def facts(entries: Iterable[Entry]) -> tuple[Fact, ...]:
    """Entries with their values, which are best read ahead (`prefetch_related("payloads")`)."""
    return tuple(_fact(entry) for entry in entries)


def about(found: Iterable[Fact], subject: str) -> tuple[Fact, ...]:
    """Those of a subject, and those whose body names it: whole (`item: "proposal:12"`) or by kind (`proposal: 12`)."""
    kind, _, key = subject.partition(":")
    number = int(key) if key.isdecimal() else None
    return tuple(
        one
        for one in found
        if one.subject == subject
        or subject in (value for value in one.body.values() if isinstance(value, str))
        or (number is not None and one.body.get(kind) == number)
    )


def last(found: Sequence[Fact], *events: str) -> Fact | None:
    """The newest of these events."""
    return next((one for one in reversed(found) if one.event in events), None)


def _fact(entry: Entry) -> Fact:
    leaf = json.loads(entry.canonical)
    there = {payload.name: payload for payload in entry.payloads.all()}
    values = tuple(_value(name, said, there.get(name)) for name, said in sorted(leaf["commitments"].items()))
    return Fact(
        entry.pk, datetime.fromisoformat(leaf["at"]), leaf["actor"], leaf["event"], leaf["subject"], leaf["version"],
        leaf["state"], leaf["case"], leaf["trace_id"], leaf["body"], values,
    )  # fmt: skip


def _value(name: str, committed: str, payload: Payload | None) -> Value:
    if payload is None:
        return Value(name, None, Kept.ERASED)
    if canonical.commit(name, payload.value, bytes(payload.salt)) != committed:
        return Value(name, None, Kept.ALTERED)
    return Value(name, payload.value, Kept.SHOWN)
