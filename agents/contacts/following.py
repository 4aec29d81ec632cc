"""What a reviewer's instruction says of a contact's fields. Pure: no Django, clock, network or settings.

Reads "keep the phone", "only the city" and "country is Austria"; a value goes through its field's own cleaner.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agents.contacts.cleaned import tidy

_CALLED = {
    "full_name": "full name|name",
    "email": "e-?mail address|e-?mail|mail",
    "phone": "phone number|telephone number|telephone|phone|mobile|number",
    "country": "country",
    "address": "street address|address|street",
    "city": "city|town",
    "postcode": "postal code|post ?code|zip code|zip",
}
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|;|\n")
_KEEP = r"(?:keep|leave|skip|spare|without|except(?:\s+for)?|not|don['’]?t\s+\w+|do\s+not\s+\w+)"
_RIGHT = re.compile(
    r"(?:fine|ok|okay|right|correct|good|true)\b.{0,20}|(?:left\s+)?(?:as\s+it\s+is|unchanged|alone)", re.IGNORECASE
)
_WRONG = re.compile(r"(?:not|wrong|false|incorrect|missing)\b.*", re.IGNORECASE)
_ENDS = re.compile(r",?\s*(?:\b(?:and|but)\s+)?\b(?:keep|leave|skip|don['’]?t|do\s+not)\b.*$", re.IGNORECASE)
_IS = r"(?:\s+(?:is|should\s+(?:be|read)|must\s+be|to|reads)\s+|\s*[=:]\s*)"


@dataclass(frozen=True, slots=True)
class Wish:
    """Fields to leave as they are, fields to take alone (none: all), and values for named fields."""

    kept: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def says_something(self) -> bool:
        """Whether anything was understood."""
        return bool(self.kept or self.only or self.values)

    def leaves(self, name: str) -> bool:
        """Whether a field stays as it is."""
        return name in self.kept or (bool(self.only) and name not in self.only and name not in self.values)


def read_all(texts: Sequence[str], fields: Iterable[str]) -> Wish:
    """Several instructions, oldest first: the later word on a field counts."""
    known, wish = tuple(fields), Wish()
    for text in texts:
        one = read(text, known)
        kept = (wish.kept - set(one.values) - one.only) | one.kept
        values = {name: value for name, value in wish.values.items() if name not in one.kept} | dict(one.values)
        wish = Wish(frozenset(kept), one.only or wish.only, values)
    return wish


def read(text: str, fields: Iterable[str]) -> Wish:
    """What one instruction says about these fields of the record."""
    labels = _labels(fields)
    any_label = "|".join(sorted((pattern for pattern in labels.values()), key=len, reverse=True))
    listed = rf"(?:the\s+|its\s+|their\s+)?(?:{any_label})"
    several = rf"{listed}(?:\s*(?:,|and|&|or|nor|,\s*and)\s+{listed})*"
    kept: set[str] = set()
    only: set[str] = set()
    values: dict[str, str] = {}
    for sentence in _SENTENCE.split(text):
        for match in re.finditer(rf"\b{_KEEP}\s+(?P<fields>{several})\b", sentence, re.IGNORECASE):
            kept |= _named(match.group("fields"), labels)
        for match in re.finditer(rf"\bonly\s+(?:\w+\s+)?(?P<fields>{several})\b", sentence, re.IGNORECASE):
            only |= _named(match.group("fields"), labels)
        for name, value in _values(sentence, labels).items():
            if _RIGHT.fullmatch(value):
                kept.add(name)
            elif not _WRONG.fullmatch(value):
                values[name] = value
    return Wish(frozenset(kept - set(values)), frozenset(only), values)


def _labels(fields: Iterable[str]) -> dict[str, str]:
    """A pattern of how people call each field."""
    return {name: _CALLED.get(name) or re.escape(name).replace("_", r"[\s_]") for name in fields}


def _named(text: str, labels: Mapping[str, str]) -> set[str]:
    return {name for _, _, name in _places(text, labels, r"\b")}


def _places(text: str, labels: Mapping[str, str], after: str) -> list[tuple[int, int, str]]:
    """Where fields are named, in order; 'e-mail address' names no address."""
    found = [
        (match.start(), match.end(), name)
        for name, called in labels.items()
        for match in re.finditer(rf"\b(?:{called}){after}", text, re.IGNORECASE)
    ]
    return sorted(
        (start, end, name) for start, end, name in found if not any(s < start < e and n != name for s, e, n in found)
    )


def _values(sentence: str, labels: Mapping[str, str]) -> dict[str, str]:
    """'country is Austria and city is Wien': each value up to the next field or the sentence's end."""
    places = _places(sentence, labels, _IS)
    found: dict[str, str] = {}
    for number, (_, end, name) in enumerate(places):
        stop = places[number + 1][0] if number + 1 < len(places) else len(sentence)
        rest = _ENDS.sub("", sentence[end:stop])
        rest = re.sub(r"\s*(?:,|\band\b|,?\s*\bbut\b)?\s*(?:the\s+)?$", "", rest, flags=re.IGNORECASE)
        if value := _bare(rest):
            found[name] = value
    return found


def _bare(text: str) -> str:
    """A value without quotes, a closing full stop and courtesies."""
    text = re.sub(r",?\s*\bplease\b\s*$", "", tidy(text).removesuffix("."), flags=re.IGNORECASE).strip()
    quoted = re.fullmatch(r"[\"'“‘«](.+)[\"'”’»]", text)
    return (quoted.group(1) if quoted else text).strip()
