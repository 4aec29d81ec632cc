"""City, postcode and street address. Pure: no Django, clock, network or settings.

Repairs spacing, and capitals of a city; house numbers, abbreviations and spelling are left alone.
"""

import re

from agents.contacts.cleaned import SPACING, Cleaned, capital, settle, tidy
from portal.retold import kept

# Where a code is written in two groups: digits or letters before the space (UPU, postal addressing systems).
_FIRST_GROUP = {"CA": 3, "CZ": 3, "GB": -3, "GR": 3, "IE": 3, "NL": 4, "SE": 3, "SK": 3}
_SMALL_WORDS = frozenset(
    "a al am an and aan auf bei da das de de' dei del della der des di do dos du e el en et i im in la las le"
    " les los of on op sul sur the un upon van von y zu".split()
)
# Large and small form of these depend on the language, and the city does not tell it.
_TURKISH_I = frozenset("İı")
_DUTCH_ARTICLES = frozenset({"'s", "'t", "’s", "’t"})
_CAPITALS = frozenset({"DC", "NYC", "DF", "CDMX", "USA", "UK"})
_CAPITALS_OF_PLACE = kept("the usual capitals of a place name")
_SPACING_OF_CODE = kept("spacing of the postcode")
_WORD = re.compile(r"[^\s\-/]+|[\s\-/]+")


def clean_city(raw: str) -> Cleaned:
    text = tidy(raw)
    if not (text.isupper() or text.islower()) or len(text) <= 3 or not _TURKISH_I.isdisjoint(text):
        return settle(raw, text, SPACING, 0.99)
    return settle(raw, _capitalised(text), _CAPITALS_OF_PLACE, 0.96)


def clean_postcode(raw: str, country: str | None) -> Cleaned:
    """`country` is ISO 3166-1 alpha-2. Digits only are joined, where the country writes no groups."""
    text = tidy(raw)
    if country in _FIRST_GROUP:
        if text != raw or text.islower():
            text = _grouped(text, _FIRST_GROUP[country])
    elif re.fullmatch(r"\d+(?: \d+)*", text):
        text = text.replace(" ", "")
    return settle(raw, text, _SPACING_OF_CODE, 0.98)


def clean_address(raw: str) -> Cleaned:
    lines = [tidy(line) for line in raw.split("\n")]
    return settle(raw, "\n".join(line for line in lines if line), SPACING, 0.99)


def _grouped(text: str, first: int) -> str:
    joined = text.replace(" ", "").upper()
    return f"{joined[:first]} {joined[first:]}" if 5 <= len(joined) <= 7 else text


def _capitalised(text: str) -> str:
    words = _WORD.findall(text.lower())
    return "".join(_word(word, first=index == 0) for index, word in enumerate(words))


def _word(word: str, *, first: bool) -> str:
    if word.upper() in _CAPITALS:
        return word.upper()
    if word in _DUTCH_ARTICLES or (word in _SMALL_WORDS and not first):
        return word
    head, mark, tail = word.partition("'") if "'" in word else word.partition("’")
    if mark and len(head) <= 1 and tail:
        return capital(head) + mark + capital(tail)
    return capital(word)
