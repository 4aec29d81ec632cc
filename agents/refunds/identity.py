"""Who a message says it is from, against the authenticated sender. Pure.

A claim never makes anybody somebody; it only raises doubt about the sender.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from agents.refunds import vocabulary
from portal.systems.records import Customer

_WORD = r"[A-ZÀ-ÞĀ-Ž][\w'’-]{0,24}"
_INTRODUCED = re.compile(
    rf"\b(?:[Mm]y\s+(?:full\s+)?name\s+is|[Mm]y\s+name's)\s+(?P<named>{_WORD}(?:\s+{_WORD}){{0,3}})"
    rf"|\b(?:I\s+am|I'm|[Tt]his\s+is|[Ii]t's)\s+(?P<self>{_WORD}(?:\s+{_WORD}){{1,3}})(?=\s*(?:,|\.|\band\b|\(|$))",
)
_POSTCODE = re.compile(
    r"\b(?:zip|post(?:al)?)\s?-?(?:code)?(?:\s+is|\s*:|\s+number\s+is)?\s+"
    r"(?P<code>[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b|\d{3,5}(?:-\d{3,4})?(?!\w))",
    re.IGNORECASE,
)
_MAIL = re.compile(
    r"\bmy\s+e-?mail(?:\s+address)?\s+(?:is|:)\s*([\w.+'-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})",
    re.IGNORECASE,
)
_SIGNED = re.compile(rf"(?:^|[.!?,:;)\]-])[ \t]*(?P<name>{_WORD}(?:[ \t]+{_WORD}){{0,3}})[ \t]*[.!]?[ \t]*$")
_CLOSED_BEFORE = re.compile(
    r"(?:regards|wishes|thanks|thank you|cheers|sincerely|yours|groet|gr[uü]ße?n?|merci|"
    r"danke|thx|ta|best)\W*$",
    re.I,
)
_LAST_LINES = 3


class Match(StrEnum):
    """How a claim fits the sender."""

    FITS = "fits"
    DOUBTFUL = "doubtful"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Claim:
    """Names, postcodes and addresses a text gives for its writer. `quote` is the passage to point at."""

    names: tuple[str, ...] = ()
    lone_names: tuple[str, ...] = ()
    postcodes: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    quote: str = ""


def find_claim(text: str) -> Claim:
    """Introductions and signatures of a message."""
    introduced = [(m.group("named") or m.group("self")).strip() for m in _INTRODUCED.finditer(text)]
    signed, lone = _find_signature(text)
    names = [name for name in (*introduced, *signed) if not _is_wording(name)]
    codes = [m.group("code") for m in _POSTCODE.finditer(text)] if introduced or "my zip" in text.lower() else []
    mails = [m.group(1).rstrip(".") for m in _MAIL.finditer(text)]
    quote = next(iter((*names, *lone, *codes, *mails)), "")
    return Claim(tuple(names), tuple(lone), tuple(codes), tuple(mails), quote)


def compare(claim: Claim, customer: Customer, sender_email: str, products: frozenset[str]) -> Match:
    """How the claim fits the sender; names that are wholly product words do not count."""
    names = [name for name in claim.names if not all(_fold(w) in products for w in name.split())]
    own_mails = {customer.email.casefold(), sender_email.casefold()}
    if any(mail.casefold() not in own_mails for mail in claim.emails) or not all(_is_same(n, customer) for n in names):
        return Match.OTHER
    if any(_squeeze(code) != _squeeze(customer.postcode) for code in claim.postcodes if customer.postcode):
        return Match.DOUBTFUL
    lone = [n for n in claim.lone_names if _fold(n) not in products]
    return Match.FITS if all(_is_same(n, customer) for n in lone) else Match.DOUBTFUL


def _find_signature(text: str) -> tuple[list[str], list[str]]:
    lines = [line.rstrip() for line in text.rstrip()[-400:].split("\n")]
    shown = [line for line in lines if line.strip()][-_LAST_LINES:]
    for at in range(len(shown) - 1, -1, -1):
        match = _SIGNED.search(shown[at])
        if match is None or _is_wording(match.group("name")):
            continue
        words = [w for w in match.group("name").split() if w.casefold() not in vocabulary.CLOSERS]
        before = shown[at][: match.start("name")] or (shown[at - 1] if at else "")
        if len(words) > 1:
            return [" ".join(words)], []
        if _CLOSED_BEFORE.search(before):
            return [], words
    return [], []


def _is_wording(name: str) -> bool:
    words = [w.casefold() for w in name.split()]
    return all(w in vocabulary.CLOSERS for w in words) or any(
        w in vocabulary.NO_NAMES or re.search(r"\d", w) for w in words
    )


def _is_same(name: str, customer: Customer) -> bool:
    """Every word is one of the customer's names, an initial or a short form of the first name."""
    own = [_fold(w) for w in f"{customer.first_name} {customer.last_name}".split()]
    first = _fold(customer.first_name)
    return all(
        word in own or (len(word) == 1 and any(o.startswith(word) for o in own)) or _is_short_form(word, first)
        for word in map(_fold, name.split())
    )


def _is_short_form(word: str, first: str) -> bool:
    return min(len(word), len(first)) >= 2 and (first.startswith(word) or word.startswith(first))


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.replace("’", "'")).casefold()
    return "".join(c for c in plain if not unicodedata.combining(c)).strip(".,'")


def _squeeze(code: str) -> str:
    return re.sub(r"\W", "", code).upper()[:5] if code[:1].isdigit() else re.sub(r"\W", "", code).upper()
