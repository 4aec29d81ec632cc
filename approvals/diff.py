"""The field-level diff of a dry run, its bytes and digest, and the three-way look at what moved. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Literal

from audit import canonical

MAX_BYTES = 256 * 1024
MAX_CHANGES = 200

Op = Literal["set", "unset", "set_members"]


class DiffError(ValueError):
    """A diff that cannot be shown whole: too large, or with values that have no exact form."""


class _Absent:
    """A field that is not there; absent is not null."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Change:
    """One field of the target, before and after. `set_members` compares lists as sets."""

    field: str
    op: Op
    before: Any
    after: Any

    def as_json(self) -> dict[str, Any]:
        """Absent values have no key."""
        values = {"before": self.before, "after": self.after}
        return {"field": self.field, "op": self.op, **{k: v for k, v in values.items() if v is not ABSENT}}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Change":
        """The reverse of `as_json`."""
        return cls(value["field"], value["op"], value.get("before", ABSENT), value.get("after", ABSENT))


@dataclass(frozen=True, slots=True)
class Read:
    """Something the decision rests on, with its version: `order:#W1`, `clause:RET-1`."""

    source: str
    version: int


@dataclass(frozen=True, slots=True)
class Diff:
    """What would happen: changes of the target's fields, and outward effects with their arguments."""

    action: str
    target: str
    changes: tuple[Change, ...]
    effects: tuple[Mapping[str, Any], ...] = ()
    target_version: int = 1
    reads: tuple[Read, ...] = ()

    def content(self) -> bytes:
        """The RFC 8785 bytes that are shown, approved and applied.

        Raises:
            DiffError: over 256 KiB or 200 changes, or a value without an exact form.
        """
        if len(self.changes) > MAX_CHANGES:
            raise DiffError(f"{len(self.changes)} changes; at most {MAX_CHANGES} can be reviewed at once")
        try:
            data = canonical.encode(
                {
                    "action": self.action,
                    "changes": [change.as_json() for change in self.changes],
                    "effects": [dict(effect) for effect in self.effects],
                    "target": self.target,
                }
            )
        except canonical.NotCanonical as error:
            raise DiffError(str(error)) from error
        if len(data) > MAX_BYTES:
            raise DiffError(f"{len(data)} bytes; at most {MAX_BYTES} can be reviewed at once")
        return data

    def basis(self) -> dict[str, Any]:
        """Versions the dry run rests on; they may move without the bytes moving."""
        return {
            "target_version": self.target_version,
            "reads": {read.source: read.version for read in self.reads},
        }


def read_content(content: str) -> tuple[tuple[Change, ...], tuple[dict[str, Any], ...]]:
    """Changes and effects out of the stored bytes."""
    value = json.loads(content)
    return tuple(Change.of_json(change) for change in value["changes"]), tuple(value["effects"])


def digest(content: bytes, nonce: bytes) -> str:
    """SHA-256 (hex) over nonce and content. Without the 32 random bytes a phone number could be guessed."""
    return hashlib.sha256(nonce + content).hexdigest()


def content_hash(content: bytes) -> str:
    """SHA-256 (hex) of the content alone: to recognise a preview, kept only where it can be erased."""
    return hashlib.sha256(content).hexdigest()


class Fit(StrEnum):
    """How a change fits what is there now."""

    CLEAN = "clean"
    ALREADY = "already"
    CONFLICT = "conflict"


def fit(change: Change, now: Any) -> Fit:
    """Three ways: now = before is clean, now = after is already so, anything else conflicts."""
    if change.op == "set_members":
        return _fit_members(change, now)
    if _same(now, change.before):
        return Fit.CLEAN
    return Fit.ALREADY if _same(now, change.after) else Fit.CONFLICT


def _same(left: Any, right: Any) -> bool:
    return left is right if ABSENT in (left, right) else bool(left == right)


def _fit_members(change: Change, now: Any) -> Fit:
    added, removed = members(change)
    there = set(now if isinstance(now, Sequence) else ())
    if added <= there and not removed & there:
        return Fit.ALREADY
    if not added & there and removed <= there:
        return Fit.CLEAN
    return Fit.CONFLICT


def members(change: Change) -> tuple[set[str], set[str]]:
    """What a `set_members` change adds and takes away."""
    before, after = set(change.before or ()), set(change.after or ())
    return after - before, before - after


def writes_over(change: Change, before: Change, met: Fit) -> bool:
    """Whether `change`, proposed anew after `before` met a field as it is now, undoes what somebody did meanwhile."""
    if change.op == "set_members":
        (added, removed), (was_added, was_removed) = members(change), members(before)
        return bool(added - was_added or removed - was_removed)
    return met == Fit.CONFLICT and change.after == before.after


def onto(change: Change, now: Any) -> Change:
    """The change as it must be written: of a list, only what it adds and takes away, beside what others did."""
    if change.op != "set_members":
        return change
    added, removed = members(change)
    there = set(now if isinstance(now, Sequence) else ())
    return replace(change, after=sorted((there | added) - removed))


def fits(changes: Sequence[Change], now: Mapping[str, Any]) -> dict[str, Fit]:
    """Each changed field against what is there now; a field that is gone counts as absent."""
    return {change.field: fit(change, now.get(change.field, ABSENT)) for change in changes}


def json_patch(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """RFC 6902 for integrators: a test of the old value, then the new one."""
    patch: list[dict[str, Any]] = []
    for change in changes:
        path = "/" + change.field.replace("~", "~0").replace("/", "~1")
        if change.before is not ABSENT:
            patch.append({"op": "test", "path": path, "value": change.before})
        if change.after is ABSENT:
            patch.append({"op": "remove", "path": path})
        else:
            op = "add" if change.before is ABSENT else "replace"
            patch.append({"op": op, "path": path, "value": change.after})
    return patch
