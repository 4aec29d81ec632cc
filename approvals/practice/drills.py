"""What a practice item is made of, and which there are: invented records around one change, right or off. Pure.

A drill is made again from its name and seed whenever it is shown; no bytes of it are kept that anything could apply.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from approvals.diff import Change
from portal.systems.records import Clause, Contact, Customer, Order, PaymentMethod, Ticket

T = TypeVar("T")
HAND, LEAST_PLANTED = 5, 2


@dataclass(frozen=True, slots=True)
class Drill:
    """One invented case; `wrong` says what is off, in words for who learns, and is "" where nothing is."""

    title: str
    summary: str
    justification: str
    changes: tuple[Change, ...] = ()
    effects: tuple[Mapping[str, Any], ...] = ()
    ticket: Ticket | None = None
    customer: Customer | None = None
    contact: Contact | None = None
    order: Order | None = None
    methods: tuple[PaymentMethod, ...] = ()
    clauses: tuple[Clause, ...] = ()
    cites: tuple[tuple[str, str, str], ...] = ()
    wrong: str = ""


class Draw:
    """The same choices for the same seed, everywhere."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def number(self, name: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        drawn = hashlib.sha256(f"{self.seed}:{name}".encode()).digest()
        return low + int.from_bytes(drawn[:8]) % (high - low + 1)

    def pick(self, name: str, of: Sequence[T]) -> T:
        """One of several."""
        return of[self.number(name, 0, len(of) - 1)]

    def shuffled(self, name: str, of: Sequence[T]) -> list[T]:
        """All of them in an order of this seed."""
        return [one for _, one in sorted((self.number(f"{name}.{at}", 0, 2**60), one) for at, one in enumerate(of))]


Maker = Callable[[Draw, bool], Drill]


def hand(seed: int, names: Sequence[str], *, size: int = HAND) -> list[tuple[str, int, bool]]:
    """What is dealt at once: name, seed and whether it is planted; two or three of five are, nobody knows which."""
    draw = Draw(seed)
    chosen = draw.shuffled("drills", sorted(names))[:size]
    planted = set(draw.shuffled("planted", range(len(chosen)))[: draw.number("how many", LEAST_PLANTED, size - 2)])
    return [(name, draw.number(f"seed.{at}", 0, 2**31 - 1), at in planted) for at, name in enumerate(chosen)]
