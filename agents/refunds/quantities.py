"""How many pieces of a product are meant. Pure.

Reads numbers beside a product's name and spreads them over its rows; more than one way to do so is a problem.
"""

import re
from collections.abc import Iterator, Sequence

from portal.systems.records import Item

ALL = -1
BOTH = -2
_WORDS = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
        range(1, 13),
        strict=True,
    )
)
_NUMBER = rf"(?:{'|'.join(_WORDS)}|\d{{1,2}})"
_AHEAD = re.compile(
    rf"(?<![\w.,/-])(?P<count>a\s+single|{_NUMBER}|both|all|every|each)\s*(?:x|×)?\s*(?:(?:pieces?|units?|pcs\.?|items?|copies)\s+)?"
    rf"(?:(?:out\s+)?of\s+)?(?:(?:the|my|our|these|those|them)\s+)?(?:{_NUMBER}\s+)?(?:[^\W\d_]{{2,12}}\s+){{0,2}}$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"\s*(?:x|×)\s*(?P<count>\d{{1,2}})\b|\s*\(\s*(?P<count2>{_NUMBER})\s*(?:x|×|pieces?|units?|pcs|of\s+them)\s*\)",
    re.IGNORECASE,
)
_NOT_A_COUNT = re.compile(r"\b(?:size|no|number|nr|version|model|order|step)\.?\s*$", re.IGNORECASE)
_SPOILERS = re.compile(
    r"\b(?:and|from|with|order|or|is|was|to|for|in|day|days|week|weeks|month|months|times|thing|things|hours?)\b",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"\b(?:some|a\s+few|several|a\s+couple|most|part|half)\s+(?:of\s+)?(?:the\s+|my\s+)?(?:[\w-]{2,12}\s+)?$",
    re.IGNORECASE,
)
UNSURE = 0


def find_count(text: str, start: int, end: int) -> int | None:
    """Pieces asked for at a product's mention: a number, ALL, BOTH, UNSURE ('some'), or None."""
    before = text[max(0, start - 60) : start]
    if _SOME.search(before):
        return UNSURE
    behind = _BEHIND.match(text, end)
    if behind:
        return _to_number(behind.group("count") or behind.group("count2"))
    ahead = _AHEAD.search(before)
    if ahead is None or _NOT_A_COUNT.search(before[: ahead.start()]) or _SPOILERS.search(before[ahead.end("count") :]):
        return None
    return _to_number(ahead.group("count"))


def choose(rows: Sequence[Item], count: int | None, singular: bool) -> tuple[tuple[tuple[Item, int], ...], str]:
    """Rows with pieces for `count`, and "" or the problem: "items" (which ones), "quantity" (too many).

    Where no number is said, `singular` makes it one of several alike.
    """
    total = sum(row.quantity for row in rows)
    everything = tuple((row, row.quantity) for row in rows)
    alike = len({(row.item_id, row.unit_price_minor) for row in rows}) == 1
    if count is None and singular and alike:
        count = 1
    if count is None:
        return (everything, "") if total == 1 else ((), "items")
    if count in (ALL, total) or (count == BOTH and total == 2):
        return everything, ""
    if count == BOTH or count > total:
        return (), "quantity"
    if count == UNSURE or not alike:
        return (), "items"
    return tuple(_take(rows, count)), ""


def _take(rows: Sequence[Item], count: int) -> Iterator[tuple[Item, int]]:
    for row in rows:
        pieces = min(row.quantity, count)
        count -= pieces
        if pieces:
            yield row, pieces


def _to_number(word: str) -> int:
    plain = " ".join(word.casefold().split())
    if plain == "a single":
        return 1
    if plain in ("all", "every", "each"):
        return ALL
    return BOTH if plain == "both" else _WORDS.get(plain) or int(plain)
