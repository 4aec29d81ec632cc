"""A backtest's tally in words, each figure with the way to the cases behind it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals.backtest import BANDS, PEOPLE, WAYS, Cell, Tally
from approvals.backtesting import Question
from portal import money
from portal.figures import figure
from portal.models import Queue

SALT = "countersign.backtest.cases"
WORDS = {
    "alone": noop("Passes by itself"),
    "one": noop("One person"),
    "two": noop("Two people"),
    "never": noop("Nobody: denied, or a person's"),
}
GROUPS = {"agent": noop("Agent"), "amount": noop("Amount"), "queue": noop("Queue")}
SAID_GROUPS = {
    "agent": noop("From “%(now)s” to “%(then)s”, agent: %(name)s"),
    "amount": noop("From “%(now)s” to “%(then)s”, amount: %(name)s"),
    "queue": noop("From “%(now)s” to “%(then)s”, queue: %(name)s"),
}
OUTCOMES = {
    "pending": noop("pending"), "approved": noop("approved"), "applying": noop("applying"), "applied": noop("applied"),
    "denied": noop("denied"), "stale": noop("stale"), "rejected": noop("rejected"), "expired": noop("expired"),
    "withdrawn": noop("withdrawn"), "failed": noop("failed"), "unknown": noop("unknown"), "edited": noop("edited"),
    "undone": noop("undone"), "open": noop("open"), "resolved": noop("resolved"),
    "person": noop("given to a person"),
}  # fmt: skip


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
    sign, known = signing.dumps(asked.as_json(), salt=SALT, compress=True), titles(asked.workspace)

    def href(cell: Cell) -> str:
        given = {name: getattr(cell, name) for name in cell.__slots__ if getattr(cell, name)}
        return f"{reverse('admin:approvals_threshold_cases')}?{urlencode({**given, 'q': sign})}"

    return {
        "tally": tally,
        "ways": [Way(_(WORDS[way]), tally.now(way), tally.then(way)) for way in WAYS],
        "moves": [_move(tally, Cell(now, then), href) for now, then in _moved(tally)],
        "places": [
            _place(Cell(now, then, kind, name), count, href, known)
            for (kind, name, now, then), count in sorted(tally.groups.items())
        ],
        "unseen": tally.regretted(alone=True),
        "fewer": tally.regretted(alone=False),
    }


def question(workspace: int, sign: str) -> Question:
    """What a link asks.

    Raises:
        SuspiciousOperation: it is not ours, or of another workspace.
    """
    try:
        asked = Question.of_json(signing.loads(sign, salt=SALT))
    except signing.BadSignature as error:
        raise SuspiciousOperation(_("There is no such backtest.")) from error
    if asked.workspace != workspace:
        raise SuspiciousOperation(_("This backtest is of another workspace."))
    return asked


def titles(workspace: int) -> dict[str, str]:
    """What the queues of a workspace are called."""
    return dict(Queue.objects.filter(workspace=workspace).values_list("name", "title"))


def told(cell: Cell, titles: Mapping[str, str]) -> str:
    """A cell in words."""
    words = {"now": _(WORDS[cell.now]), "then": _(WORDS[cell.then])}
    if cell.kind in GROUPS:
        said = _(SAID_GROUPS[cell.kind]) % {**words, "name": called(cell.kind, cell.name, titles)}
    else:
        said = _("From “%(now)s” to “%(then)s”") % words
    if not cell.outcome:
        return said
    return _("%(figure)s, %(outcome)s by people") % {"figure": said, "outcome": outcome(cell.outcome)}


def outcome(name: str) -> str:
    """What became of a write, in a word."""
    return _(OUTCOMES[name]) if name in OUTCOMES else name


def called(kind: str, name: str, titles: Mapping[str, str]) -> str:
    """A place as people call it."""
    match kind:
        case "amount":
            return _band(name)
        case "agent":
            return _("people") if name == PEOPLE else name.replace("_", " ")
    return queue(name, titles) or _("in no queue")


def queue(name: str, titles: Mapping[str, str]) -> str:
    """A queue by its title; one that is there no more by its name."""
    return titles.get(name, name.replace("_", " "))


def _moved(tally: Tally) -> Iterable[tuple[str, str]]:
    order = {str(way): number for number, way in enumerate(WAYS)}
    return sorted((key for key in tally.moves if key[0] != key[1]), key=lambda key: (order[key[1]], order[key[0]]))


def _place(cell: Cell, count: int, href: Any, titles: Mapping[str, str]) -> Place:
    words = _(WORDS[cell.now]), _(WORDS[cell.then])
    return Place(_(GROUPS[cell.kind]), called(cell.kind, cell.name, titles), *words, count, href(cell))


def _move(tally: Tally, cell: Cell, href: Any) -> Move:
    sums: dict[str, int] = defaultdict(int)
    for (currency, now, then), minor in tally.money.items():
        if (now, then) == (cell.now, cell.then):
            sums[currency] += minor
    regrets = [
        (outcome(ended), count, href(replace(cell, outcome=ended)))
        for (now, then, ended), count in sorted(tally.regrets.items())
        if (now, then) == (cell.now, cell.then)
    ]
    return Move(
        _(WORDS[cell.now]), _(WORDS[cell.then]), tally.moves[cell.now, cell.then], href(cell),
        tuple(money.shown(minor, currency) for currency, minor in sorted(sums.items())), tuple(regrets),
    )  # fmt: skip


def _band(name: str) -> str:
    """`EUR:2` as people read it."""
    currency, _colon, place = name.partition(":")
    if not place:
        return _("no money")
    number = int(place)
    if number == len(BANDS):
        return _("over %(amount)s") % {"amount": figure(money.shown(BANDS[-1], currency))}
    high = figure(money.shown(BANDS[number], currency))
    if not number:
        return _("up to %(amount)s") % {"amount": high}
    return f"{figure(money.to_text(BANDS[number - 1], currency))} – {high}"
