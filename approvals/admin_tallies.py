"""A backtest's tally in words, each figure with the way to the cases behind it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.urls import reverse

from approvals.backtest import BANDS, WAYS, Cell, Tally
from approvals.backtesting import Question
from portal import money

SALT = "countersign.backtest.cases"
WORDS = {
    "alone": "Passes by itself",
    "one": "One person",
    "two": "Two people",
    "never": "Nobody: denied, or a person's",
}
GROUPS = {"agent": "Agent", "amount": "Amount", "queue": "Queue"}


@dataclass(frozen=True, slots=True)
class Way:
    """One line of the result: how many went this way, and would have."""

    words: str
    now: int
    then: int

    @property
    def change(self) -> int:
        """More or fewer."""
        return self.then - self.now


@dataclass(frozen=True, slots=True)
class Move:
    """What goes from one way to another: how many, the money exposed, and what people had not let through as it was."""

    now: str
    then: str
    count: int
    href: str
    money: tuple[str, ...]
    regrets: tuple[tuple[str, int, str], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """The same of one agent, band of amounts or queue."""

    kind: str
    name: str
    now: str
    then: str
    count: int
    href: str


def shown(tally: Tally, asked: Question) -> dict[str, Any]:
    """What the page says of a whole tally."""
    sign = signing.dumps(asked.as_json(), salt=SALT, compress=True)

    def href(cell: Cell) -> str:
        given = {name: getattr(cell, name) for name in cell.__slots__ if getattr(cell, name)}
        return f"{reverse('admin:approvals_threshold_cases')}?{urlencode({**given, 'q': sign})}"

    return {
        "tally": tally,
        "ways": [Way(WORDS[way], tally.now(way), tally.then(way)) for way in WAYS],
        "moves": [_move(tally, Cell(now, then), href) for now, then in _moved(tally)],
        "places": [
            Place(GROUPS[kind], called(kind, name), WORDS[now], WORDS[then], count, href(Cell(now, then, kind, name)))
            for (kind, name, now, then), count in sorted(tally.groups.items())
        ],
        "regrets": sum(tally.regrets.values()),
    }  # fmt: skip


def question(workspace: int, sign: str) -> Question:
    """What a link asks.

    Raises:
        SuspiciousOperation: it is not ours, or of another workspace.
    """
    try:
        asked = Question.of_json(signing.loads(sign, salt=SALT))
    except signing.BadSignature as error:
        raise SuspiciousOperation("There is no such backtest.") from error
    if asked.workspace != workspace:
        raise SuspiciousOperation("This backtest is of another workspace.")
    return asked


def told(cell: Cell) -> str:
    """A cell in words."""
    words = f"From “{WORDS[cell.now]}” to “{WORDS[cell.then]}”"
    if cell.kind in GROUPS:
        words += f", {GROUPS[cell.kind].lower()}: {called(cell.kind, cell.name)}"
    return words + (f", {cell.outcome} by people" if cell.outcome else "")


def called(kind: str, name: str) -> str:
    """A place as people call it."""
    if kind == "amount":
        return _band(name)
    return name.replace("_", " ") or "in no queue"


def _moved(tally: Tally) -> Iterable[tuple[str, str]]:
    order = {str(way): number for number, way in enumerate(WAYS)}
    return sorted((key for key in tally.moves if key[0] != key[1]), key=lambda key: (order[key[1]], order[key[0]]))


def _move(tally: Tally, cell: Cell, href: Any) -> Move:
    sums: dict[str, int] = defaultdict(int)
    for (currency, now, then), minor in tally.money.items():
        if (now, then) == (cell.now, cell.then):
            sums[currency] += minor
    regrets = [
        (outcome, count, href(replace(cell, outcome=outcome)))
        for (now, outcome), count in sorted(tally.regrets.items())
        if cell.then == "alone" and now == cell.now
    ]
    return Move(
        WORDS[cell.now], WORDS[cell.then], tally.moves[cell.now, cell.then], href(cell),
        tuple(money.shown(minor, currency) for currency, minor in sorted(sums.items())), tuple(regrets),
    )  # fmt: skip


def _band(name: str) -> str:
    """`EUR:2` as people read it."""
    currency, _, place = name.partition(":")
    if not place:
        return "no money"
    number = int(place)
    if number == len(BANDS):
        return f"over {money.shown(BANDS[-1], currency)}"
    low = f"{money.to_text(BANDS[number - 1], currency)} – " if number else "up to "
    return low + money.shown(BANDS[number], currency)
