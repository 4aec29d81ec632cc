"""Money between text and whole minor units of a currency, exactly. Pure; knows no floats, no exchange rates.

A currency has the decimals ISO 4217 gives it: EUR two, JPY none, KWD three.
"""

import re
from functools import cache

import pycountry

from portal.retold import kept

# ISO 4217 list one (active codes), column "minor unit", where that is not 2; -1 where it says N.A.
_CODES_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    -1: "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
}
_DECIMALS = {code: places for places, codes in _CODES_BY_DECIMALS.items() for code in codes.split()}
_AMOUNT = re.compile(r"([0-9]{1,16})(?:\.([0-9]+))?")
_CODE = re.compile(r"[A-Z]{3}")

# The largest whole number every JSON reader keeps exactly (RFC 8259, 6); amounts go on the log as JSON.
MOST_MINOR = 2**53 - 1


# The messages, kept in English: they are told again where they are shown.
_NO_CURRENCY = kept("%(code)s is no currency; write the ISO 4217 code, like EUR")
_NEGATIVE = kept("%(text)s is negative; write at most %(places)s decimals, like %(example)s")
_NO_AMOUNT = kept("%(text)s is not an amount of %(currency)s; write at most %(places)s decimals, like %(example)s")
_TOO_MUCH = kept("%(text)s is too much; the most is %(most)s")


class MoneyError(ValueError):
    """Base of what can be wrong with an amount or a currency; the message says the way out."""


class UnknownCurrency(MoneyError):
    """Not an active ISO 4217 code in capitals, or one without amounts (gold, tests)."""


class NotAnAmount(MoneyError):
    """The text is not an amount of the currency."""


@cache
def decimals(currency: str) -> int:
    """How many decimals ISO 4217 gives the currency, 0 to 4.

    Raises:
        UnknownCurrency: see there.
    """
    known = _CODE.fullmatch(currency) and pycountry.currencies.get(alpha_3=currency)
    places = _DECIMALS.get(currency, 2) if known else -1
    if places < 0:
        raise UnknownCurrency(_NO_CURRENCY % {"code": repr(currency[:20])})
    return places


def to_minor(text: str, currency: str) -> int:
    """The amount as whole minor units: '45.1' in EUR is 4510, '45' in JPY is 45. Zero is an amount.

    Raises:
        UnknownCurrency: see there.
        NotAnAmount: a sign, an exponent, a comma, spaces, more decimals than the currency has, or too much.
    """
    places = decimals(currency)
    match = _AMOUNT.fullmatch(text)
    if match is None or len(match[2] or "") > places:
        example = to_text(451 * 10**places // 10, currency)
        fault = _NEGATIVE if text.startswith("-") else _NO_AMOUNT
        said = {"text": repr(text[:40]), "currency": currency, "places": places, "example": example}
        raise NotAnAmount(fault % said)
    minor = int(match[1] + (match[2] or "").ljust(places, "0"))
    if minor > MOST_MINOR:
        raise NotAnAmount(_TOO_MUCH % {"text": repr(text[:40]), "most": to_text(MOST_MINOR, currency)})
    return minor


def to_text(minor: int, currency: str) -> str:
    """Minor units as a decimal string with all decimals of the currency: 4510 in EUR is '45.10'."""
    places = decimals(currency)
    whole, part = divmod(abs(minor), 10**places)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{part:0{places}}" if places else f"{sign}{whole}"


def shown(minor: int, currency: str) -> str:
    """As people read it: '45.10 EUR'."""
    return f"{to_text(minor, currency)} {currency}"
