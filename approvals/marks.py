"""Text as who approves it must see it: words marked as gone or new, unseen characters spelled out. Pure.

Nothing is shortened: what is on the screen is what is approved. What a change left as it was may be folded there.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal import unseen

Mark = Literal["same", "gone", "new"]

_WORD = re.compile(r"\S+\s*|\s+")
_INK = {" ": "␣", "\t": "⇥", "\n": "↵", "\r": "␍"}
_LETTERS = re.compile(r"[^\W\d_]+")
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Lines in sight around a change, and how many fewer are not worth a fold.
AROUND, LEAST = 2, 4
_ALIKE = ("LATIN", "CYRILLIC", "GREEK")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text. `code` and `label` name characters that would not be seen: `U+200B zero width space`.

    Spaces that are the change have a `label` alone, which shows them.
    """

    mark: Mark
    text: str
    code: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Fold:
    """Whole lines that are the same on both sides, and so many of them."""

    text: str
    lines: int


@dataclass(frozen=True, slots=True)
class Warning:
    """A chip beside a text that may deceive the eye."""

    label: str
    meaning: str


def compare(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Both sides word by word: what went is marked on the left, what came on the right.

    difflib's rule for frequent words stays on: without it a long text of few words takes minutes.
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(a=old, b=new).get_opcodes():
        gone, came = "".join(old[i1:i2]), "".join(new[j1:j2])
        left += spell(gone) if op == "equal" else _spell_words(gone, "gone", came)
        right += spell(came) if op == "equal" else _spell_words(came, "new", gone)
    return tuple(left), tuple(right)


def _spell_words(text: str, mark: Mark, other: str) -> tuple[Piece, ...]:
    """The space behind the last marked word is nobody's change, but where it alone differs from the other side's."""
    words = text.rstrip()
    space = text[len(words) :]
    if words != other.rstrip():
        return spell(words or text, mark) + spell(space if words else "")
    if not space or unseen.hidden(space):
        return spell(words) + spell(space, mark)
    return (*spell(words), Piece(mark, space, label=_inked(space)))


def _inked(space: str) -> str:
    return "".join(_INK.get(char) or f"[U+{ord(char):04X}]" for char in space)


def spell(text: str, mark: Mark = "same") -> tuple[Piece, ...]:
    """The text with each run of an unseen character as a piece of its own."""
    return tuple(Piece(mark, one.text, one.code, one.label) for one in unseen.part(text))


def fold(pieces: Sequence[Piece]) -> tuple[Piece | Fold, ...]:
    """A side of a comparison with its long unchanged stretches folded, two lines around each change in sight.

    A text that nothing is marked in is no comparison: it stays whole. Unseen characters are never folded.
    """
    if all(piece.mark == "same" for piece in pieces) or not any(piece.mark == "same" for piece in pieces):
        return tuple(pieces)
    found: list[Piece | Fold] = []
    stretches = [(plain, list(group)) for plain, group in groupby(pieces, key=_foldable)]
    for at, (plain, group) in enumerate(stretches):
        if not plain:
            found += group
            continue
        text = "".join(piece.text for piece in group)
        lines = text.splitlines(keepends=True)
        start = 1 + AROUND if at else 0  # the first is the rest of a changed line
        stop = len(lines) - (AROUND + (not text.endswith("\n")) if at < len(stretches) - 1 else 0)
        if stop - start < LEAST:
            found += group
            continue
        parts = ("".join(lines[:start]), "".join(lines[stop:]))
        found += [Piece("same", parts[0])] * bool(parts[0])
        found.append(Fold("".join(lines[start:stop]), stop - start))
        found += [Piece("same", parts[1])] * bool(parts[1])
    return tuple(found)


def _foldable(piece: Piece) -> bool:
    return piece.mark == "same" and not piece.code


def warnings(texts: Sequence[str]) -> tuple[Warning, ...]:
    """What deserves a second look in these texts, each kind once."""
    joined = "\n".join(texts)
    hidden = unseen.hidden(joined)
    found = []
    if hidden:
        found.append(
            Warning(
                ngettext("%(count)s unseen character", "%(count)s unseen characters", hidden) % {"count": hidden},
                _("The text holds characters that leave no ink; each is spelled out where it stands."),
            )
        )
    if any(char in _TURNING for char in joined):
        found.append(
            Warning(_("turns the writing direction"), _("Parts may read in another order than they are stored."))
        )
    if any(_mixed(word) for word in _LETTERS.findall(joined)):
        found.append(
            Warning(_("look-alike letters"), _("A word mixes alphabets, so that it may only look like another word."))
        )
    return tuple(found)


def _mixed(word: str) -> bool:
    if word.isascii():
        return False
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in word}
    return len(scripts & set(_ALIKE)) > 1
