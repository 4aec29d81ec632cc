"""A revision's bytes as rows of a page: before and after per field, each outward effect in full. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals import marks, wording
from approvals.diff import ABSENT, Change, Fit
from approvals.marks import Piece
from approvals.vocabulary import METHODS
from portal import figures, retold
from portal.systems.records import Order, PaymentMethod

# Fields whose lines the books write, amounts and all; what is in another was written by somebody.
RECORDED = frozenset({"payments"})


@dataclass(frozen=True, slots=True)
class FieldRow:
    """One changed field. `now` and `fit` are there where the record is looked at again.

    `earlier` is what the revision before proposed, where that was another: the value that was there where it left it.
    """

    label: str
    before: tuple[Piece, ...]
    after: tuple[Piece, ...]
    absent_before: bool = False
    absent_after: bool = False
    now: tuple[Piece, ...] | None = None
    fit: str = ""
    name: str = ""
    earlier: tuple[Piece, ...] | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What reaches somebody outside: `facts` are label and value, `text` is sent to the letter; `names` its fields.

    `earlier` is the text before an edit, `was` the facts that were others then.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    text: tuple[Piece, ...] = ()
    clauses: tuple[str, ...] = ()
    earlier: tuple[Piece, ...] = ()
    names: tuple[str, ...] = ()
    was: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """Records that put names to ids; empty where there are none."""

    orders: Mapping[str, Order] = field(default_factory=dict)
    methods: Mapping[str, PaymentMethod] = field(default_factory=dict)
    queues: Mapping[str, str] = field(default_factory=dict)


def fields(
    changes: Sequence[Change],
    books: Books,
    now: Mapping[str, Any] | None = None,
    fits: Mapping[str, Fit] | None = None,
    earlier: Sequence[Change] | None = None,
) -> tuple[FieldRow, ...]:
    """One row per change; with `now`, the third column. Queues by their title, contacts as on a card.

    `earlier` are the changes of the revision before; what an edit left out again is a row that changes nothing.
    """
    old = {change.field: change for change in earlier or ()}
    there = {change.field for change in changes}
    left_out = [replace(change, after=change.before) for name, change in old.items() if name not in there]
    shown = sorted([*changes, *left_out], key=lambda change: wording.place(change.field))
    rows = (_row(change, books, now, fits or {}) for change in shown)
    if earlier is None:
        return tuple(rows)
    return tuple(
        replace(row, earlier=_proposed(old.get(change.field), change, books))
        for row, change in zip(rows, shown, strict=True)
    )


def _proposed(old: Change | None, change: Change, books: Books) -> tuple[Piece, ...] | None:
    """What was to stand there before the edit; None where it is the same."""
    was = change.before if old is None else old.after
    if was == change.after and (was is ABSENT) == (change.after is ABSENT):
        return None
    return marks.spell(_named(change.field, _text(was), books))


def _named(field: str, text: str, books: Books) -> str:
    """A value as people know it: a queue by its title, what a ticket or an order is by its word."""
    if field == "queue":
        return books.queues.get(text, text)
    return wording.status(text) if field == "status" else text


def unchanged(changes: Sequence[Change], record: Mapping[str, Any], books: Books) -> tuple[tuple[str, str], ...]:
    """What else the record holds that the same action could set, as labels and values: it stays as it is."""
    there = {change.field for change in changes}
    names = sorted((name for name in record if name not in there), key=lambda name: (wording.place(name), name))
    values = {name: _text(record[name]) for name in names}
    return tuple((wording.field(name), _named(name, text, books)) for name, text in values.items() if text)


def _row(change: Change, books: Books, now: Mapping[str, Any] | None, fits: Mapping[str, Fit]) -> FieldRow:
    before, after = (_named(change.field, _text(side), books) for side in (change.before, change.after))
    if change.field in RECORDED:
        before, after, change = figures.amounts(before), figures.amounts(after), _told(change)
    left, right = _lines(change) if _is_list(change) else marks.compare(before, after)
    there = None if now is None else _text(now.get(change.field, ABSENT))
    if there is not None and change.field in RECORDED:
        there = figures.amounts(there)
    present = None if there is None else marks.spell(_named(change.field, there, books))
    return FieldRow(
        wording.field(change.field),
        left,
        right,
        not before,
        not after,
        present,
        str(fits.get(change.field, "")),
        change.field,
    )


def _told(change: Change) -> Change:
    """Lines that the books write, with their amounts as the reader writes them."""
    sides = (
        [figures.amounts(str(line)) for line in side] if isinstance(side, list) else side
        for side in (change.before, change.after)
    )  # fmt: skip
    return Change(change.field, change.op, *sides)


def _is_list(change: Change) -> bool:
    return isinstance(change.after, list) or isinstance(change.before, list)


def _lines(change: Change) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Lists line by line: what both sides hold stays unmarked."""
    before = [] if change.before is ABSENT else list(change.before or ())
    after = [] if change.after is ABSENT else list(change.after or ())
    return _side(before, after, "gone"), _side(after, before, "new")


def _side(values: Sequence[Any], other: Sequence[Any], mark: marks.Mark) -> tuple[Piece, ...]:
    rest = list(other)
    pieces: list[Piece] = []
    for value in values:
        known = value in rest
        if known:
            rest.remove(value)
        pieces += [*marks.spell(str(value), "same" if known else mark), Piece("same", "\n")]
    return tuple(pieces[:-1])


def _text(value: Any) -> str:
    return "" if value is ABSENT else wording.plain(value)


def effects(
    values: Sequence[Mapping[str, Any]], books: Books, earlier: Sequence[Mapping[str, Any]] = ()
) -> tuple[Effect, ...]:
    """Each effect; `earlier` are those of the revision before, for the words an edit changed."""
    old = {value.get("kind"): value for value in earlier}
    return tuple(_effect(value, books, old.get(value.get("kind"))) for value in values)


def _effect(value: Mapping[str, Any], books: Books, old: Mapping[str, Any] | None) -> Effect:
    match value.get("kind"):
        case "reply":
            return _reply(value, old)
        case "refund":
            return _refund(value, books, old)
    known = {name: wording.plain(inner) for name, inner in value.items() if name != "kind"}
    return Effect(wording.field(str(value.get("kind"))), tuple((wording.field(n), text) for n, text in known.items()))


def _reply(value: Mapping[str, Any], old: Mapping[str, Any] | None) -> Effect:
    body = str(value["body"])
    edited = old is not None and old.get("body") != body
    left, right = marks.compare(str(old["body"]), body) if old and edited else ((), marks.spell(body))
    return Effect(
        _("Message to the customer on %(ticket)s") % {"ticket": value["ticket"]},
        text=right,
        clauses=tuple(value["clauses"]),
        earlier=left,
        names=("body",),
    )


def _refund(value: Mapping[str, Any], books: Books, old: Mapping[str, Any] | None) -> Effect:
    facts, before = _refund_facts(value, books), _refund_facts(old, books) if old else []
    was = tuple(fact for fact in before if fact not in facts)
    return Effect(_("Money back"), tuple(facts), names=("to", "amount_minor"), was=was)


def _refund_facts(value: Mapping[str, Any], books: Books) -> list[tuple[str, str]]:
    order, cancels = books.orders.get(value["order"]), value["for"] == "cancel"
    facts = [
        (_("Amount"), wording.amount(value["amount_minor"], value["currency"])),
        (pgettext("of money", "To"), method(value["to"], books)),
        (_("Order"), (_("%(order)s, for a cancellation") if cancels else _("%(order)s, for a return")) % value),
        (pgettext("of an order", "Items"), "\n".join(items(value["items"], order))),
    ]
    if value.get("reason"):
        facts.append((_("Reason"), retold.say(value["reason"])))
    return facts


def items(ids: Sequence[str], order: Order | None) -> list[str]:
    """Pieces by name and price where the order is known; the ids stay beside them."""
    known = {item.item_id: item for item in order.items} if order else {}
    lines = []
    for key in dict.fromkeys(ids):
        pieces, item = ids.count(key), known.get(key)
        if item is None or order is None:
            lines.append(f"{pieces} × {key}")
        else:
            price = wording.amount(item.unit_price_minor, order.currency)
            told = {"count": pieces, "what": f"{item.product}{options(item.options)}", "price": price, "id": key}
            lines.append(_("%(count)s × %(what)s, %(price)s each (%(id)s)") % told)
    return lines


def options(chosen: Mapping[str, str]) -> str:
    """What was chosen of a product, in brackets."""
    return f" ({', '.join(str(value) for value in chosen.values())})" if chosen else ""


def method(key: str, books: Books) -> str:
    """A payment method as people know it, with its id."""
    known = books.methods.get(key)
    if known is None:
        return key
    parts = [known.brand.capitalize() if known.brand else _kind(known.kind)]
    if known.last_four:
        parts.append(_("ending %(digits)s") % {"digits": known.last_four})
    return f"{' '.join(parts)} ({key})"


def _kind(kind: str) -> str:
    return _(METHODS[kind]) if kind in METHODS else kind.replace("_", " ").capitalize()


def joined(pieces: Sequence[Piece]) -> str:
    """Pieces as the text they were."""
    return "".join(piece.text for piece in pieces)


def texts(changes: Sequence[Change], values: Sequence[Mapping[str, Any]]) -> list[str]:
    """Every text that would be written, for warnings."""
    written = [_text(change.after) for change in changes]
    return written + [str(value["body"]) for value in values if "body" in value]
