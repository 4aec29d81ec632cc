"""Which pieces of an order a request names. Pure.

Answers with rows and numbers of pieces, or with the problem that has to be asked about; it never guesses.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.refunds import naming, products, quantities
from agents.refunds.naming import Named
from agents.refunds.products import Catalogue, Fit
from agents.refunds.reading import Request
from portal.systems.records import Item, Order

Picked = tuple[tuple[Item, int], ...]
_WORD_BEFORE = re.compile(r"(\w+)\s+$")
_IN_COLOUR = re.compile(r"\s+in\s+(?:the\s+)?(\w+)", re.IGNORECASE)
_WORTHLESS_VALUES = frozenset({"yes", "no", "none", "one"})


@dataclass(frozen=True, slots=True)
class Pick:
    """Items with pieces. `problem` is "", or "items", "quantity", "not_in_order" with no rows."""

    rows: Picked = ()
    fit: Fit = Fit.EXACT
    problem: str = ""
    quotes: tuple[str, ...] = ()


def pick_all(request: Request, orders: Mapping[str, Order], known: Iterable[Item]) -> dict[str, Pick]:
    """A Pick per order id. `orders` maps spellings to orders; `known` are further rows of the sender."""
    own = {order.order_id: order for order in orders.values()}
    ordered = [item for order in own.values() for item in order.items]
    catalogue = products.list_products([*ordered, *known])
    named, doubt = naming.collect(request, catalogue, {item.product for item in ordered})
    shares: dict[str, list[Named]] = {order_id: [] for order_id in own}
    for one in named:
        home = naming.find_home(one, request.orders, orders)
        if home is None:
            return {order_id: Pick(problem="not_in_order", quotes=(one.quote,)) for order_id in own}
        shares[home].append(one)
    if doubt or (named and naming.is_doubtful(request, named)):
        return {order_id: Pick(problem="items") for order_id in own}
    return {
        order_id: _pick(request, order, shares[order_id], len(own) == 1, catalogue) for order_id, order in own.items()
    }


def names_part(request: Request, order: Order) -> bool:
    """True if the text names some but not all of an order's products, or fewer pieces than there are."""
    catalogue = products.list_products(order.items)
    named = [n for p in request.passages for n in naming.find_named(p, catalogue)]
    mentioned = {name for n in named for name in n.mention.names}
    counts = [
        (q, sum(i.quantity for i in order.items if i.product in n.mention.names))
        for n in named
        if (q := _count(n)) is not None
    ]
    fewer = any(0 <= count < pieces for count, pieces in counts)
    return fewer or (bool(mentioned) and mentioned != catalogue.names)


def _pick(request: Request, order: Order, named: Sequence[Named], alone: bool, catalogue: Catalogue) -> Pick:
    if not named:
        return _pick_without_name(request, order, catalogue) if alone else Pick(problem="items")
    groups: dict[tuple[tuple[str, ...], str], list[Named]] = {}
    for one in named:
        held = tuple(sorted({i.product for i in order.items} & set(one.mention.names)))
        groups.setdefault((held, one.bracket), []).append(one)
    several = len(groups) > 1
    picks = [_pick_product(order, held, group, several) for (held, _), group in groups.items()]
    problem = next((p.problem for p in picks if p.problem), "")
    rows = tuple(row for p in picks for row in p.rows)
    if len({item.line for item, _ in rows}) != len(rows):
        problem = problem or "items"
    fit = max((p.fit for p in picks), key=[Fit.EXACT, Fit.PART, Fit.SLIP].index)
    return Pick(() if problem else rows, fit, problem, tuple(q for p in picks for q in p.quotes))


def _pick_product(order: Order, held: tuple[str, ...], group: Sequence[Named], several: bool) -> Pick:
    quotes = tuple(n.quote for n in group[:1])
    fit = group[0].mention.fit
    if len(held) != 1:
        return Pick(problem="items", quotes=quotes)
    rows = [item for item in order.items if item.product == held[0]]
    fitting = [item for item in rows if all(_fits(item, rows, n) for n in group)]
    if not fitting:
        return Pick(problem="not_in_order", quotes=quotes)
    listed = sum(n.listed or n.passage.text.rstrip().endswith(";") for n in group)
    asked = next((q for n in group if (q := _count(n)) is not None), None)
    wanted = listed if asked is None and listed > 1 else asked
    if wanted == quantities.BOTH and several and sum(i.quantity for i in fitting) == 1:
        wanted = None
    rows_or_none, problem = quantities.choose(fitting, wanted, products.is_singular(group[0].quote))
    return Pick(rows_or_none, fit, problem, quotes)


def _count(named: Named) -> int | None:
    return quantities.find_count(named.passage.text, named.mention.start, named.mention.end)


def _fits(item: Item, rows: Sequence[Item], named: Named) -> bool:
    """Nothing said beside the product's name speaks against this row."""
    text, mention = named.passage.text, named.mention
    own = {v.casefold() for v in item.options.values()}
    bracket = named.bracket
    if bracket:
        values = {v.strip(" '\"").casefold() for v in re.split(r"[,:]", bracket)}
        every = {v.casefold() for row in rows for v in row.options.values()}
        if any(v not in own for v in values if v in every or products.is_colour(v)):
            return False
    colours = [
        m.group(1).casefold()
        for m in (_WORD_BEFORE.search(text[: mention.start]), _IN_COLOUR.match(text[mention.end :]))
        if m
    ]
    if any(products.is_colour(colour) and not any(colour in value for value in own) for colour in colours):
        return False
    return len(rows) == 1 or _is_described(item, rows, _surroundings(named))


def _surroundings(named: Named) -> str:
    text = named.passage.text
    start = max(text.rfind(",", 0, named.mention.start), text.rfind(" and ", 0, named.mention.start), 0)
    stop = re.search(r",|\band\b|\(", text[named.mention.end :])
    return text[start : named.mention.end + (stop.start() if stop else len(text))]


def _is_described(item: Item, rows: Sequence[Item], text: str) -> bool:
    """False if the words fit another row better than this one."""
    return _score(item, text) == max(_score(row, text) for row in rows)


def _score(item: Item, text: str) -> int:
    words = {v.casefold() for v in item.options.values()} - _WORTHLESS_VALUES
    return sum(bool(re.search(rf"(?<!\w){re.escape(v)}(?!\w)", text, re.IGNORECASE)) for v in words if len(v) > 2)


def _pick_without_name(request: Request, order: Order, catalogue: Catalogue) -> Pick:
    text = " ".join(p.text for p in request.passages)
    asked = " ".join(p.text for p in request.asked)
    if naming.ALL.search(text):
        kept = any(products.find_mentions(p.text, catalogue) for p in request.passages)
        return Pick(problem="items") if kept else Pick(tuple((i, i.quantity) for i in order.items))
    if naming.means_one(request):
        return _pick_by_description(request, order, asked, catalogue)
    single = len(order.items) == 1 and order.items[0].quantity == 1
    if single and naming.means_whole(request, order):
        return Pick(((order.items[0], 1),), Fit.PART)
    return Pick(problem="items")


def _pick_by_description(request: Request, order: Order, asked: str, catalogue: Catalogue) -> Pick:
    """'The blue one': the only row whose options the words name."""
    context = {n for p in request.around for m in products.find_mentions(p.text, catalogue) for n in m.names}
    rows = [i for i in order.items if not context or i.product in context]
    scored = [row for row in rows if _score(row, asked)]
    if len(scored) > 1:
        best = max(_score(row, asked) for row in scored)
        scored = [row for row in scored if _score(row, asked) == best]
    if len(scored) != 1 or scored[0].quantity != 1:
        return Pick(problem="items")
    return Pick(((scored[0], 1),), Fit.PART)
