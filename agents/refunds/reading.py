"""A message read into requests. Pure: text in, Mentions out; no record is looked at here.

Owns which orders, wishes and amounts a text names, and where; `products` and `destinations` match the rest.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from agents.refunds import amounts, identity, passages, phrases
from agents.refunds.passages import Passage
from agents.refunds.phrases import Kind

_ORDER = re.compile(
    r"(?<![\w@#/.'-])(?P<full>#\s?[A-Z]{0,4}-?\d{3,12}|[A-Z]{1,4}-?\d{4,12})(?![\w@]|\.\d)"
    r"|\border\s*(?:no\.?|nr\.?|num(?:ber)?|id|reference|ref\.?)?\s*(?:is\s+)?[:#]?\s*(?P<said>\d{3,12})(?![\w@]|\.\d)"
    r"|(?<![\w@#/.,'$€£¥-])(?P<bare>\d{5,12})(?![\w@]|[.,]\d)",
    re.IGNORECASE,
)
_POSTCODE_BEFORE = re.compile(r"(?:zip|post(?:al)?)\s?(?:code)?\W{0,4}(?:is\s+)?$|'zip'\W+$", re.IGNORECASE)
_ASIDE_BEFORE = re.compile(r"\b(?:same\s+as|as\s+(?:in|on|for)|like)\s+(?:order\s+)?#?$", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"[,:]\s*(?:and|also|then|but|plus)?\b|\s-+\s|\b(?:and|also|then|but|plus|besides)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class OrderMention:
    """An order number as written. `sure` is False for bare figures that may be anything."""

    spelling: str
    start: int
    end: int
    sure: bool
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """Passages that belong together; `asked` carry the wish. Without kinds nothing is asked."""

    kinds: frozenset[Kind]
    asked: tuple[Passage, ...]
    around: tuple[Passage, ...]
    orders: tuple[OrderMention, ...]

    @property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(sorted((*self.asked, *self.around), key=lambda p: p.start))

    @property
    def text(self) -> str:
        return "\n".join(p.text for p in self.passages)

    @property
    def refunds(self) -> bool:
        return bool(self.kinds & phrases.REFUNDS) and not self.kinds & phrases.BLOCKING


@dataclass(frozen=True, slots=True)
class Mentions:
    """All that the text says. `words` are counted beside commands; `too_long`: a part is unread."""

    text: str
    requests: tuple[Request, ...]
    orders: tuple[OrderMention, ...]
    amounts: tuple[amounts.Asked, ...]
    person: identity.Claim
    commands: tuple[Passage, ...]
    hidden: bool
    words: int
    too_long: bool


def read(message: str) -> Mentions:
    """Read a message of any content; only its first `passages.MAX_CHARS` characters are looked at."""
    cleaned = passages.clean(message)
    orders = tuple(find_orders(cleaned.text))
    cuts = [piece for sentence in passages.sentences(cleaned.text) for piece in _cut(sentence, orders)]
    return Mentions(
        text=cleaned.text,
        requests=_gather(cuts, orders),
        orders=orders,
        amounts=tuple(amounts.find_asked(cleaned.text)),
        person=identity.find_claim(cleaned.text),
        commands=cleaned.commands,
        hidden=cleaned.hidden,
        words=len(re.findall(r"[^\W\d_]{2,}", cleaned.text)),
        too_long=len(message) > passages.MAX_CHARS,
    )


def spell_orders(message: str) -> tuple[str, ...]:
    """Spellings under which the named orders may be on record, for looking them up."""
    spellings: list[str] = []
    for mention in find_orders(passages.clean(message).text):
        plain = re.sub(r"[^A-Z0-9]", "", mention.spelling.upper())
        letters, digits = re.sub(r"\d", "", plain), re.sub(r"\D", "", plain)
        spellings += [plain, f"#{plain}"] + ([f"{letters}-{digits}", f"#{letters}-{digits}"] if letters else [])
    return tuple(dict.fromkeys(spellings))


def find_orders(text: str) -> Iterable[OrderMention]:
    """Order numbers with or without '#', letters or hyphen; figures of a postcode are left out."""
    for match in _ORDER.finditer(text):
        group = next(name for name in ("full", "said", "bare") if match.group(name))
        start, end = match.span(group)
        before = text[max(0, start - 24) : start]
        if group == "bare" and _POSTCODE_BEFORE.search(before):
            continue
        yield OrderMention(match.group(group), start, end, group != "bare", bool(_ASIDE_BEFORE.search(before)))


def find_wishes(text: str) -> list[tuple[int, int, Kind]]:
    """Spans of wordings that ask for something, in order; negated ones are not wishes."""
    found = [
        (m.start(), m.end(), kind)
        for kind, pattern in phrases.TRIGGERS
        for m in pattern.finditer(text)
        if kind is Kind.NOT_RECEIVED or m.group()[0] in "nN" or not _negated(text, m.start())
    ]
    return sorted(found)


def _negated(text: str, start: int) -> bool:
    return bool(phrases.NEGATION.search(text[max(0, start - 60) : start]))


def _cut(sentence: Passage, orders: tuple[OrderMention, ...]) -> list[tuple[Passage, frozenset[Kind]]]:
    """Pieces of a sentence that ask for different things, each with what it asks for."""
    wishes = find_wishes(sentence.text)
    edges, current = [0], wishes[0] if wishes else None
    for wish in wishes[1:]:
        assert current is not None
        between = list(_SEPARATOR.finditer(sentence.text, max(current[1], edges[-1]), wish[0] + 1))
        if between and _differs(current, wish, sentence, orders):
            edges.append(_edge(between, sentence, orders))
            current = wish
    pieces = []
    for start, end in zip(edges, (*edges[1:], len(sentence.text)), strict=True):
        kinds = frozenset(kind for at, _, kind in wishes if start <= at < end)
        pieces.append((Passage(sentence.start + start, sentence.start + end, sentence.text[start:end]), kinds))
    return pieces


def _differs(
    current: tuple[int, int, Kind],
    wish: tuple[int, int, Kind],
    sentence: Passage,
    orders: tuple[OrderMention, ...],
) -> bool:
    """A wish opens a new request if it is of another sort, or of the same sort for an order of its own."""
    own = any(sentence.start + wish[0] <= o.start < sentence.end for o in orders if not o.aside)
    earlier = any(sentence.start <= o.start < sentence.start + wish[0] for o in orders if not o.aside)
    if current[2] in phrases.BLOCKING and wish[2] in (Kind.REFUND, current[2]):
        return False
    if wish[2] is Kind.REFUND or {current[2], wish[2]} <= {Kind.RETURN, Kind.REFUND} or wish[2] is current[2]:
        return own and earlier
    return True


def _edge(between: list[re.Match[str]], sentence: Passage, orders: tuple[OrderMention, ...]) -> int:
    """Cut before the last separator, so that 'and for W2, change' keeps its order."""
    last = between[-1]
    for separator in reversed(between[:-1]):
        tail = sentence.text[separator.end() : last.start()]
        if not any(sentence.start + separator.end() <= o.start < sentence.start + last.start() for o in orders):
            break
        if not re.match(r"\s*(?:for|from|in|on|out\s+of|of|regarding)\b", tail, re.IGNORECASE):
            break
        last = separator
    return last.start()


def _gather(cuts: list[tuple[Passage, frozenset[Kind]]], orders: tuple[OrderMention, ...]) -> tuple[Request, ...]:
    """Join each piece to the request it continues; what stands before the first wish belongs to it."""
    requests: list[Request] = []
    waiting: list[Passage] = []
    for piece, kinds in cuts:
        own = tuple(o for o in orders if piece.start <= o.start < piece.end)
        last = requests[-1] if requests else None
        if not kinds:
            if last is None or _opens(own, last):
                waiting.append(piece)
            else:
                requests[-1] = Request(last.kinds, last.asked, (*last.around, piece), (*last.orders, *own))
        elif last is not None and not waiting and _continues(kinds, own, last):
            requests[-1] = Request(last.kinds | kinds, (*last.asked, piece), last.around, (*last.orders, *own))
        else:
            before = tuple(o for p in waiting for o in orders if p.start <= o.start < p.end)
            requests.append(Request(kinds, (piece,), tuple(waiting), (*before, *own)))
            waiting = []
    if waiting:
        requests.append(
            Request(
                frozenset(),
                (),
                tuple(waiting),
                tuple(o for p in waiting for o in orders if p.start <= o.start < p.end),
            )
        )
    return tuple(requests)


def _opens(own: tuple[OrderMention, ...], last: Request) -> bool:
    """A sentence that names another order leads to the next request."""
    known = {o.spelling.upper() for o in last.orders if o.sure}
    return bool(known) and any(o.sure and not o.aside and o.spelling.upper() not in known for o in own)


def _continues(kinds: frozenset[Kind], own: tuple[OrderMention, ...], last: Request) -> bool:
    if _opens(own, last):
        return False
    if kinds == {Kind.REFUND}:
        return True
    if kinds <= {Kind.RETURN, Kind.REFUND}:
        return last.kinds <= {Kind.RETURN, Kind.REFUND} or bool(
            last.kinds & {Kind.DISPUTE, Kind.NOT_RECEIVED} and not own
        )
    if Kind.CANCEL in kinds:
        return last.kinds <= {Kind.REFUND, Kind.CANCEL} and not (own and last.orders and _opens(own, last))
    return kinds <= last.kinds
