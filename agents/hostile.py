"""Finds text that talks to the machine instead of to the staff. Pure: no Django, clock, network or settings.

It only flags and sets passages aside: a flag never proves an attack, and nothing found here is ever obeyed.
Read by the agents before they classify or quote what a stranger wrote.
"""

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from agents import hostile_cues, hostile_phrases

INJECTION = "injection"
HIDDEN_TEXT = "hidden_text"

_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
# Joiners belong into emoji and Arabic, Indic and Hebrew writing; inside Latin words they hide something.
_SMUGGLED = re.compile(
    r"[A-Za-z0-9][\u200b-\u200d\u2060-\u2064\ufeff\u00ad]+[A-Za-z0-9]"
    r"|[\u202a-\u202e\u2066-\u2069]"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007e])[\U000e0020-\U000e007e]+"
)
_COMMENT = re.compile(r"<!--(.*?)(?:-->|\Z)", re.DOTALL)
_BLOCK = re.compile(
    r"<(information|system|instructions?|important|prompt|admin|task)\b[^>]{0,30}>.*?(?:</\1\s*>|\Z)",
    re.I | re.S,
)
_FEWEST_WORDS = 3
# So many different cues in one text: fewer are found in what customers write.
_SCRIPT_CUES = 3
_SPELLED = re.compile(r"\b(?:\w[.\-_*\u00b7]){2,}\w\b")
_ENCODED = re.compile(r"\b[A-Za-z0-9+/]{24,}={0,2}")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says to the staff (`matter`) and, line by line, to the machine (`passages`)."""

    matter: str
    flags: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()


def read(text: str) -> Reading:
    """Part the text: `matter` holds no hidden characters, no HTML comments and no line that gives orders.

    If lines leave too little, only ordering sentences go; if those do too, none: it must be routed.
    """
    visible = reveal(text)
    passages = tuple(dict.fromkeys(_orders(visible)))
    flags = [INJECTION] if passages or _smuggles_orders(text) else []
    if _SMUGGLED.search(text):
        flags.append(HIDDEN_TEXT)
    return Reading(_without_orders(visible, passages), tuple(flags), passages)


def flags(text: str) -> tuple[str, ...]:
    """`injection` for text that instructs the machine, `hidden_text` for characters nobody can see."""
    return read(text).flags


def reveal(text: str) -> str:
    """The text as a person sees it: forms folded (NFKC), control and hidden characters taken out."""
    folded = unicodedata.normalize("NFKC", _HIDDEN.sub("", text))
    return "".join(c if c in "\n\t" or unicodedata.category(c) != "Cc" else " " for c in folded)


def instructs(text: str) -> bool:
    """Whether some phrase of it speaks to the machine."""
    joined = _SPELLED.sub(lambda word: re.sub(r"[^\w]", "", word.group(0)), text)
    return any(pattern.search(one) for one in {text, joined} for pattern in hostile_phrases.SURE)


def _cues(text: str) -> int:
    return sum(bool(pattern.search(text)) for pattern in hostile_cues.CUES)


def _orders(visible: str) -> list[str]:
    found = [block.group(0) for block in _BLOCK.finditer(visible)]
    lines = [line.strip() for line in visible.splitlines() if instructs(line)]
    return found + (lines or _script(visible))


def _script(visible: str) -> list[str]:
    """The lines of a text that is written for a machine as a whole, though none of them says so by itself."""
    if _cues(visible) < _SCRIPT_CUES:
        return [visible] if "\n" in visible and instructs(visible) else []
    return [line.strip() for line in visible.splitlines() if _cues(line) >= 2] or [visible]


def _smuggles_orders(text: str) -> bool:
    """Orders written in tag characters (Unicode block E0000) or in base64."""
    tags = "".join(chr(ord(c) - 0xE0000) for c in text if 0xE0020 <= ord(c) <= 0xE007E)
    return instructs(tags) or any(instructs(_decode(token)) for token in _ENCODED.findall(text)[:20])


def _decode(token: str) -> str:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _without_orders(visible: str, passages: tuple[str, ...]) -> str:
    open_text = _COMMENT.sub("\n", _BLOCK.sub("\n", visible))
    for kept in _less_and_less(open_text, passages) if passages else (open_text,):
        if len(re.findall(r"\w{2,}", kept)) >= _FEWEST_WORDS:
            return kept.strip()
    return visible.strip()


def _less_and_less(text: str, passages: tuple[str, ...]) -> Iterator[str]:
    yield "\n".join(line for line in text.splitlines() if line.strip() not in passages and not instructs(line))
    yield " ".join(part for part in re.split(r"(?<=[.!?])\s+", text) if not instructs(part))
