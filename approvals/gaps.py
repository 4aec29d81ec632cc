"""Gaps of a reusable text, such as {first_name}: which there are, filling them in, and what is left. Pure.

A value is put in as it is and never read again: gaps in it stay as they are, nothing in it is a format.
"""

import re
from collections.abc import Mapping

NAMES = ("first_name", "order", "ticket")
_GAP = re.compile(r"\{([A-Za-z_]+)\}")


def unknown(text: str) -> list[str]:
    """Gaps that nobody could fill, in their order, as they stand: ['{card}']."""
    return _named(text, known=False)


def left(text: str) -> list[str]:
    """Gaps that are still to be filled, in their order, as they stand: ['{order}']."""
    return _named(text, known=True)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Each known gap by its value on one line; one without a value stays for a person to see."""

    def value(gap: re.Match[str]) -> str:
        name = gap.group(1)
        return " ".join(values.get(name, "").split()) or gap.group() if name in NAMES else gap.group()

    return _GAP.sub(value, text)


def behind(written: str, text: str) -> str:
    """The text behind what was written, a paragraph of its own: nothing that was typed is lost."""
    return f"{written.rstrip()}\n\n{text}" if written.strip() else text


def _named(text: str, *, known: bool) -> list[str]:
    found = dict.fromkeys(gap.group() for gap in _GAP.finditer(text) if (gap.group(1) in NAMES) is known)
    return list(found)
