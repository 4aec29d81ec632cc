"""Which outside systems there are. `SYSTEMS` holds one class per system; `register` refuses an incomplete one.

Adding a system is its module and a line at the end of this one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from typing import Any, ClassVar, Protocol, get_args

from portal.egress import LONGEST_READ_SECONDS, Egress
from portal.models import Part
from portal.systems.base import Reversibility
from portal.systems.http import HttpSystem
from portal.systems.outside import Capabilities, Outside
from portal.systems.reach import Reach
from portal.systems.stripe import StripeSystem

BOOKS = "books"
OPERATIONS: Mapping[Part, frozenset[str]] = {
    Part.PAYMENTS: frozenset({"refund"}),
    Part.HELPDESK: frozenset({"reply", "update_ticket"}),
    Part.CONTACTS: frozenset({"update_contact"}),
}


class System(Outside, Protocol):
    """What a class in `SYSTEMS` has beside `Outside`: the parts it can serve, its settings, its opening."""

    parts: ClassVar[frozenset[Part]]
    settings: ClassVar[type[Reach]]
    declared: ClassVar[Mapping[str, Capabilities]]
    title: ClassVar[str]
    credential: ClassVar[str]

    def __init__(self, settings: Any, credential: str, egress: Egress) -> None: ...

    @classmethod
    def promises(cls, settings: Any, /) -> Mapping[str, Capabilities]:
        """What an account with these settings promises."""
        ...


SYSTEMS: dict[str, type[System]] = {}


def register(system: type[Any]) -> type[Any]:
    """Add a system.

    Raises:
        TypeError: naming everything that is missing or cannot hold.
    """
    wrong = list(_faults(system))
    if wrong:
        raise TypeError(f"{system.__name__} cannot be registered: {'; '.join(wrong)}")
    SYSTEMS[system.name] = system
    return system


def slowest(promises: Mapping[str, Capabilities]) -> float:
    """The calls a second that all operations of a system bear."""
    return min(promise.calls_per_second for promise in promises.values())


def refuse_bad_promises(promises: Mapping[str, Capabilities]) -> None:
    """Ask of an account's own promises what is asked of the declared ones.

    Raises:
        TypeError.
    """
    wrong = [fault for operation, promise in promises.items() for fault in _promise_faults(operation, promise)]
    if wrong:
        raise TypeError("; ".join(wrong))


def _faults(system: type[Any]) -> Iterator[str]:
    for name in ("name", "title", "credential", "parts", "settings", "declared"):
        if not getattr(system, name, None):
            yield f"`{name}` is missing"
    for name in ("promises", "send", "find", "status"):
        if not callable(getattr(system, name, None)):
            yield f"`{name}` is missing"
    name = str(getattr(system, "name", ""))
    if name == BOOKS or name in SYSTEMS or len(name) > 20:
        yield f"the name {name!r} is taken or too long"
    declared = getattr(system, "declared", None) or {}
    wanted = frozenset[str]().union(*(OPERATIONS[Part(part)] for part in getattr(system, "parts", None) or ()))
    yield from (f"`declared` says nothing of {operation}" for operation in sorted(wanted - set(declared)))
    for operation, promise in declared.items():
        yield from _promise_faults(operation, promise)


def _promise_faults(operation: str, promise: Any) -> Iterator[str]:
    unsaid = [field.name for field in fields(Capabilities) if not hasattr(promise, field.name)]
    if unsaid:
        yield f"{operation} leaves out {', '.join(unsaid)}"
        return
    if promise.reversibility not in get_args(Reversibility):
        yield f"{operation}: reversibility {promise.reversibility!r} is none"
    if promise.idempotency is not None and not _lasts(promise.idempotency):
        yield f"{operation}: idempotency needs a lifetime above zero, or None"
    if not isinstance(promise.look_up, bool):
        yield f"{operation}: look_up is yes or no"
    if not isinstance(promise.settling, timedelta) or (promise.look_up and not _lasts(promise.settling)):
        yield f"{operation}: settling needs a time above zero, since a call may be under way for longer than we wait"
    if not 0 < promise.read_seconds <= LONGEST_READ_SECONDS:
        yield f"{operation}: read_seconds is above 0 and at most {LONGEST_READ_SECONDS:g}"
    if not promise.calls_per_second > 0:
        yield f"{operation}: calls_per_second is above 0"


def _lasts(value: Any) -> bool:
    return isinstance(value, timedelta) and value > timedelta(0)


for _system in (HttpSystem, StripeSystem):
    register(_system)
