"""What cleaning a field gives, and spacing shared by all. Pure: no Django, clock, network or settings.

A cleaner repairs what is certain and flags the rest for a person; it never guesses.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from portal.retold import kept

# Zero-width and direction characters that are pasted along unseen. The joiners U+200C and U+200D stay:
# Persian and Indic spelling needs them.
_UNSEEN = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_GAPS = re.compile(r"\s+")
SPACING = kept("spacing")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """`value` is what should stand there (the raw text unless `action` is fix), `reason` says why in words.

    `confidence` in a fix runs from 0 to 1; `extension` is only used for phones.
    """

    value: str
    action: Literal["fix", "keep", "flag"] = "keep"
    reason: str = ""
    confidence: float = 1.0
    extension: str = ""


def tidy(text: str) -> str:
    """The text without unseen characters, with single spaces, none at its ends."""
    return _GAPS.sub(" ", _UNSEEN.sub("", text)).strip()


def plain(text: str) -> str:
    """Case-folded and without Latin, Greek or Cyrillic accents, for comparing."""
    marked = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", _ACCENTS.sub("", marked))


def capital(word: str) -> str:
    """The word with one large letter in front; as it is where that letter has no single large form (ß)."""
    large = word[:1].upper()
    return (large if len(large) == 1 else word[:1]) + word[1:].lower()


def settle(raw: str, value: str, reason: str, confidence: float) -> Cleaned:
    """A fix where `value` differs from `raw`, else a keep."""
    if value == raw:
        return Cleaned(raw)
    return Cleaned(value, "fix", reason, confidence)


def flag(raw: str, reason: str) -> Cleaned:
    return Cleaned(raw, "flag", reason)
