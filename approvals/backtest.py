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
"""What people did to a proposal that nobody would have seen."""
SHOWN = 200
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


class Judge:
    """`risk.judge` for many writes: asked once for all that no threshold tells apart."""

    def __init__(self, rules: Sequence[risk.Rule]) -> None:
        self._rules = rules
        self._edges = sorted(
            {edge for rule in rules for edge in (rule.above_minor, rule.up_to_minor) if edge is not None}
        )
        self._known: dict[tuple[Any, ...], Way] = {}

    def way(self, past: Past) -> Way:
        """Which way the write would have gone."""
        if past.denied:
            return "never"
        write = past.write
        band = None if write.amount_minor is None else bisect_left(self._edges, write.amount_minor)
        key = (
            write.action, write.proposer_kind, write.agent, write.currency, band, write.confidence_pct,
            write.reversible, write.flags,
        )  # fmt: skip
        if key not in self._known:
            self._known[key] = way_of(risk.judge(self._rules, write))
        return self._known[key]


def way_of(verdict: risk.Verdict) -> Way:
    """The verdict in one word."""
    return WAYS[verdict.people] if verdict.allowed else "never"


@dataclass
class Tally:
    """What a backtest has counted so far; `moves` by (now, then), `groups` by (kind, name, now, then)."""

    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    money: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    groups: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    regrets: Counter[str] = field(default_factory=Counter)
    shown: list[tuple[str, str]] = field(default_factory=list)

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

    def add(self, pasts: Iterable[Past], *, in_force: Judge, proposed: Judge) -> None:
        """Count more writes."""
        for past in pasts:
            now, then = in_force.way(past), proposed.way(past)
            self.moves[now, then] += 1
            if now == then:
                continue
            write = past.write
            if write.amount_minor is not None:
                self.money[write.currency, now, then] += write.amount_minor
            for kind, name in (("agent", write.agent or "people"), ("amount", band(write)), ("queue", past.team)):
                self.groups[kind, name, now, then] += 1
            if then == "alone" and past.outcome in REGRETS:
                self.regrets[past.outcome] += 1
                if len(self.shown) < SHOWN:
                    self.shown.append((past.item, past.outcome))

    def as_json(self) -> dict[str, Any]:
        """For going on with the next part."""
        return {
            name: [[*key, count] for key, count in getattr(self, name).items()] for name in ("moves", "money", "groups")
        } | {"regrets": dict(self.regrets), "shown": [list(each) for each in self.shown]}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Tally":
        """What `as_json` kept."""
        moves, money, groups = (
            Counter({tuple(key): count for *key, count in value[name]}) for name in ("moves", "money", "groups")
        )
        shown = [(item, outcome) for item, outcome in value["shown"]]
        return cls(moves, money, groups, Counter(value["regrets"]), shown)


def band(write: risk.Write) -> str:
    """The band of amounts a write is counted in; `up to 100.00`-like words are the page's."""
    if write.amount_minor is None:
        return ""
    place = bisect_left(BANDS, write.amount_minor)
    return f"{write.currency}:{place}"
