"""Characters that leave no ink, or bend the order of reading, made visible. Pure.

A page shows each as its code point, so that what is read is what is there: hidden orders, forged names, split words.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from portal.retold import kept

_LINES = frozenset("\t\n\r")
# Letters and marks by their class that show nothing: joiner of graphemes, fillers of Hangul, selectors of Mongolian,
# inherent vowels of Khmer, an empty Braille cell.
_BLANK = frozenset("\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d\u180f\u17b4\u17b5\u2800\ufffc")
_KEYCAPS = frozenset("#*0123456789\u00a9\u00ae\u203c\u2049\u3030\u303d")
_TAGS = range(0xE0020, 0xE007F)
_CONTROL = kept("%(point)s control character%(times)s")
_NAMELESS = kept("%(point)s character without a name%(times)s")
_TAGGED = kept("%(point)s tag characters that nobody sees; they say: %(said)s")
_TAGS_SAY = kept("tags “%(said)s”")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text. What is not seen has a `code` ("U+200B zero width space") and a short `label`."""

    text: str
    code: str = ""
    label: str = ""


def unseen(char: str) -> bool:
    """Whether a character leaves no ink, or bends the reading order: Unicode's Cc, Cf, Co, Cs, Zl, Zp and some more."""
    if char in _LINES:
        return False
    return unicodedata.category(char) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") or char in _BLANK or _selects(char)


def _selects(char: str) -> bool:
    """A variation selector: 256 of them, so that a row of them carries a text byte by byte."""
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def part(text: str) -> Iterator[Stretch]:
    """The text in order, each run of one unseen character, or of tags, as a stretch of its own. Nothing is lost."""
    for kind, members in groupby(enumerate(text), lambda pair: _kind(text, *pair)):
        run = "".join(char for _, char in members)
        yield Stretch(run) if not kind else _named(run)


def hidden(text: str) -> int:
    """How many characters of a text are not seen."""
    return sum(bool(_kind(text, at, char)) for at, char in enumerate(text)) if not text.isascii() else _control(text)


def _control(text: str) -> int:
    return sum(unseen(char) for char in text)


def _kind(text: str, at: int, char: str) -> str:
    """ "" for what is seen; tags together, anything else by itself. A selector that belongs to a sign is seen in it."""
    if not unseen(char):
        return ""
    before = text[at - 1] if at else ""
    if char in "\ufe0e\ufe0f" and before and (before in _KEYCAPS or unicodedata.category(before) in ("So", "Sm", "Sk")):
        return ""
    return "tags" if ord(char) in _TAGS else char


def _named(run: str) -> Stretch:
    first, times = run[0], f" ×{len(run)}" if len(run) > 1 else ""
    point = f"U+{ord(first):04X}"
    if ord(first) in _TAGS:
        said = "".join(chr(ord(char) - 0xE0000) for char in run)
        return Stretch(run, _TAGGED % {"point": point, "said": said}, _TAGS_SAY % {"said": said})
    name = unicodedata.name(first, "").lower()
    nameless = (_CONTROL if first < "\ud800" else _NAMELESS) % {"point": point, "times": times}
    return Stretch(run, f"{point} {name}{times}" if name else nameless, point + times)
