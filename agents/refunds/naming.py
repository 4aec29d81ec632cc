"""Which products of a request go back, and to which of its orders they belong. Pure.

Owns the reading of a wish's object; anything it says beyond 'these go back' is a doubt, and `picking` asks.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.refunds import products
from agents.refunds.passages import Passage
from agents.refunds.products import Catalogue, Mention
from agents.refunds.reading import OrderMention, Request
from portal.systems.records import Order

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
_UNKEPT = re.compile(r"(?:n'?t|\bnot|\bno\s+longer)\s+(?:[\w']{1,12}\s+){0,3}keep(?:ing)?\s[^.]{0,40}$", re.IGNORECASE)
_CONTENT = re.compile(
    r"\b(?:don'?t|do\s+not|never)\s+(?:\w{1,10}\s+){0,2}(?:refund|return|send)\b|"
    r"(?<!not )(?<!n't )\b(?:love|loves|loved|great|perfect|happy|fine|lovely|enjoy\w*|"
    r"wonderful|keep|keeping|kept|excellent|ok|okay|good(?!\s+(?:day|morning|afternoon|evening)))\b",
    re.IGNORECASE,
)
_BOUGHT = re.compile(r"\b(?:ordered|bought|purchased|got|received|contained|came\s+with|holds)\b", re.IGNORECASE)
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
ALL = re.compile(
    r"\beverything\b|\ball\s+(?:of\s+)?(?:it|them|these|the|\w+)?\s*(?:items?|articles?|products?|things?|pieces?)\b|\ball\s+of\s+(?:it|them)\b|"
    r"\b(?:whole|entire|complete|full)\s+(?:order|lot|purchase|parcel|thing)\b|\bthe\s+lot\b|\bcompletely\b",
    re.IGNORECASE,
)
_ORDER_ITSELF = re.compile(
    rf"\b{_VERB}\s+(?:back\s+)?(?:for\s+)?(?:(?:my|the|this|that|whole|entire)\s+)*"
    r"(?:order|purchase|parcel|package|item|article|product|it\b|this\b|#|[A-Z]{1,4}-?\d|\d{5})"
    r"|\border\b[^.]{0,60}\b(?:should\s+|must\s+|needs?\s+to\s+)?go(?:es|ing)?\s+back|\b(?:it|this|this\s+order)\s+back\b",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:one|ones)\b", re.IGNORECASE)
_LONGEST_JOIN = 120


@dataclass(frozen=True, slots=True)
class Named:
    """A product mention in its passage; `listed` if the passage is nothing but an entry of a list."""

    passage: Passage
    mention: Mention
    listed: bool = False

    @property
    def at(self) -> int:
        return self.passage.start + self.mention.start

    @property
    def quote(self) -> str:
        return self.passage.text[self.mention.start : self.mention.end]

    @property
    def bracket(self) -> str:
        """What stands in brackets behind the product, unless it is a number of an order or method."""
        match = re.match(r"\s*[({]([^)}]{1,200})[)}]", self.passage.text[self.mention.end :])
        return match.group(1) if match and not re.search(r"[#_]|\d{5}", match.group(1)) else ""


def collect(request: Request, catalogue: Catalogue, ordered: set[str]) -> tuple[list[Named], bool]:
    """Products the request is about, and whether another product of the orders makes that doubtful."""
    asked = [n for p in request.asked for n in find_named(p, catalogue) if not is_kept(n)]
    around = [n for p in request.around for n in find_named(p, catalogue) if not is_kept(n)]
    listed = [n for n in around if n.listed]
    if _has_stray_entry(request, around):
        return asked, True
    if not asked and not listed:
        if means_one(request):
            return [], False
        return [n for n in around if not _CONTENT.search(n.passage.text)], False
    about = {name for n in (*asked, *listed) for name in n.mention.names}
    others = [n for n in around if not n.listed and not set(n.mention.names) & about and set(n.mention.names) & ordered]
    added = [n for n in others if _ADDED.match(n.passage.text.strip()) or _ADDED.search(n.passage.text[-8:])]
    doubtful = [
        n
        for n in others
        if n not in added and not _CONTENT.search(n.passage.text) and not _BOUGHT.search(n.passage.text)
    ]
    return [*asked, *listed, *added], bool(doubtful)


def is_doubtful(request: Request, named: Sequence[Named]) -> bool:
    """True if the wish says more about the products than that they go back."""
    asked = [p for p in request.asked if any(n.passage == p for n in named)]
    told = [p for p in request.around if any(n.passage == p for n in named)]
    some = not asked and len(named) > 1 and not _ALL_OF_THEM.search(" ".join(p.text for p in request.asked))
    return (
        _has_unknown(request, named)
        or any(_ORDER_WITH.search(p.text) or ALL.search(p.text) or _is_tangled(p, named) for p in asked)
        or (some and any(_BOUGHT.search(p.text) or _is_tangled(p, named) for p in told))
    )


def find_home(named: Named, written: Sequence[OrderMention], orders: Mapping[str, Order]) -> str | None:
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


def means_whole(request: Request, order: Order) -> bool:
    """True if the wish names the order itself and nothing in it, as in 'return order W1'."""
    asked = " ".join(p.text for p in request.asked)
    return bool(_ORDER_ITSELF.search(asked)) and not _OBJECT.search(asked) and not _names_stranger(asked, order)


def means_one(request: Request) -> bool:
    """True for 'the blue one': an article told apart by its looks."""
    return bool(_ONE.search(" ".join(p.text for p in request.asked)))


def find_named(passage: Passage, catalogue: Catalogue) -> list[Named]:
    mentions = products.find_mentions(passage.text, catalogue)
    rest = passage.text
    for mention in reversed(mentions):
        rest = rest[: mention.start] + rest[mention.end :]
    rest = re.sub(r"\([^)]{0,160}\)|\{[^}]{0,300}\}|\b(?:and|the|a|also|one)\b|[\W\d]", "", rest, flags=re.IGNORECASE)
    return [Named(passage, mention, not rest) for mention in mentions]


def _has_stray_entry(request: Request, around: Sequence[Named]) -> bool:
    """In 'Return W1: lamp; thing; mug;' an entry that is no known product."""
    if not any(re.search(r":[^:]{1,200};\s*\Z", p.text) for p in request.asked):
        return False
    known = {n.passage.start for n in around}
    return any(
        p.text.rstrip().endswith(";") and p.start not in known and len(p.text.split()) <= 5 for p in request.around
    )


def is_kept(named: Named) -> bool:
    """True for 'keep the lamp' and 'all but the lamp'."""
    before = named.passage.text[max(0, named.mention.start - 50) : named.mention.start]
    return bool(_KEPT.search(before)) and not _UNKEPT.search(before)


def _said_home(named: Named, written: Sequence[OrderMention], orders: Mapping[str, Order]) -> str | None:
    """The order of 'the lamp from W1', where the number follows at once."""
    end = named.passage.start + named.mention.end
    for mention in written:
        between = named.passage.text[named.mention.end : max(0, mention.start - named.passage.start)]
        if mention.start >= end and mention.spelling in orders and _FROM.fullmatch(between):
            return orders[mention.spelling].order_id
    return None


def _is_tangled(passage: Passage, mentions: Sequence[Named]) -> bool:
    """True if products of one sentence are joined by more than 'and', or one is only a part of another."""
    here = sorted((n.mention for n in mentions if n.passage == passage), key=lambda m: m.start)
    between = [passage.text[a.end : b.start] for a, b in itertools.pairwise(here)]
    if not all(_is_joined(text) for text in between):
        return True
    parts = (_PART_OF.search(passage.text[max(0, m.start - 60) : m.start]) for m in here)
    return any(m is not None and not _WHOLE_OF.match(m.group(1)) for m in parts)


def _is_joined(text: str) -> bool:
    plain = re.sub(r"\([^)]{0,160}\)", " ", text)
    return len(plain) <= _LONGEST_JOIN and _JOINED.fullmatch(plain) is not None


def _has_unknown(request: Request, named: Sequence[Named]) -> bool:
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


def _names_stranger(text: str, order: Order) -> bool:
    return any(m.group("noun").strip().casefold() not in order.order_id.casefold() for m in _OF_ORDER.finditer(text))
