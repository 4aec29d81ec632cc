"""Names of persons. Pure: no Django, clock, network or settings.

Repairs spacing, and case only of a name typed wholly in one case. Mixed case is somebody's own spelling
(van, de, O', Mc, al-) and stays. Small letters stay too unless the e-mail address shows they are haste.
"""

import re

from agents.contacts.cleaned import SPACING, Cleaned, capital, flag, plain, settle, tidy
from portal.retold import kept

# Written small or large by family and country: which of the two cannot be seen in a name of one case.
_PARTICLES = frozenset(
    "af al ap av ben bin bint da dal das de degli dei del della den der di do dos du el ibn la las le los"
    " op san st st. ten ter tot van vom von zu zum zur".split()
)
_SUFFIXES = frozenset({"II", "III", "IV", "VI", "VII"})
_INNER_CAPITAL = re.compile(r"\b(?:(?:mac|fitz)[^\W\d_]{3,}|d['’])", re.IGNORECASE)
_TWO_CONSONANTS = re.compile(r"[b-df-hj-np-tv-xz]{2}", re.IGNORECASE)
_DOTTED_INITIAL = re.compile(r"\b[^\W\d_]\.")
_NOT_A_PERSON = re.compile(r"[\d&@/_]|\b(?:gmbh|ltd|inc|llc|co|corp|kg|ag|sarl|srl|bv|plc)\b\.?$", re.IGNORECASE)
_PART = re.compile(r"[^\s\-'’.,]+|[\s\-'’.,]+")
_NOT_CERTAIN = kept("which letters of this name are capitals is not certain")
_ONE_CASE = kept("capitals of a name typed in one case")


def clean(raw: str, email: str = "") -> Cleaned:
    """The name as it should stand; `email` is the same contact's address, for small letters only."""
    text = tidy(raw)
    if not _needs_capitals(text, email):
        return settle(raw, text, SPACING, 0.99)
    if _is_uncertain(text):
        return flag(raw, _NOT_CERTAIN)
    return settle(raw, _capitalised(text), _ONE_CASE, 0.95)


def _needs_capitals(text: str, email: str) -> bool:
    if _NOT_A_PERSON.search(text) or len(text) <= 3:
        return False
    if text.isupper():
        return True
    return text.islower() and not _DOTTED_INITIAL.search(text) and _is_spelled_by(email, text)


def _is_spelled_by(email: str, name: str) -> bool:
    """True if first and last word of the name stand in the address: then its small letters came along."""
    words = re.findall(r"[^\W\d_]+", name)
    return len(words) > 1 and all(plain(word) in plain(email) for word in (words[0], words[-1]))


def _is_uncertain(text: str) -> bool:
    words = re.split(r"[\s\-'’]+", text.lower())
    has_initials = any(_TWO_CONSONANTS.fullmatch(word) for word in words)
    has_particle = not _PARTICLES.isdisjoint(words[:-1])
    has_two_kinds_of_i = not {"İ", "ı"}.isdisjoint(text)
    return has_initials or has_particle or has_two_kinds_of_i or bool(_INNER_CAPITAL.search(text))


def _capitalised(text: str) -> str:
    return "".join(_part(part) for part in _PART.findall(text))


def _part(part: str) -> str:
    if part in _SUFFIXES:
        return part
    if part.lower().startswith("mc") and len(part) > 3:
        return "Mc" + capital(part[2:])
    return capital(part)
