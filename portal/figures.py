"""Numbers as whoever reads writes them, by choice or by language: 1,234.50, 1.234,50 or 1 234,50. Pure.

What is kept, compared, sent to programs or exported is plain: 1234.50, and so is all that is said outside of a page.
In a plain text the language alone sets the decimal mark.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from django.utils.translation import get_language

# Languages that write 1.234,50; the others write 1,234.50.
DECIMAL_COMMA = frozenset({"de"})
# Currencies of three decimals (ISO 4217); of others three digits behind a mark are thousands.
THREE_DECIMALS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
# No thousands at all; what a page is not in the course of showing.
PLAIN = "plain"
AS_THE_LANGUAGE = ""
# The mark for thousands and the one for decimals, by the name that a profile keeps. The first space is U+202F.
MARKS = {"point": (",", "."), "comma": (".", ","), "space": ("\u202f", ",")}
SPACES = " \u00a0\u202f"

_CHOSEN: ContextVar[str] = ContextVar("number_format", default=PLAIN)
_NUMBER = re.compile(r"(?<![\w.,\u202f])([0-9]+)(?:\.([0-9]+))?(?![\w\u202f]|[.,][0-9])(?: ([A-Z]{3})\b)?")
_AMOUNT = re.compile(r"(?<![\w.,])[0-9]+(?:\.[0-9]+)? [A-Z]{3}\b")
_GROUPS = re.compile(r"(?<=[0-9])(?=(?:[0-9]{3})+$)")


@contextmanager
def written(as_chosen: str) -> Iterator[None]:
    """Write numbers so: a name of MARKS, AS_THE_LANGUAGE, or PLAIN."""
    token = _CHOSEN.set(as_chosen)
    try:
        yield
    finally:
        _CHOSEN.reset(token)


def manner() -> str:
    """The language and the way of numbers in force: what was made in one may be shown again in the same alone."""
    return f"{get_language() or ''} {_CHOSEN.get()}"


def marks() -> tuple[str, str]:
    """The mark for thousands, "" in a plain text, and the one for decimals."""
    chosen = _CHOSEN.get()
    by_language = MARKS["comma" if get_language() in DECIMAL_COMMA else "point"]
    return ("", by_language[1]) if chosen == PLAIN else MARKS.get(chosen, by_language)


def figure(text: object) -> str:
    """'1234.50', '45.10 EUR' or 1000 as the reader writes it; what is written so already stays."""
    return _figure(str(text), *marks())


def amounts(text: str) -> str:
    """A line of a record with its amounts as the reader writes them; numbers without a currency are names and stay."""
    return _AMOUNT.sub(lambda found: figure(found[0]), text)


def to_edit(text: str) -> str:
    """A plain number for a field to type in: with the reader's decimal mark and no thousands."""
    return text.replace(".", marks()[1])


def counted(text: str) -> str:
    """'1,000+' with the reader's mark for thousands."""
    comma = _CHOSEN.get() == PLAIN and get_language() in DECIMAL_COMMA
    return text.replace(",", "." if comma else marks()[0] or ",")


def typed(text: str) -> str:
    """A number as the reader typed it, plain: '1.234,50' and '45,10' for whom a comma stands before the decimals.

    What may be meant either way ('1.234' for them, '1,234' for others) is left to be refused.
    """
    decimal = marks()[1]
    thousands = r"\." if decimal == "," else ","
    grouped = rf"[0-9]{{1,3}}(?:(?P<mark>[{SPACES}]|{thousands})[0-9]{{3}})(?:(?P=mark)[0-9]{{3}})*"
    found = re.fullmatch(rf"({grouped}|[0-9]+)(?:{re.escape(decimal)}([0-9]+))?", text)
    if found is None or (found["mark"] in {".", ","} and found[3] is None and text.count(found["mark"]) == 1):
        # A point is no decimal mark of theirs and a number of thousands is none of ours: as a comma it is refused.
        return text.replace(".", ",") if decimal == "," and re.fullmatch(r"[0-9]+\.[0-9]{3}", text) else text
    whole = re.sub(r"[^0-9]", "", found[1])
    return f"{whole}.{found[3]}" if found[3] else whole


@lru_cache(maxsize=4_096)
def _figure(text: str, thousands: str, decimal: str) -> str:
    def write(found: re.Match[str]) -> str:
        whole, part, currency = found.groups()
        if part is not None and len(part) == 3 and currency is not None and currency not in THREE_DECIMALS:
            return found[0]
        return _GROUPS.sub(thousands, whole) + (decimal + part if part else "") + (f" {currency}" if currency else "")

    return _NUMBER.sub(write, text)
