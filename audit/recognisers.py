"""Finds what identifies a person, moves money or opens a door, in a text anybody may have written. Pure.

What nobody sees is looked through: a zero-width space inside an address hides nothing. It finds by form, so it
knows no street and no name by itself: those come as `Known` values, from the record at hand.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

SECRET, EMAIL, IBAN, CARD, PHONE, BIRTH_DATE = "SECRET", "EMAIL", "IBAN", "CARD", "PHONE", "BIRTH_DATE"
NAME, ADDRESS, TEXT = "NAME", "ADDRESS", "TEXT"
KINDS = (SECRET, EMAIL, IBAN, CARD, PHONE, BIRTH_DATE, NAME, ADDRESS)

_NAMED = "|".join(kind.replace("_", "[ _-]") for kind in (*KINDS, TEXT))
PLACEHOLDER = re.compile(rf"\[(?:[A-Z]+(?:_[A-Z]+)*_[0-9]+|(?i:{_NAMED})[ _-]?[0-9]*)\]")
"""Ours (`[EMAIL_1]`), and what is near enough that a reader takes it for one of ours (`[email 1]`)."""
FEWEST_DIGITS = 7
"""Of a telephone number; ITU-T E.164 allows 15."""
MOST_GROUPS = 6
"""In which people write the digits of a card."""
REGIONS = ("US", "GB", "DE", "FR", "ES")
"""Whose numbers are known as such without the code of a country."""
OLD_ENOUGH = 2009
"""A date up to this year is one of birth: nothing else in a message about an order is so old."""
SHORTEST_KNOWN = 2
COMMON_WORD = 4
"""Letters: a name no longer than this may be a word ("Will"), and is one unless it begins with a capital."""

# Length of an IBAN by country, SWIFT IBAN Registry, release 99.
_LENGTHS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29"
    " ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20"
    " LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29"
    " PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS = {pair[:2]: int(pair[2:]) for pair in _LENGTHS.split()}


@dataclass(frozen=True, slots=True)
class Known:
    """A value that a record calls personal: `kind` is one of KINDS, most often NAME or ADDRESS."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Span:
    """What was found from `start` up to `end` of the text."""

    kind: str
    start: int
    end: int


def find(text: str, known: Sequence[Known] = ()) -> tuple[Span, ...]:
    """All that is recognised, from left to right; where two overlap the kind that is looked for first.

    What a reader would take for a placeholder of ours is a TEXT.
    """
    folded, places = fold(text)
    taken = bytearray(len(text))
    spans: list[Span] = []
    for kind, first, last in _candidates(folded, known):
        start, end = places[first], places[last - 1] + 1
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            spans.append(Span(kind, start, end))
    return tuple(sorted(spans, key=lambda span: span.start))


def _candidates(text: str, known: Sequence[Known]) -> Iterator[tuple[str, int, int]]:
    for kind, finder in _FINDERS:
        for start, end in finder(text):
            yield kind, start, end
    for one in sorted(known, key=lambda one: -len(one.value)):
        if (pattern := _of_value(one.value.strip())) is not None:
            yield from ((one.kind, *found.span()) for found in pattern.finditer(text))


def fold(text: str) -> tuple[str, Sequence[int]]:
    """The text as it is read, forms folded (NFKC) and unseen characters out; and where each character came from."""
    if text.isascii() and text.isprintable():
        return text, range(len(text))
    letters: list[str] = []
    places: list[int] = []
    for at, char in enumerate(text):
        if char in "\n\t" or not _unseen(char):
            shape = unicodedata.normalize("NFKC", char)
            letters.append(shape)
            places += [at] * len(shape)
    return "".join(letters), places


def _unseen(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf") or "\ufe00" <= char <= "\ufe0f" or char in "\u034f\u180b\u180c"


_PREFIXED = (
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)[-_][\w-]{8,}|\bsk-[\w-]{16,}|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"
    r"|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bxox[abeprs]-[\w-]{8,}|\bAIza[\w-]{30,}"
    r"|\bwhsec_\w{16,}|\b(?:npm|hf|cs|pypi)_?[_-][A-Za-z0-9_-]{24,}|\bSG\.[\w-]{16,}\.[\w-]{16,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?"
)
_TOLD = (
    r"(?i:\b(?:pass ?word|pass ?phrase|passwort|passwd|pwd|secret|api[ _-]?key|secret[ _-]?key|access[ _-]?key"
    r"|(?:access|auth|api|bearer)[ _-]?token|token|bearer|pin(?: code)?|cvv|cvc|otp|tan)\b"
    r"(?:\s{0,3}(?:is|was|:|=|lautet|ist)){1,2}\s{0,3}[\"'`]?)(?P<told>[^\s\"'`]{3,200})"
)
_MIXED = (
    r"(?<![\w+/=-])(?=[\w+/-]{0,80}[0-9])(?=[\w+/-]{0,80}[a-z])(?=[\w+/-]{0,80}[A-Z])"
    r"(?!(?:[^/\s]{0,80}/){3})[A-Za-z0-9+/_-]{32,}={0,2}"  # not a path
)
_SECRETS = re.compile(rf"{_PREFIXED}|{_TOLD}|://[^\s/:@]{{1,80}}:(?P<signed>[^\s/@]{{1,80}})@|{_MIXED}", re.DOTALL)
_LOCAL = r"[\w.%+'-]"
_EMAILS = re.compile(
    rf"(?<!{_LOCAL}){_LOCAL}+(?:@|\s?[\[({{]\s?at\s?[\])}}]\s?)[\w-]+(?:(?:\.|\s?[\[({{]\s?dot\s?[\])}}]\s?)[\w-]+)+",
    re.I,
)
_IBANS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?=[ -]?[A-Za-z0-9])")
_DIGIT_RUNS = re.compile(r"(?<!\d)\d+(?:[ .-]\d+)*(?!\d)")
_ABROAD = re.compile(r"(?<![\w+])(?:\+|00(?=[1-9]))[\s(]{0,2}\d(?:[\s().\-/]{0,3}\d){6,14}(?!\d)")
_CUE = re.compile(
    r"(?:phone|tel|telefon|mobile|mobil|cell|call|ring|text|whatsapp|sms|fax|reach)\W*(?:\w+\W+){0,4}$", re.I
)
_DATE = (
    r"(?:\d{1,2}[./-]\s?\d{1,2}[./-]\s?(?P<y1>\d{4}|\d{2})|(?P<y2>\d{4})[./-]\d{1,2}[./-]\d{1,2}"
    r"|\d{1,2}(?:st|nd|rd|th|\.)?(?: of)? [^\W\d]{3,9},? (?P<y3>\d{4})"
    r"|[^\W\d]{3,9} \d{1,2}(?:st|nd|rd|th)?,? (?P<y4>\d{4}))"
)
_DATES = re.compile(rf"(?<![\w./-]){_DATE}(?![\w/-])")
_BORN = re.compile(
    r"\b(?:born|birth\w*|d\.?o\.?b|geboren|geb|né|née|nacid[oa]|nascid[oa]|nat[oa])\b\W*(?:\w+\W+){0,4}$", re.I
)


def _secrets(text: str) -> Iterator[tuple[int, int]]:
    for found in _SECRETS.finditer(text):
        name = found.lastgroup
        yield found.span(name) if name else found.span()


def _matches(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    return lambda text: (found.span() for found in pattern.finditer(text))


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Country and length by the registry, then ISO 7064 mod 97-10."""
    for found in _IBANS.finditer(text):
        length = _IBAN_LENGTHS.get(found.group()[:2].upper(), 0)
        at, taken = found.start(), ""
        while at < len(text) and len(taken) < length:
            char = text[at]
            if char.isascii() and char.isalnum():
                taken += char
            elif char not in " -":
                break
            at += 1
        number = "".join(str(int(c, 36)) for c in (taken[4:] + taken[:4]))
        if length and len(taken) == length and int(number) % 97 == 1:
            yield found.start(), at


def _cards(text: str) -> Iterator[tuple[int, int]]:
    """13 to 19 digits in whole groups, first digit 2 to 6, check digit by Luhn (ISO/IEC 7812)."""
    for run in _DIGIT_RUNS.finditer(text):
        groups = [(found.start(), found.group()) for found in re.finditer(r"\d+", run.group())]
        for first, (start, _) in enumerate(groups):
            digits, good = "", 0
            for at, group in groups[first : first + MOST_GROUPS]:
                digits += group
                good = at + len(group) if _is_card(digits) else good
            if good:
                yield run.start() + start, run.start() + good
                break


def _is_card(spelled: str) -> bool:
    if not 13 <= len(spelled) <= 19 or int(spelled[0]) not in range(2, 7):
        return False
    digits = [int(char) for char in spelled]
    doubled = [2 * digit - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _phones(text: str) -> Iterator[tuple[int, int]]:
    """By `+` or `00` whatever follows; without, what is valid in a region and written or announced as a number."""
    yield from _matches(_ABROAD)(text)
    if sum(char.isdigit() for char in text) < FEWEST_DIGITS:
        return
    for region in REGIONS:
        for found in phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID):
            start, end = found.start, found.end
            apart = len(re.findall(r"\d+", found.raw_string)) > 1 or found.raw_string.startswith("0")
            named = start > 0 and text[start - 1] in "#_"
            if not named and (apart or _CUE.search(text[max(0, start - 40) : start])):
                yield start, end


def _birth_dates(text: str) -> Iterator[tuple[int, int]]:
    for found in _DATES.finditer(text):
        year = next(part for part in found.group("y1", "y2", "y3", "y4") if part)
        old = len(year) == 4 and 1900 <= int(year) <= OLD_ENOUGH
        if old or _BORN.search(text[max(0, found.start() - 40) : found.start()]):
            yield found.span()


_FINDERS: tuple[tuple[str, Callable[[str], Iterable[tuple[int, int]]]], ...] = (
    (TEXT, _matches(PLACEHOLDER)),
    (SECRET, _secrets),
    (EMAIL, _matches(_EMAILS)),
    (IBAN, _ibans),
    (CARD, _cards),
    (BIRTH_DATE, _birth_dates),
    (PHONE, _phones),
)


@lru_cache(maxsize=2048)
def _of_value(value: str) -> re.Pattern[str] | None:
    """The value as a word, with or without its accents, however spaced; None where it is too short to mean anything."""
    folded, _ = fold(value)
    words = folded.split()
    if len("".join(words)) < SHORTEST_KNOWN:
        return None
    plain = ["".join(c for c in unicodedata.normalize("NFD", word) if not unicodedata.combining(c)) for word in words]
    ways = {r"[\s.,-]{1,3}".join(re.escape(word) for word in way) for way in (words, plain)}
    pattern = rf"(?<!\w)(?:{'|'.join(sorted(ways))})(?!\w)"
    if len(folded) <= COMMON_WORD and folded.isalpha():
        return re.compile("|".join(pattern.replace(folded, form) for form in {folded.title(), folded.upper()}))
    return re.compile(pattern, re.IGNORECASE)
