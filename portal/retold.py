"""Sentences that are kept in English and told in the reader's language: summaries, reasons, what was found. Pure.

What is kept is the same whoever was at work, since it is hashed, compared and read by programs. Its writer registers
each sentence with its gaps, `REFUND = kept("Refund %(amount)s to %(where)s")`, fills them with `REFUND % {...}`, and
`say` finds the sentence again by its words. What nobody registered stays as it is: a person or a model wrote it.
What was joined of several, by spaces, by semicolons or as a list, is told part by part where each part is known.
"""

import re
from functools import lru_cache

from django.utils.translation import get_language, gettext

from portal import figures

_GAP = re.compile(r"%\((\w+)\)s")
_AMOUNT = re.compile(r"-?\d+(?:\.\d+)? [A-Z]{3}")
_SENTENCES: dict[str, re.Pattern[str]] = {}
# Letters and messages are longer; they are not looked through, nor are more beginnings than so many.
LONGEST, MOST_ENDS = 2_000, 12
_END = re.compile(r"(?<=[.!?]) (?=\S)")
_JOINT = re.compile(rf"{_END.pattern}|; ")
# Codes and numbers are the same in every language.
_CODE = re.compile(r"(?!.*[^\W\dA-Z_]{2})\S+")
_Found = tuple[str, dict[str, str]]


def kept(sentence: str) -> str:
    """Register a sentence, with gaps like %(amount)s; returns it as it came.

    `make messages` collects the calls, so a sentence stands in one as it is written.
    """
    parts = _GAP.split(sentence.replace("%%", "%"))
    gaps: set[str] = set()
    pattern = ""
    for position, part in enumerate(parts):
        if position % 2 == 0:
            pattern += re.escape(part)
        else:
            pattern += f"(?P={part})" if part in gaps else f"(?P<{part}>.*?)"
            gaps.add(part)
    _SENTENCES[sentence] = re.compile(pattern, re.DOTALL)
    return sentence


def say(text: str) -> str:
    """The text in the language and the numbers in force: by its sentence where one is registered, else as it is."""
    if (get_language() or "en").startswith("en") and figures.amounts(text) == text:
        return text
    return _said(text, figures.manner())


def fault(text: str) -> str:
    """A refusal of the form `field: what is off`: the field stays as it is."""
    field, colon, rest = text.partition(": ")
    told = say(text)
    return f"{field}: {say(rest)}" if colon and told == text else told


@lru_cache(maxsize=4_096)
def _said(text: str, _manner: str) -> str:
    told = _told(text)
    return text if told is None else told


def _told(text: str) -> str | None:
    """None where it is none of ours."""
    if _AMOUNT.fullmatch(text):
        return figures.figure(text)
    if not text or len(text) > LONGEST:
        return None
    whole, across = _find(text)
    if whole is not None:
        return _filled(whole)
    parts = _in_parts(text)
    return _filled(across) if parts is None and across is not None else parts


def _find(text: str) -> tuple[_Found | None, _Found | None]:
    """The sentence it is, and the one it is if a gap may reach over where two texts were joined."""
    across = None
    for sentence, pattern in _by_weight(len(_SENTENCES)):
        found = pattern.fullmatch(text)
        if found is None:
            continue
        gaps = found.groupdict()
        if not any(_JOINT.search(value) for value in gaps.values()):
            return (sentence, gaps), across
        across = across or (sentence, gaps)
    return None, across


def _filled(found: _Found) -> str:
    sentence, gaps = found
    return gettext(sentence) % {name: say(value) for name, value in gaps.items()} if gaps else gettext(sentence)


def _in_parts(text: str) -> str | None:
    """Sentence by sentence, else between semicolons, else as a list; None unless each part is known."""
    for end in reversed(list(_END.finditer(text))[:MOST_ENDS]):
        first, _across = _find(text[: end.start()])
        if first is not None and (rest := _told(text[end.end() :])) is not None:
            return f"{_filled(first)} {rest}"
    if "; " in text:
        return _each(text.split("; "), "; ")
    listed, joint, last = text.rpartition(" and ")
    if not joint:
        return _each(text.split(", "), ", ") if ", " in text else None
    before, after = _each(listed.split(", "), ", "), _each([last], "")
    if before is None or after is None:
        return None
    return gettext("%(list)s and %(last)s") % {"list": before, "last": after}


def _each(parts: list[str], joint: str) -> str | None:
    told = [part if _CODE.fullmatch(part) else _told(part) for part in parts]
    known = [part for part in told if part is not None]
    return joint.join(known) if len(known) == len(told) else None


@lru_cache(maxsize=1)
def _by_weight(_known: int) -> list[tuple[str, re.Pattern[str]]]:
    """The sentences with most words of their own first: they are the surest to be meant."""
    return sorted(_SENTENCES.items(), key=lambda known: -len(_GAP.sub("", known[0])))
