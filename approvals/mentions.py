"""Who is called in a note: `@ravi`, the part of a colleague's address before its @, or the whole address. Pure.

Where two share that part only the whole address says who is meant. A word that is nobody's is left as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

# So many are called by one note; who is named beyond them is not.
MOST = 10
# Not within a word, so that no address is taken for a call; it ends with a letter or digit, not with a full stop.
_CALL = re.compile(r"(?<![\w@.+-])@(\w+(?:[.+-]+\w+)*)(@\w+(?:[.-]+\w+)*)?(?![\w@])")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text; `called` where it names somebody who is here."""

    text: str
    called: bool = False


def handles(people: Iterable[tuple[int, str]]) -> dict[str, int]:
    """(person, e-mail address) by what each may be called: the whole address, and the part before @ if it is theirs
    alone."""
    found: dict[str, int] = {}
    parts: dict[str, set[int]] = {}
    for person, email in people:
        address = email.casefold()
        found[address] = person
        parts.setdefault(address.partition("@")[0], set()).add(person)
    return {**found, **{part: next(iter(whose)) for part, whose in parts.items() if len(whose) == 1}}


def named(text: str) -> list[str]:
    """What may be a call, in small letters, each once, in order."""
    return list(dict.fromkeys(_name(call) for call in _CALL.finditer(text)))


def called(text: str, known: Mapping[str, int]) -> list[int]:
    """The people a text calls, each once, in order, no more than so many."""
    return list(dict.fromkeys(known[name] for name in named(text) if name in known))[:MOST]


def pieces(text: str, known: Mapping[str, int]) -> Iterator[Piece]:
    """The text in order, with the names of who is called as pieces of their own. Nothing is lost."""
    people, end = called(text, known), 0
    for call in _CALL.finditer(text):
        if known.get(_name(call)) in people:
            if call.start() > end:
                yield Piece(text[end : call.start()])
            yield Piece(call.group(), called=True)
            end = call.end()
    if end < len(text):
        yield Piece(text[end:])


def _name(call: re.Match[str]) -> str:
    return "".join(part or "" for part in call.groups()).casefold()
