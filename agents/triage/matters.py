"""Parts a message into what it is about: the customer's own words, and the separate matters among them.
Pure: no Django, clock, network or settings. It reads layout and connecting words only.
"""

import re

_SIGNATURE = re.compile(r"^--[ \t]*$.*", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_TURN = re.compile(
    r"\n[ \t]*\n"
    r"|\b(?:also|additionally|furthermore|moreover|besides(?: that)?|apart from that|in addition|by the way"
    r"|btw|plus|unrelated(?:ly)?|second(?:ly)?|(?:and )?another (?:thing|question|matter)"
    r"|(?:and )?one (?:more|other|last) (?:thing|question)|while i(?:'m| am) at it|(?:oh|ah),? and"
    r"|on (?:an|a|another) ?(?:separate|different|unrelated|other)? (?:note|matter|topic|subject))\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_FEWEST_WORDS = 2


def own_words(text: str) -> str:
    """The text without quoted lines and without the signature below `--`; all of it if nothing is left."""
    own = _QUOTED.sub("", _SIGNATURE.sub("", text)).strip()
    return own if re.search(r"\w{2}", own) else text.strip()


def split_at_turns(text: str) -> tuple[str, ...]:
    """The parts between paragraphs and turns such as "also" or "on another note"; at least one."""
    return _parts(_TURN, text)


def split_sentences(text: str) -> tuple[str, ...]:
    """The sentences and lines of the text; at least one part."""
    return _parts(_SENTENCE, text)


def _parts(border: re.Pattern[str], text: str) -> tuple[str, ...]:
    parts = (part.strip(" \t\n.,;:-…") if border is _TURN else part.strip() for part in border.split(text))
    return tuple(part for part in parts if len(re.findall(r"\w+", part)) >= _FEWEST_WORDS) or (text,)
