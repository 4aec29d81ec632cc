"""Where the customer wants the money, matched to the methods on record. Pure.

Only a method of the sender comes out; foreign, new or doubtful ones come out as such and are never paid to.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from portal.systems.records import Order, PaymentMethod

_BRAND = r"visa|master\s?card|maestro|amex|american\s+express|discover"
_ID = re.compile(
    r"(?<![\w])(?:credit_card|debit_card|gift_card|giftcard|paypal|bank_account|bank|card|wallet|klarna)\w{0,20}_\w{1,24}",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    rf"\b(?!it|that|what|here|there|let|who|order|today)[a-z]{{2,20}}'s\s+(?:\w{{1,12}}\s+)?(?:pay\s?pal|card|account|{_BRAND}|wallet)\b"
    rf"|\b(?:new|different|another|second|replacement|other)\s+(?:[\w-]{{1,16}}\s+){{0,2}}?(?:card|account|pay\s?pal|{_BRAND}|wallet|bank)\b"
    r"|\biban\b|\bbank\s?(?:account|transfer)\b|\bwire\b|\bcheque\b|\b(?:by|via|as)\s+(?:a\s+)?check\b|\b(?:in|as)\s+cash\b|\bbitcoins?\b"
    r"|\bcrypto\w*|\bvenmo\b|\bzelle\b|\bcash\s?app\b|\brevolut\b|\bwestern\s+union\b|\b(?:apple|google)\s+pay\b|\bklarna\b"
    r"|\bstore\s+credit\b|\bsort\s+code\b|\baccount\s+number\b|\bmy\s+bank\b|\bdebit\s+card\b",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"\boriginal(?:ly)?\s+(?:form\s+of\s+)?(?:payment|method|card|account|way|source|used|pay)\b|\bthe\s+original\b"
    r"|\b(?:same|way|how|method|card|account|whatever|what|one)\s+(?:(?:that|which|it|way|card|method|account|payment|with|was)\s+){0,3}(?:I|we)?\s*"
    r"(?:'ve\s+|have\s+|had\s+)?(?:originally\s+)?(?:paid|used|pay)\b|\bsame\s+(?:payment\s+)?(?:method|card|way|account|place|source)\b"
    r"|\bwhere\s+(?:it|the\s+money|the\s+payment)\s+came\s+from\b|\bback\s+to\s+(?:the\s+)?source\b",
    re.IGNORECASE,
)
_CARD = re.compile(
    rf"\b(?:(?P<brand>{_BRAND})(?:\s+(?:credit\s+)?card)?|(?:credit\s+)?card)\s*,?\s*(?:\(?\s*(?:that\s+)?(?:ending|ends|end)(?:\s+(?:in|with|on))?|"
    rf"(?:with\s+)?(?:no\.?|number|the\s+last\s+(?:four|4)(?:\s+digits)?)|[x*.]{{2,12}})?\s*[:#]?\s*(?P<four>\d{{4}})(?!\d)"
    rf"|\b(?P<brand2>{_BRAND})\b|\bending\s+(?:in\s+|with\s+|on\s+)?(?P<four2>\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_KIND = re.compile(
    r"(?P<gift>\bgift\s?-?(?:card|voucher)s?\b)|(?P<paypal>\bpay\s?-?pal\b)|(?P<card>\b(?:credit\s?card|card)\b(?!\s+(?:company|issuer)))",
    re.IGNORECASE,
)
_PAID_BEFORE = re.compile(
    r"\b(?:paid|bought|ordered|purchased|charged|used)\s+(?:(?:for|it|this|with|by|using|via|through|on|to|my|the|a|from)\s+){0,4}$",
    re.IGNORECASE,
)
_NOT_BEFORE = re.compile(
    r"\b(?:not|n't|instead\s+of|rather\s+than|never)\s+(?:(?:to|on|onto|into|via|my|the|a|use)\s+){0,3}$",
    re.IGNORECASE,
)


class Problem(StrEnum):
    """Why there is no destination."""

    NONE_NAMED = "none_named"
    NOT_HELD = "not_held"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A way of payment named at `start`..`end`; `test` words are in `kind`, `brand`, `four`, `method_id`."""

    start: int
    end: int
    sort: str
    method_id: str = ""
    kind: str = ""
    brand: str = ""
    four: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    """`method` is the sender's own, or None with the `problem`. `described` if no identifier was given."""

    method: PaymentMethod | None
    problem: Problem | None = None
    quote: str = ""
    described: bool = False


def find_wanted(text: str) -> tuple[Wanted, ...]:
    """Ways of payment the text names as a destination; those only paid with or refused are left out."""
    found: list[Wanted] = [Wanted(*m.span(), "id", method_id=m.group().lower().rstrip("_")) for m in _ID.finditer(text)]
    found += [Wanted(*m.span(), "foreign") for m in _FOREIGN.finditer(text)]
    found += [Wanted(*m.span(), "original") for m in _ORIGINAL.finditer(text)]
    found += [_to_card(m) for m in _CARD.finditer(text)]
    found += [Wanted(*m.span(), "kind", kind=_to_kind(m)) for m in _KIND.finditer(text)]
    kept: list[Wanted] = []
    for one in found:
        before = text[max(0, one.start - 50) : one.start]
        if any(k.start < one.end and one.start < k.end for k in kept):
            continue
        if _NOT_BEFORE.search(before) or (one.sort in ("card", "kind", "id") and _PAID_BEFORE.search(before)):
            continue
        kept.append(one)
    return tuple(sorted(kept, key=lambda one: one.start))


def resolve(texts: Iterable[str], order: Order, methods: Sequence[PaymentMethod]) -> Destination:
    """The one method of the sender that everything said agrees on."""
    named = [(text, one) for text in texts for one in find_wanted(text)]
    if not named:
        return Destination(None, Problem.NONE_NAMED)
    quote = named[-1][0][named[-1][1].start : named[-1][1].end]
    candidates = [_candidates(one, order, methods) for _, one in named]
    if all(not c for c in candidates):
        return Destination(None, Problem.NOT_HELD, quote)
    if any(not c for c in candidates):
        foreign = next(t[o.start : o.end] for (t, o), c in zip(named, candidates, strict=True) if not c)
        return Destination(None, Problem.NOT_HELD if _one_phrase(named) else Problem.AMBIGUOUS, foreign)
    common = frozenset.intersection(*candidates)
    if len(common) != 1:
        return Destination(None, Problem.AMBIGUOUS, quote)
    method = next(m for m in methods if m.payment_method_id in common)
    exact = any(one.sort in ("id", "original") or one.four for _, one in named)
    return Destination(method, None, next(t[o.start : o.end] for t, o in named), not exact)


def _one_phrase(named: Sequence[tuple[str, Wanted]]) -> bool:
    """'My new PayPal account (paypal_9)' says one thing in two ways."""
    first, last = named[0], named[-1]
    return (
        first[0] == last[0]
        and last[1].start - first[1].end <= 16
        and not re.search(r"\b(?:or|and)\b", first[0][first[1].end : last[1].start], re.IGNORECASE)
    )


def find_original(order: Order, methods: Sequence[PaymentMethod]) -> PaymentMethod | None:
    """The sender's method the order was paid with; None if there is none, or more than one."""
    paid = {p.payment_method_id for p in order.payments if p.type == "payment"}
    return next((m for m in methods if paid == {m.payment_method_id}), None)


def _candidates(one: Wanted, order: Order, methods: Sequence[PaymentMethod]) -> frozenset[str]:
    if one.sort == "original":
        original = find_original(order, methods)
        return frozenset({original.payment_method_id} if original else ())
    return frozenset(m.payment_method_id for m in methods if _fits(one, m))


def _fits(one: Wanted, method: PaymentMethod) -> bool:
    if one.sort == "id":
        return method.payment_method_id.lower() == one.method_id
    if one.sort == "card":
        brand = re.sub(r"\s", "", one.brand.lower())
        return (
            method.kind == "credit_card" and brand in ("", method.brand.lower()) and one.four in ("", method.last_four)
        )
    return one.sort == "kind" and method.kind == one.kind


def _to_card(match: re.Match[str]) -> Wanted:
    brand = match.group("brand") or match.group("brand2") or ""
    four = match.group("four") or match.group("four2") or ""
    return Wanted(*match.span(), "card", brand=brand, four=four)


def _to_kind(match: re.Match[str]) -> str:
    return {"gift": "gift_card", "paypal": "paypal"}.get(match.lastgroup or "", "credit_card")
