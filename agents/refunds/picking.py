"""Which pieces of an order a request names. Pure.

Answers with rows and numbers of pieces, or with the problem that has to be asked about; it never guesses.
"""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.refunds import products, quantities
from agents.refunds.passages import Passage
from agents.refunds.products import Catalogue, Fit, Mention
from agents.refunds.reading import OrderMention, Request
from portal.systems.records import Item, Order

Picked = tuple[tuple[Item, int], ...]

_DETERMINER = r"(?:the|my|our|a|an|both|these|those|this|that)\s+"
_GENERIC = (
    r"(?:(?:whole|entire|complete|full|above|following|one|other)\s+)?(?:order|item|items|article|articles|product|products|purchase|"
    r"parcel|package|stuff|lot|things?|goods|refund|money|amount|payment|credit|sum|total|price|cost|reason|way|card|account|visa|"
    r"mastercard|paypal|gift|method|same|original|following|above|ones?|label|process|deal|day|time|"
    r"back|of\s+them|to|on|onto|via|and|please)\b"
)
_VERB = r"(?:return(?:ing)?|retrun|refund|back|reimburse|(?:send|give|take|bring)(?:ing)?(?:\s+back)?)"
_OBJECT = re.compile(rf"\b{_VERB}\s+(?:me\s+)?(?:for\s+|of\s+)?{_DETERMINER}(?!{_GENERIC})", re.IGNORECASE)
_OF_ORDER = re.compile(
    rf"\b{_DETERMINER}(?!{_GENERIC})(?P<noun>(?:[\w'-]{{1,24}}\s+){{1,4}}?)(?:from|in|of|out\s+of)\s+(?:my\s+|the\s+)?(?:order\b|#|\Z)",
    re.IGNORECASE,
)
_CONJUNCT = re.compile(
    rf"\s*(?:\([^)]{{0,160}}\))?\s*(?:,\s*and|,|and|&|\+|plus|as\s+well\s+as)\s+(?:also\s+)?(?:{_DETERMINER})(?!{_GENERIC})",
    re.IGNORECASE,
)
_KEPT = re.compile(
    r"(?:\bkeep(?:ing)?|\bexcept(?:\s+for)?|\bapart\s+from|\bbut\s+not|\bother\s+than|\bnot|\bunlike|\binstead\s+of)\s+"
    r"(?:the\s+|my\s+|our\s+|both\s+|of\s+|those\s+|these\s+)*(?:[\w-]{1,16}\s+)?$",
    re.IGNORECASE,
)
_UNKEPT = re.compile(
    r"(?:n'?t|\bnot|\bno\s+longer)\s+(?:[\w']{1,12}\s+){0,3}keep(?:ing)?\s[^.]{0,40}$", re.IGNORECASE
)
_CONTENT = re.compile(
    r"\b(?:don'?t|do\s+not|never)\s+(?:\w{1,10}\s+){0,2}(?:refund|return|send)\b|"
    r"(?<!not )(?<!n't )\b(?:love|loves|loved|great|perfect|happy|fine|lovely|enjoy\w*|wonderful|keep|keeping|kept|excellent|ok|okay|good(?!\s+(?:day|morning|afternoon|evening)))\b",
    re.IGNORECASE,
)
_BOUGHT = re.compile(
    r"\b(?:ordered|bought|purchased|got|received|contained|came\s+with|holds)\b", re.IGNORECASE
)
_ORDER_WITH = re.compile(r"\border\b[^.;:]{0,20}\b(?:with|containing|including|consisting)\b", re.IGNORECASE)
_ALL_OF_THEM = re.compile(r"\b(?:both|all|them|everything|these|those|each)\b", re.IGNORECASE)
_FROM = re.compile(
    r"\s*(?:\([^)]{0,160}\))?\s*[(,]?\s*(?:from|in|of|out\s+of|with)?\s*(?:my\s+|the\s+)?(?:order\s*)?(?:no\.?|number|nr\.?)?\s*#?",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"(?:\s|[,&+/()#.:*-]|\d|\b(?:and|also|plus|as|well|the|my|our|a|an|both|one|two|three|four|five|of|those|these|from|in|order|orders|"
    r"number|no|nr|to|on|onto|via|pay|paypal|gift|credit|card|visa|mastercard|[a-z]{1,4}-?\d{3,12}|[a-z]+_\w+|x|out|pieces?|too|it|"
    r"black|white|red|blue|green|yellow|orange|purple|pink|brown|gr[ae]y|silver|gold|beige|navy|small|large|big|old|new)\b)*",
    re.IGNORECASE,
)
_PART_OF = re.compile(
    r"\b([\w']+)\s+(?:from|of|off|for|inside|belonging\s+to|on)\s+(?:the|my|this|that|our)\s+(?:\w{2,12}\s+)?$",
    re.IGNORECASE,
)
_WHOLE_OF = re.compile(
    r"(?:refund(?:ed)?|return\w*|money|back|reimburse\w*|one|two|three|four|five|six|\d+|pieces?|units?|all|both|some|any|cost|price|amount|"
    r"pay|paid|out|both|most|copies|sum|credit)$",
    re.IGNORECASE,
)
_ADDED = re.compile(r"\b(?:also|too|plus|as\s+well|additionally|and)\b", re.IGNORECASE)
_ALL = re.compile(
    r"\beverything\b|\ball\s+(?:of\s+)?(?:it|them|these|the|\w+)?\s*(?:items?|articles?|products?|things?|pieces?)\b|\ball\s+of\s+(?:it|them)\b|"
    r"\b(?:whole|entire|complete|full)\s+(?:order|lot|purchase|parcel|thing)\b|\bthe\s+lot\b|\bcompletely\b",
    re.IGNORECASE,
)
_ORDER_ITSELF = re.compile(
    rf"\b{_VERB}\s+(?:back\s+)?(?:for\s+)?(?:(?:my|the|this|that|whole|entire)\s+)*(?:order|purchase|parcel|package|item|article|product|it\b|this\b|#|[A-Z]{{1,4}}-?\d|\d{{5}})"
    r"|\border\b[^.]{0,60}\b(?:should\s+|must\s+|needs?\s+to\s+)?go(?:es|ing)?\s+back|\b(?:it|this|this\s+order)\s+back\b",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:one|ones)\b", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"(\w+)\s+$")
_IN_COLOUR = re.compile(r"\s+in\s+(?:the\s+)?(\w+)", re.IGNORECASE)
_WORTHLESS_VALUES = frozenset({"yes", "no", "none", "one"})


@dataclass(frozen=True, slots=True)
class Pick:
    """`rows` are items with pieces. `problem` is "", "items", "quantity" or "not_in_order"; then rows are void."""

    rows: Picked = ()
    fit: Fit = Fit.EXACT
    problem: str = ""
    quotes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Named:
    """A product mention in its passage; `listed` if the passage is nothing but an entry of a list."""

    passage: Passage
    mention: Mention
    listed: bool = False

    @property
    def at(self) -> int:
        return self.passage.start + self.mention.start


def pick_all(request: Request, orders: Mapping[str, Order], known: Iterable[Item]) -> dict[str, Pick]:
    """A Pick per order id. `orders` maps spellings of the request to orders; `known` are further rows of the sender."""
    own = {order.order_id: order for order in orders.values()}
    ordered = [item for order in own.values() for item in order.items]
    catalogue = products.list_products([*ordered, *known])
    named, doubt = _collect(request, catalogue, {item.product for item in ordered})
    shares: dict[str, list[_Named]] = {order_id: [] for order_id in own}
    for one in named:
        home = _find_home(one, request.orders, orders)
        if home is None:
            return {order_id: Pick(problem="not_in_order", quotes=(_quote(one),)) for order_id in own}
        shares[home].append(one)
    if doubt or (named and _is_doubtful(request, named)):
        return {order_id: Pick(problem="items") for order_id in own}
    return {
        order_id: _pick(request, order, shares[order_id], len(own) == 1, catalogue)
        for order_id, order in own.items()
    }


def _is_doubtful(request: Request, named: Sequence[_Named]) -> bool:
    """True if the wish says more about the products than that they go back."""
    asked = [p for p in request.asked if any(n.passage == p for n in named)]
    told = [p for p in request.around if any(n.passage == p for n in named)]
    some = not asked and len(named) > 1 and not _ALL_OF_THEM.search(" ".join(p.text for p in request.asked))
    return (
        _has_unknown(request, named)
        or any(_ORDER_WITH.search(p.text) or _is_tangled(p, named) for p in asked)
        or (some and any(_BOUGHT.search(p.text) or _is_tangled(p, named) for p in told))
    )


def _collect(request: Request, catalogue: Catalogue, ordered: set[str]) -> tuple[list[_Named], bool]:
    """Products the request is about, and whether another product of the orders makes that doubtful."""
    asked = [n for p in request.asked for n in _mentions(p, catalogue) if not _is_kept(n)]
    around = [n for p in request.around for n in _mentions(p, catalogue) if not _is_kept(n)]
    listed = [n for n in around if n.listed]
    if _has_stray_entry(request, around):
        return asked, True
    if not asked and not listed:
        if _ONE.search(" ".join(p.text for p in request.asked)):
            return [], False
        return [n for n in around if not _CONTENT.search(n.passage.text)], False
    about = {name for n in (*asked, *listed) for name in n.mention.names}
    others = [
        n
        for n in around
        if not n.listed and not set(n.mention.names) & about and set(n.mention.names) & ordered
    ]
    added = [n for n in others if _ADDED.match(n.passage.text.strip()) or _ADDED.search(n.passage.text[-8:])]
    doubtful = [
        n
        for n in others
        if n not in added and not _CONTENT.search(n.passage.text) and not _BOUGHT.search(n.passage.text)
    ]
    return [*asked, *listed, *added], bool(doubtful)


def _mentions(passage: Passage, catalogue: Catalogue) -> list[_Named]:
    mentions = products.find_mentions(passage.text, catalogue)
    rest = passage.text
    for mention in reversed(mentions):
        rest = rest[: mention.start] + rest[mention.end :]
    rest = re.sub(
        r"\([^)]{0,160}\)|\{[^}]{0,300}\}|\b(?:and|the|a|also|one)\b|[\W\d]", "", rest, flags=re.IGNORECASE
    )
    return [_Named(passage, mention, not rest) for mention in mentions]


def _has_stray_entry(request: Request, around: Sequence[_Named]) -> bool:
    """In 'Return W1: lamp; thing; mug;' an entry that is no known product."""
    if not any(re.search(r":[^:]{1,200};\s*\Z", p.text) for p in request.asked):
        return False
    known = {n.passage.start for n in around}
    return any(
        p.text.rstrip().endswith(";") and p.start not in known and len(p.text.split()) <= 5
        for p in request.around
    )


def _is_kept(named: _Named) -> bool:
    before = named.passage.text[max(0, named.mention.start - 50) : named.mention.start]
    return bool(_KEPT.search(before)) and not _UNKEPT.search(before)


def _find_home(named: _Named, written: Sequence[OrderMention], orders: Mapping[str, Order]) -> str | None:
    """The order a product belongs to: the only one that holds it, else the one written next to it."""
    holding = {o.order_id for o in orders.values() if any(i.product in named.mention.names for i in o.items)}
    said = _said_home(named, written, orders)
    if said:
        return said if said in holding else None
    if len(holding) < 2:
        return next(iter(holding), None)
    places = sorted((m.start, orders[m.spelling].order_id) for m in written if m.spelling in orders)
    after = [order_id for at, order_id in places if at > named.at]
    return (after or [places[-1][1]])[0] if places else None


def _said_home(named: _Named, written: Sequence[OrderMention], orders: Mapping[str, Order]) -> str | None:
    """The order of 'the lamp from W1', where the number follows at once."""
    end = named.passage.start + named.mention.end
    for mention in written:
        between = named.passage.text[named.mention.end : max(0, mention.start - named.passage.start)]
        if mention.start >= end and mention.spelling in orders and _FROM.fullmatch(between):
            return orders[mention.spelling].order_id
    return None


def _is_tangled(passage: Passage, mentions: Sequence[_Named]) -> bool:
    """True if products of one sentence are joined by more than 'and', or one is only a part of another."""
    here = sorted((n.mention for n in mentions if n.passage == passage), key=lambda m: m.start)
    between = [passage.text[a.end : b.start] for a, b in itertools.pairwise(here)]
    if any(not _JOINED.fullmatch(re.sub(r"\([^)]{0,160}\)", " ", text)) for text in between):
        return True
    parts = (_PART_OF.search(passage.text[max(0, m.start - 60) : m.start]) for m in here)
    return any(m is not None and not _WHOLE_OF.match(m.group(1)) for m in parts)


def _has_unknown(request: Request, named: Sequence[_Named]) -> bool:
    """True if the wish also names an object that matches no product."""
    for passage in request.asked:
        here = [n.mention for n in named if n.passage == passage]
        ends = [m.end() for m in _OBJECT.finditer(passage.text)]
        ends += [m.end() for n in here if (m := _CONJUNCT.match(passage.text, n.end))]
        for end in ends:
            ahead = " ".join(passage.text[end:].split()[:4])
            if here and not any(end <= n.start <= end + len(ahead) for n in here):
                return True
    return False


def _pick(request: Request, order: Order, named: Sequence[_Named], alone: bool, catalogue: Catalogue) -> Pick:
    if not named:
        return _pick_without_name(request, order, catalogue) if alone else Pick(problem="items")
    groups: dict[tuple[tuple[str, ...], str], list[_Named]] = {}
    for one in named:
        held = tuple(sorted({i.product for i in order.items} & set(one.mention.names)))
        groups.setdefault((held, _bracket(one)), []).append(one)
    several = len(groups) > 1
    picks = [_pick_product(order, held, group, several) for (held, _), group in groups.items()]
    problem = next((p.problem for p in picks if p.problem), "")
    rows = tuple(row for p in picks for row in p.rows)
    if len({item.line for item, _ in rows}) != len(rows):
        problem = problem or "items"
    fit = max((p.fit for p in picks), key=[Fit.EXACT, Fit.PART, Fit.SLIP].index)
    return Pick(() if problem else rows, fit, problem, tuple(q for p in picks for q in p.quotes))


def _pick_product(order: Order, held: tuple[str, ...], group: Sequence[_Named], several: bool) -> Pick:
    quotes = tuple(_quote(n) for n in group[:1])
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
    rows_or_none, problem = quantities.choose(fitting, wanted, products.is_singular(_quote(group[0])))
    return Pick(rows_or_none, fit, problem, quotes)


def _count(named: _Named) -> int | None:
    return quantities.find_count(named.passage.text, named.mention.start, named.mention.end)


def _fits(item: Item, rows: Sequence[Item], named: _Named) -> bool:
    """Nothing said beside the product's name speaks against this row."""
    text, mention = named.passage.text, named.mention
    own = {v.casefold() for v in item.options.values()}
    bracket = _bracket(named)
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


def _bracket(named: _Named) -> str:
    """What stands in brackets behind the product, unless it is a number of an order or method."""
    match = re.match(r"\s*[({]([^)}]{1,200})[)}]", named.passage.text[named.mention.end :])
    return match.group(1) if match and not re.search(r"[#_]|\d{5}", match.group(1)) else ""


def _surroundings(named: _Named) -> str:
    text = named.passage.text
    start = max(text.rfind(",", 0, named.mention.start), text.rfind(" and ", 0, named.mention.start), 0)
    stop = re.search(r",|\band\b|\(", text[named.mention.end :])
    return text[start : named.mention.end + (stop.start() if stop else len(text))]


def _is_described(item: Item, rows: Sequence[Item], text: str) -> bool:
    """False if the words fit another row better than this one."""
    return _score(item, text) == max(_score(row, text) for row in rows)


def _score(item: Item, text: str) -> int:
    words = {v.casefold() for v in item.options.values()} - _WORTHLESS_VALUES
    return sum(
        bool(re.search(rf"(?<!\w){re.escape(v)}(?!\w)", text, re.IGNORECASE)) for v in words if len(v) > 2
    )


def _pick_without_name(request: Request, order: Order, catalogue: Catalogue) -> Pick:
    text = " ".join(p.text for p in request.passages)
    asked = " ".join(p.text for p in request.asked)
    if _ALL.search(text):
        kept = any(products.find_mentions(p.text, catalogue) for p in request.passages)
        return Pick(problem="items") if kept else Pick(tuple((i, i.quantity) for i in order.items))
    if _ONE.search(asked):
        return _pick_by_description(request, order, asked, catalogue)
    single = len(order.items) == 1 and order.items[0].quantity == 1
    if (
        single
        and _ORDER_ITSELF.search(asked)
        and not _OBJECT.search(asked)
        and not _names_stranger(asked, order)
    ):
        return Pick(((order.items[0], 1),), Fit.PART)
    return Pick(problem="items")


def _names_stranger(text: str, order: Order) -> bool:
    return any(
        m.group("noun").strip().casefold() not in order.order_id.casefold() for m in _OF_ORDER.finditer(text)
    )


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


def _quote(named: _Named) -> str:
    return named.passage.text[named.mention.start : named.mention.end]


def names_part(request: Request, order: Order) -> bool:
    """True if the text names some but not all of an order's products, or fewer pieces than there are."""
    catalogue = products.list_products(order.items)
    named = [n for p in request.passages for n in _mentions(p, catalogue)]
    mentioned = {name for n in named for name in n.mention.names}
    counts = [
        (q, sum(i.quantity for i in order.items if i.product in n.mention.names))
        for n in named
        if (q := _count(n)) is not None
    ]
    fewer = any(0 <= count < pieces for count, pieces in counts)
    return fewer or (bool(mentioned) and mentioned != catalogue.names)
