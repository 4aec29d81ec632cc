"""Which fields of contacts say who somebody is, and how a value is written for comparison. Pure.

Numbers of other systems, notes and consents are left out: they tell nothing, or the same of many.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# More fields than this are not compared: those that are filled most often are.
MOST_FIELDS = 16
LONGEST = 120
MISSING = 0
# Two codes make one key as left * MIX + right.
MIX = np.int64(1_000_003)
# Significant digits of a number are its last ones: the same phone is written with and without its country.
PHONE_DIGITS = 9

# A shorter word of a name stands in many values by chance.
SHORTEST_WORD = 3

Codes = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]

_LEFT_OUT = re.compile(
    r"(?:^|_)(?:id|uuid|ref|reference|number_of|consent|opt_in|newsletter|notes?|comments?|source|owner|created|updated"
    r"|modified|tags?|language|locale|currency|status|stage|score)(?:_|$)"
)
_BIRTH = re.compile(r"(?:^|_)(?:date_of_birth|birth_?date|birthday|born|dob)(?:_|$)")
_GIVEN = re.compile(r"(?:^|_)(?:given|first|fore)_?name(?:_|$)")
_FULL = re.compile(r"^(?:full_?|contact_?|display_?)?name$")
_NAME = re.compile(r"(?:^|_)(?:sur|last_?|family_?|middle_?)name(?:_|$)")
_PLACE = re.compile(
    r"(?:^|_)(?:city|town|suburb|locality|county|state|province|region|postcode|postal_code|zip|country)(?:_|$)"
)
_MASK = re.compile(r"[a-z*#•]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Contacts by column. `codes` numbers each distinct value over all fields; 0 is a missing one.

    `echoes` marks values that are made of the contact's own name, as `kim.lee@` and `Lee Ltd` are of Kim Lee.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    values: Mapping[str, Sequence[str]]
    codes: Mapping[str, Codes]
    echoes: Mapping[str, Marks]

    def __len__(self) -> int:
        return len(self.ids)


def is_birth_date(name: str) -> bool:
    """Whether a field holds a date of birth."""
    return bool(_BIRTH.search(name.lower()))


def is_given_name(name: str) -> bool:
    """Whether a field holds what tells people of one household apart."""
    return bool(_GIVEN.search(name.lower()) or _FULL.match(name.lower()))


def is_name(name: str) -> bool:
    """Whether a field holds a name of the person, or a part of one."""
    return is_given_name(name) or bool(_NAME.search(name.lower()))


def is_place(name: str) -> bool:
    """Whether a field names a place, of which one may follow from another."""
    return bool(_PLACE.search(name.lower()))


def is_email(name: str) -> bool:
    """Whether a field holds an e-mail address."""
    return "mail" in name.lower()


def words(value: str) -> list[str]:
    """The words of a value in small letters and digits, without accents."""
    folded = unicodedata.normalize("NFKD", value[:LONGEST].casefold())
    return re.findall(r"[^\W_]+", "".join(c for c in folded if not unicodedata.combining(c)))


def normalise(name: str, value: str) -> str:
    """A value as it is compared: its words joined; "" where it says nothing."""
    lowered = name.lower()
    if "phone" in lowered or "mobile" in lowered:
        masked = _MASK.search(re.sub(r"(?i)ext\.?|tel:?", "", value))
        return "" if masked else re.sub(r"\D", "", value)[-PHONE_DIGITS:]
    if is_email(name):
        return re.sub(r"\s|mailto:", "", value[:LONGEST].casefold())
    found = words(value)
    return "".join(sorted(found) if _FULL.match(lowered) else found)


def columns(records: Sequence[tuple[str, Mapping[str, str]]]) -> Columns:
    """The fields worth comparing of (id, fields); those that fewer than two contacts fill are left out."""
    filled = Counter(name for _, fields in records for name in fields)
    usable = [name for name, count in filled.items() if count > 1 and not _LEFT_OUT.search(name.lower())]
    names = tuple(sorted(sorted(usable), key=lambda name: -filled[name])[:MOST_FIELDS])
    numbers: dict[str, int] = {"": MISSING}
    values = {n: [normalise(n, str(fields.get(n) or "")) for _, fields in records] for n in names}
    codes = {
        n: np.fromiter((numbers.setdefault(v, len(numbers)) for v in values[n]), np.int64, len(records)) for n in names
    }
    return Columns(tuple(key for key, _ in records), names, values, codes, _echoes(records, names))


def _echoes(records: Sequence[tuple[str, Mapping[str, str]]], names: Sequence[str]) -> dict[str, Marks]:
    found = {name: np.zeros(len(records), np.bool_) for name in names if not is_name(name)}
    for place, (_, fields) in enumerate(records):
        own = {word for name in names if is_name(name) for word in words(str(fields.get(name) or ""))}
        own = {word for word in own if len(word) >= SHORTEST_WORD}
        for name, marks in found.items() if own else ():
            value = str(fields.get(name) or "")
            marks[place] = _made_of(own, value, email=is_email(name)) if value else False
    return found


def _made_of(own: set[str], value: str, *, email: bool) -> bool:
    local = value.casefold().partition("@")[0]
    return any(word in local for word in own) if email else not own.isdisjoint(words(value))
