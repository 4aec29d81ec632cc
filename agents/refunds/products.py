"""Products named in a text, matched to names on record. Pure.

Owns spelling: plurals, joined words, slips of the pen, everyday names; `picking` chooses between rows.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from agents.refunds import vocabulary
from portal.systems.records import Item

_TOKEN = re.compile(r"[^\W_]+(?:'[a-z]{1,2}\b)?", re.IGNORECASE)
_NUMBER_AHEAD = re.compile(r"\s+(?:[a-z]{1,4}-?)?\d{4,}|\s+[a-z]+_", re.IGNORECASE)
_ALIKE = 0.84
_TYPO_LENGTH = 5


class Fit(StrEnum):
    """How a mention was matched: to the letter, by its last word, or in spite of a slip."""

    EXACT = "exact"
    PART = "part"
    SLIP = "slip"


@dataclass(frozen=True, slots=True)
class Mention:
    """A product named at `start`..`end`; `names` are the recorded names it may mean."""

    start: int
    end: int
    names: tuple[str, ...]
    fit: Fit


@dataclass(frozen=True, slots=True)
class Token:
    """A word of the text: `stem` without case, accents and plural."""

    start: int
    end: int
    stem: str
    word: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Product names to look for, and words of their options that may stand before them."""

    names: frozenset[str]
    qualities: frozenset[str] = frozenset()


def split_words(text: str) -> tuple[Token, ...]:
    """Words with their places."""
    return tuple(Token(m.start(), m.end(), stem(m.group()), m.group().lower()) for m in _TOKEN.finditer(text))


def stem(word: str) -> str:
    """A word without case, accents, possessive and plural."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c)).removesuffix("'s")
    if len(plain) < 4 or plain.endswith("ss"):
        return plain
    if plain.endswith("ies"):
        return plain[:-3] + "y"
    return plain[:-2] if re.search(r"(?:ss|x|ch|sh)es\Z", plain) else plain.removesuffix("s")


def list_products(items: Iterable[Item]) -> Catalogue:
    """The products and qualities of recorded rows."""
    rows = tuple(items)
    words = {t.word for row in rows for value in row.options.values() for t in split_words(value)}
    return Catalogue(frozenset(row.product for row in rows), frozenset(words))


def find_mentions(text: str, catalogue: Catalogue) -> tuple[Mention, ...]:
    """Every product of the catalogue that the text names, leftmost and longest first, never overlapping."""
    tokens = split_words(text)
    stems = {name: tuple(t.stem for t in split_words(name)) for name in sorted(catalogue.names)}
    found = _find_whole(tokens, stems)
    taken = {at for start, end, _, _ in found for at in range(start, end)}
    found += _find_parts(text, tokens, stems, taken, catalogue.qualities)
    mentions = [
        Mention(tokens[start].start, tokens[end - 1].end, matched, fit)
        for start, end, matched, fit in sorted(found)
        if not (
            end < len(tokens) and tokens[end].stem in vocabulary.PARTS and tokens[end].start - tokens[end - 1].end == 1
        )
    ]
    return tuple(mentions)


_Span = tuple[int, int, tuple[str, ...], Fit]


def _find_whole(tokens: Sequence[Token], stems: dict[str, tuple[str, ...]]) -> list[_Span]:
    found: list[_Span] = []
    at = 0
    while at < len(tokens):
        fits = [(size, fit, name) for name, wanted in stems.items() for size, fit in _fit_at(tokens, at, wanted)]
        if not fits:
            at += 1
            continue
        size, fit = max((size, fit is Fit.EXACT) for size, fit, _ in fits)
        best = tuple(n for s, f, n in fits if s == size and (f is Fit.EXACT) == fit)
        found.append((at, at + size, best, Fit.EXACT if fit else Fit.SLIP))
        at += size
    return found


def _fit_at(tokens: Sequence[Token], at: int, wanted: tuple[str, ...]) -> Iterable[tuple[int, Fit]]:
    here = tuple(t.stem for t in tokens[at : at + len(wanted)])
    joined = "".join(wanted)
    if here == wanted or here[:1] == (joined,):
        yield (len(wanted) if here == wanted else 1), Fit.EXACT
    elif here and len("".join(here[:2])) > 3 and "".join(t.stem for t in tokens[at : at + 2]) == joined:
        yield 2, Fit.EXACT
    elif len(here) == len(wanted) and (len(wanted) > 1 or len(joined) > _TYPO_LENGTH) and _are_slips(here, wanted):
        yield len(wanted), Fit.SLIP


def _are_slips(words: Sequence[str], wanted: Sequence[str]) -> bool:
    return all(_is_slip(word, right) for word, right in zip(words, wanted, strict=True))


def _is_slip(word: str, wanted: str) -> bool:
    if word == wanted:
        return True
    if (
        min(len(word), len(wanted)) < _TYPO_LENGTH
        or word[0] != wanted[0]
        or word in vocabulary.AFTER_HEAD
        or word in vocabulary.BEFORE_HEAD
    ):
        return False
    return SequenceMatcher(None, word, wanted, autojunk=False).ratio() >= _ALIKE


def _find_parts(
    text: str,
    tokens: Sequence[Token],
    stems: dict[str, tuple[str, ...]],
    taken: set[int],
    qualities: frozenset[str],
) -> list[_Span]:
    """Products called by their last word ('the boots') or an everyday name, with no other word beside."""
    heads: dict[tuple[str, ...], list[str]] = {}
    for name, wanted in stems.items():
        for short in _short_names(wanted):
            heads.setdefault(short, []).append(name)
    found: list[_Span] = []
    for at in range(len(tokens)):
        for short, names in heads.items():
            size = len(short)
            if at in taken or tuple(t.stem for t in tokens[at : at + size]) != short:
                continue
            if _stands_alone(text, tokens, at, at + size, qualities):
                found.append((at, at + size, tuple(names), Fit.PART))
                taken.update(range(at, at + size))
    return found


def _short_names(wanted: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    if len(wanted) > 1:
        yield wanted[-2:-1] if wanted[-1] in vocabulary.VAGUE_HEADS and len(wanted) == 2 else wanted[-1:]
        if len(wanted) > 2:
            yield wanted[-2:]
    for everyday in vocabulary.EVERYDAY.get(" ".join(wanted), ()):
        yield tuple(everyday.split())


def _stands_alone(text: str, tokens: Sequence[Token], start: int, end: int, qualities: frozenset[str]) -> bool:
    before = tokens[start - 1] if start else None
    after = tokens[end] if end < len(tokens) else None
    free_before = before is None or re.search(r"[^\s'-]", text[before.end : tokens[start].start]) is not None
    free_after = after is None or re.search(r"[^\s'-]", text[tokens[end - 1].end : after.start]) is not None
    free_after = free_after or _NUMBER_AHEAD.match(text, tokens[end - 1].end) is not None
    fit_before = free_before or _may_precede(before) or (before is not None and before.word in qualities)
    return fit_before and (free_after or after is None or after.word in vocabulary.AFTER_HEAD)


def _may_precede(token: Token | None) -> bool:
    return (
        token is None
        or token.word in vocabulary.BEFORE_HEAD
        or token.stem in vocabulary.COLOURS
        or token.word.isdigit()
    )


def is_singular(name: str) -> bool:
    """True if the last word has no plural ending ('kettle', not 'boots')."""
    word = name.split()[-1].casefold()
    return stem(word) == word


def is_colour(word: str) -> bool:
    """True for plain colours, which tell one variant from another."""
    return word in vocabulary.COLOURS
