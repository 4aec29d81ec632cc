"""Phone numbers to E.164. Pure: no Django, clock, network or settings.

Refuses to repair a number that hides digits, spells words, or needs a guess: phonenumbers reads letters as
keypad digits, so whatever is not a plain number is flagged before the library sees it.
"""

import re
import unicodedata

import phonenumbers

from agents.contacts.cleaned import Cleaned, flag, tidy
from portal.retold import kept

# Words that may stand before a number, in the languages of the contacts.
_LABEL = re.compile(
    r"^(?:(?:tel(?:[eé](?:phone?|fono?|fon))?|telefon[eo]?|phone|ph|mob(?:ile?|iel)?|m[oó]vil|celular|cell?|"
    r"handy|fax|fon|tlf|t|p|m|office|work|home|direct|whatsapp|call|тел|電話|携帯|전화|电话|手机)"
    r"(?:\s?(?:no|nr|number|numero|número)\b)?\s*[.:]*\s*|[\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2]\ufe0f?\s*)+"
    r"(?=[+(\d])",
    re.IGNORECASE,
)
# An extension stands apart from the number: an x between two digits, or behind a hyphen, may be a hidden digit.
_EXTENSION = re.compile(
    r"[\s,.\-]*(?:;ext=|(?:(?<=[\s,.\-])|(?<=\)))(?:extension|extn?|int|poste|durchwahl|dw|app)[.:]?\s*"
    r"|(?<=[\s,)])x[.:]?\s*)(\d{1,7})$",
    re.IGNORECASE,
)
_BARE_X = re.compile(r"\s*(?<=[\s,)])x[.:]?\s*(\d{1,7})$", re.IGNORECASE)
_URI_PARAMETER = re.compile(r";[a-z-]+=[^;]*", re.IGNORECASE)
_DASH = r"\-\u2010-\u2015\u2212"
_PLAIN = re.compile(rf"[+\d\s().{_DASH}/]*")
_MASK = re.compile(
    rf"[x*#?_~\u2022\u25cf\u00d7\u2026\u2588\u25a0]|\.{{3}}|\d\s*[{_DASH}]{{3,}}\s*\d|[.{_DASH}]{{2,}}$", re.IGNORECASE
)
_TRUNK_ZERO = re.compile(r"(?<=\d)\s*\(0\)")
_NUMBERS_APART = re.compile(r"[/;,|]|\s(?:or|and|oder|und|ou|et|o|y)\s", re.IGNORECASE)
_NO_COUNTRY = kept("lacks a country code, and the country is not known")
_MAY_HIDE = kept("an x may stand for a hidden digit")
_HIDDEN = kept("some digits are hidden")
_TWO_NUMBERS = kept("holds two numbers")
_LETTERS = kept("holds words or letters")
_NO_NUMBER = kept("not a phone number")
_TWO_READINGS = kept("can be read as two numbers")
_INTERNATIONAL = kept("written in the international form")
_INTERNATIONAL_OF = kept("written in the international form of %(country)s")
_TOO_FEW = kept("has too few digits for its country")
_TOO_MANY = kept("has too many digits for its country")
_NOT_IN_USE = kept("is no number in use in its country")
_TOO_SHORT = (phonenumbers.ValidationResult.TOO_SHORT, phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def clean(raw: str, region: str | None) -> Cleaned:
    """E.164 in `value`, digits of the extension apart. `region` is ISO 3166-1 alpha-2, None if not known."""
    text = tidy(unicodedata.normalize("NFKC", raw))
    if not text:
        return Cleaned(raw)
    if why := _unreadable(text):
        return flag(raw, why)
    if _may_hide_digit(text, region):
        return flag(raw, _MAY_HIDE)
    return _parsed(raw, _without_label(text), region)


def _without_label(text: str) -> str:
    return text if text.lower().startswith("tel:") else _LABEL.sub("", text)


def _unreadable(text: str) -> str:
    """Why this is not one plainly written number; "" if it is."""
    number = _EXTENSION.sub("", _URI_PARAMETER.sub("", _LABEL.sub("", text)))
    if _MASK.search(number):
        return _HIDDEN
    if _counts_two(number):
        return _TWO_NUMBERS
    if not _PLAIN.fullmatch(number):
        return _LETTERS
    return ""


def _may_hide_digit(text: str, region: str | None) -> bool:
    """Whether a bare x could cover a digit: with one in its place, what looked like an extension ends a valid one."""
    found = _BARE_X.search(text)
    if found is None:
        return False
    before = _without_label(text[: found.start()])
    tries = (number for digit in range(10) for number in _readings(f"{before}{digit}{found[1]}", region))
    return any(phonenumbers.is_valid_number(number) for number in tries)


def _counts_two(number: str) -> bool:
    """True for two whole numbers, and for a short second ending such as `/68`."""
    parts = [len(re.sub(r"\D", "", part)) for part in _NUMBERS_APART.split(number)]
    whole = sum(count >= 6 for count in parts)
    return number.count("+") > 1 or whole > 1 or (len(parts) > 1 and parts[0] >= 6 and 0 < parts[-1] <= 2)


def _parsed(raw: str, text: str, region: str | None) -> Cleaned:
    readings = _readings(text, region)
    if not readings:
        return flag(raw, _NO_NUMBER if region or text.startswith("+") else _NO_COUNTRY)
    valid = {_e164(number): number for number in readings if phonenumbers.is_valid_number(number)}
    if len(valid) != 1:
        return flag(raw, _TWO_READINGS if valid else _fault(readings[0]))
    ((value, number),) = valid.items()
    if value == raw:
        return Cleaned(raw)
    extension = number.extension or ""
    if text.startswith(("+", "00")):
        return Cleaned(value, "fix", _INTERNATIONAL, 0.99, extension)
    return Cleaned(value, "fix", _INTERNATIONAL_OF % {"country": region}, 0.96, extension)


def _readings(text: str, region: str | None) -> list[phonenumbers.PhoneNumber]:
    """As the region dials it; with 00 as the international prefix (ITU-T E.123); without a bracketed (0)."""
    tries = [(text, region)]
    if text.startswith("00"):
        tries.append(("+" + text[2:], None))
    tries += [(_TRUNK_ZERO.sub("", each), where) for each, where in tries if _TRUNK_ZERO.search(each)]
    return [number for number in (_parse(*each) for each in tries) if number is not None]


def _parse(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _fault(number: phonenumbers.PhoneNumber) -> str:
    result = phonenumbers.is_possible_number_with_reason(number)
    if result in _TOO_SHORT:
        return _TOO_FEW
    if result == phonenumbers.ValidationResult.TOO_LONG:
        return _TOO_MANY
    return _NOT_IN_USE
