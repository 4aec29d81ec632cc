"""Money of a refund: sums of recorded rows, the limit, and figures a customer names. Pure.

All sums are whole minor units (ISO 4217). A figure of the text is only ever compared, never paid.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

from portal.systems.records import Item, Order

# 500.00 where a currency has decimals (policy clause CAP-1); for yen a round sum that stays below it.
CAP_MINOR: Mapping[str, int] = MappingProxyType(
    dict.fromkeys(("USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD"), 50000) | {"JPY": 50_000}
)
_WITHOUT_DECIMALS = frozenset({"JPY", "KRW", "VND", "CLP", "ISK"})
_CODES = {
    "$": "USD",
    "dollar": "USD",
    "dollars": "USD",
    "bucks": "USD",
    "€": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "£": "GBP",
    "pound": "GBP",
    "pounds": "GBP",
    "quid": "GBP",
    "sterling": "GBP",
    "¥": "JPY",
    "yen": "JPY",
    "franc": "CHF",
    "francs": "CHF",
}
_UNIT = r"[$€£¥]|\b(?:USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|dollars?|bucks|euros?|pounds?|quid|yen|francs?)\b"
_FIGURE = r"\d{1,3}(?:[.,' ]\d{3})+(?:[.,]\d{1,2})?(?!\d)|\d{1,9}(?:[.,]\d{1,2})?(?!\d)"
_ASKED = re.compile(
    rf"(?P<unit>{_UNIT})\s?(?P<figure>{_FIGURE})|(?P<figure2>{_FIGURE})\s?(?P<unit2>{_UNIT})"
    rf"|\b(?:amount|total|sum|refund|owed)\W{{1,3}}(?:(?:is|of|be|should|me|to)\W{{1,2}}){{0,3}}(?P<figure3>{_FIGURE})(?![\w-])",
    re.IGNORECASE,
)
_COMMA_DECIMALS = re.compile(r",\d{1,2}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """A figure of the text. `currency` is "" where none is named, `comma` tells of decimals after a comma."""

    value: Decimal
    currency: str
    comma: bool
    start: int
    end: int


def find_asked(text: str) -> Iterable[Asked]:
    """Sums of money named in the text."""
    for match in _ASKED.finditer(text):
        figure = match.group("figure") or match.group("figure2") or match.group("figure3")
        unit = (match.group("unit") or match.group("unit2") or "").lower()
        comma = bool(_COMMA_DECIMALS.search(figure))
        yield Asked(_to_decimal(figure), _CODES.get(unit, unit.upper()), comma, match.start(), match.end())


def sum_rows(picked: Iterable[tuple[Item, int]]) -> int:
    """Recorded prices of the picked pieces, in minor units."""
    return sum(item.unit_price_minor * pieces for item, pieces in picked)


def sum_payments(order: Order, kind: str) -> int:
    """What was paid for (`payment`) or sent back from (`refund`) an order, in minor units."""
    return sum(payment.amount_minor for payment in order.payments if payment.type == kind)


def exceeds_cap(totals: Mapping[str, int], cap_minor: Mapping[str, int]) -> bool:
    """True if the sums together pass the limit; sums of several currencies fill it in proportion.

    A currency without a limit is over it.
    """
    if any(cap_minor.get(currency, 0) <= 0 for currency in totals):
        return True
    return sum((Fraction(minor, cap_minor[currency]) for currency, minor in totals.items()), Fraction()) > 1


def to_major(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal amount of `currency`."""
    return Decimal(minor) if currency in _WITHOUT_DECIMALS else Decimal(minor).scaleb(-2)


def show(minor: int, currency: str) -> str:
    """An amount for people, as in '45.10 EUR'."""
    return f"{to_major(minor, currency)} {currency}"


def _to_decimal(figure: str) -> Decimal:
    if _COMMA_DECIMALS.search(figure):
        return Decimal(re.sub(r"[.' ]", "", figure).replace(",", "."))
    return Decimal(re.sub(r"[,' ]", "", figure) if figure.count(".") < 2 else re.sub(r"\D", "", figure))
