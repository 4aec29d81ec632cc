"""What thresholds would have decided about past writes, beside what people decided about them. Pure.

Only thresholds change: what Cedar forbade stays forbidden, whoever asks. Nothing here is written or sent.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from approvals import risk

Way = Literal["alone", "one", "two", "never"]
WAYS: tuple[Way, ...] = ("alone", "one", "two", "never")
REGRETS = ("rejected", "edited", "undone")
"""What people did to a proposal that nobody, or fewer people, would have seen."""
FEWER = {(now, then) for place, now in enumerate(WAYS) for then in WAYS[:place]}
"""Moves (now, then) to where fewer people see a write."""
PEOPLE = "people"
"""Where what people proposed is counted, among the agents."""
BANDS = (2_500, 10_000, 25_000, 50_000, 100_000)
"""Upper edges, in minor units, of the amounts that are told apart."""


@dataclass(frozen=True, slots=True)
class Past:
    """One write that came to the gate: `item` names it (`proposal:12`), `outcome` what became of it.

    `denied` says that Cedar forbade it.
    """

    item: str
    write: risk.Write
    denied: bool
    outcome: str
    team: str = ""

    @property
    def places(self) -> tuple[tuple[str, str], ...]:
        """Where it is counted: by agent, band of amounts, queue."""
        return ("agent", self.write.agent or PEOPLE), ("amount", band(self.write)), ("queue", self.team)


@dataclass(frozen=True, slots=True)
class Cell:
    """Some of the past: what goes (now, then) this way, in one place, with one outcome; "" is any."""

    now: str
    then: str
    kind: str = ""
    name: str = ""
    outcome: str = ""

    def holds(self, past: Past, now: str, then: str) -> bool:
        """Whether a write that goes so is among them."""
        if (now, then) != (self.now, self.then) or self.outcome not in ("", past.outcome):
            return False
        return not self.kind or (self.kind, self.name) in past.places


class Judge:
    """`risk.judge` by several sets of thresholds, for many writes: asked once for all that no threshold tells apart."""

    def __init__(self, *sets: Sequence[risk.Rule]) -> None:
        self._sets = sets
        edges = (edge for rules in sets for rule in rules for edge in (rule.above_minor, rule.up_to_minor))
        self._edges = sorted({edge for edge in edges if edge is not None})
        self._known: dict[tuple[Any, ...], tuple[Way, ...]] = {}

    def ways(self, past: Past) -> tuple[Way, ...]:
        """Which way the write would have gone by each set."""
        write = past.write
        band = None if write.amount_minor is None else bisect_left(self._edges, write.amount_minor)
        key = (
            write.action, write.proposer_kind, write.agent, write.currency, band, write.confidence_pct,
            write.reversible, write.flags, past.denied,
        )  # fmt: skip
        if (ways := self._known.get(key)) is None:
            ways = self._known[key] = tuple(
                "never" if past.denied else way_of(risk.judge(rules, write)) for rules in self._sets
            )
        return ways


def way_of(verdict: risk.Verdict) -> Way:
    """The verdict in one word."""
    return WAYS[verdict.people] if verdict.allowed else "never"


@dataclass
class Tally:
    """What a backtest has counted so far.

    `moves` by (now, then), `money` by (currency, now, then), `groups` by (kind, name, now, then), `regrets` of what
    fewer people would see by (now, then, outcome).
    """

    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    money: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    groups: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    regrets: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """Writes that were looked at."""
        return sum(self.moves.values())

    @property
    def moved(self) -> int:
        """Writes that would have gone another way."""
        return sum(count for (now, then), count in self.moves.items() if now != then)

    def now(self, way: str) -> int:
        """How many go this way by the thresholds in force."""
        return sum(count for (now, _), count in self.moves.items() if now == way)

    def then(self, way: str) -> int:
        """How many would have gone this way."""
        return sum(count for (_, then), count in self.moves.items() if then == way)

    def add(self, pasts: Iterable[Past], judge: Judge) -> None:
        """Count more writes, by a judge of the thresholds in force and of those proposed."""
        for past in pasts:
            now, then = judge.ways(past)
            self.moves[now, then] += 1
            if now == then:
                continue
            write = past.write
            if write.amount_minor is not None:
                self.money[write.currency, now, then] += write.amount_minor
            for kind, name in past.places:
                self.groups[kind, name, now, then] += 1
            if past.outcome in REGRETS and (now, then) in FEWER:
                self.regrets[now, then, past.outcome] += 1

    def regretted(self, *, alone: bool) -> int:
        """How many people had not let through as they were, of what would pass by itself, or of the rest."""
        return sum(count for (_, then, _), count in self.regrets.items() if (then == "alone") == alone)

    def as_json(self) -> dict[str, Any]:
        """For going on with the next part, and to keep."""
        return {name: [[*key, count] for key, count in getattr(self, name).items()] for name in _COUNTED}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Tally":
        """What `as_json` kept; what was kept before more than nobody was counted says (now, outcome)."""
        kept: Mapping[str, Any] = {
            name: Counter({tuple(key): count for *key, count in value[name]}) for name in _COUNTED
        }
        regrets = {key if len(key) == 3 else (key[0], "alone", key[1]): n for key, n in kept["regrets"].items()}
        return cls(**{**kept, "regrets": Counter(regrets)})


_COUNTED = ("moves", "money", "groups", "regrets")


def band(write: risk.Write) -> str:
    """The band of amounts a write is counted in; `up to 100.00`-like words are the page's."""
    if write.amount_minor is None:
        return ""
    place = bisect_left(BANDS, write.amount_minor)
    return f"{write.currency}:{place}"
