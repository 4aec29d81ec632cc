"""E-mail addresses. Pure: no Django, clock, network or settings; domains are never looked up.

Takes off wrapping that cannot be part of an address. A missing, doubled or spelled-out sign is flagged.
"""

import re

from email_validator import EmailNotValidError, validate_email

from agents.contacts.cleaned import Cleaned, flag, tidy
from portal.retold import kept

_NAMED = re.compile(r"^[^<>@]*<([^<>]+)>$")
_MAILTO = re.compile(r"^mailto:\s*([^?]*)(?:\?.*)?$", re.IGNORECASE)
_AT = re.compile(r"\s*@\s*")
_SPELLED_AT = re.compile(r"\s(?:at|arroba|chez)\s|[\[({]\s*(?:at|@)\s*[\])}]", re.IGNORECASE)
_TWO_ADDRESSES = kept("holds two addresses")
_TWO_AT = kept("has two at-signs")
_NO_AT = kept("has no at-sign")
_STOPS = kept("stops after the at-sign")
_COMMA = kept("has a comma in its domain")
_GUESS = kept("only a guess could repair it: %(why)s")
_NO_MAILTO = kept("mailto: is not part of the address")
_ADDRESS_ONLY = kept("only the address itself belongs here")
_SMALL_DOMAIN = kept("the domain is written in small letters")
_BARE = kept("spaces or marks around the address taken off")
_ADDRESS = re.compile(r"[^\s;,<>]+@[^\s;,<>@]+")


def clean(raw: str) -> Cleaned:
    """The address as it should stand. The local part keeps its case, the domain is written small."""
    if not raw.strip():
        return Cleaned(raw)
    bare = _unwrap(raw)
    try:
        value = validate_email(bare, check_deliverability=False).normalized
    except EmailNotValidError as error:
        return flag(raw, _fault(bare, str(error)))
    if value == raw:
        return Cleaned(raw)
    return Cleaned(value, "fix", _repair(raw, bare, value), 0.99)


def _unwrap(raw: str) -> str:
    text = tidy(raw)
    if named := _NAMED.match(text):
        text = named[1].strip()
    if mailto := _MAILTO.match(text):
        text = mailto[1].strip()
    text = _AT.sub("@", text)
    return text[:-1].rstrip() if text[-1:] in {".", ";", ","} and text[-2:-1] != text[-1:] else text


def _fault(text: str, message: str) -> str:
    """A reviewer's words for the usual faults, the validator's for the others."""
    if len(_ADDRESS.findall(text)) > 1 and "@@" not in text:
        return _TWO_ADDRESSES
    if "@@" in text or text.count("@") > 1:
        return _TWO_AT
    if _SPELLED_AT.search(text) or "@" not in text:
        return _NO_AT
    if text.endswith("@"):
        return _STOPS
    if re.search(r"@[^@]*,", text):
        return _COMMA
    return _GUESS % {"why": message}


def _repair(raw: str, bare: str, value: str) -> str:
    if "mailto:" in raw.lower():
        return _NO_MAILTO
    if "<" in raw:
        return _ADDRESS_ONLY
    if bare.casefold() == value.casefold() and bare != value:
        return _SMALL_DOMAIN
    return _BARE
