"""How two contacts agree, field by field, in four levels. Pure."""

from enum import IntEnum

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import OSA
from rapidfuzz.process import cpdist

from agents.dedupe.fields import MISSING, MIX, Codes, Columns, is_email, is_place

Levels = npt.NDArray[np.int8]

# One letter in four may differ, be missing or have changed places with its neighbour (optimal string alignment).
NEAR = 0.7
# Where so many of the pairs that agree in one place agree in the other, the other follows.
FOLLOWS = 0.8
CHUNK = 200_000


class Level(IntEnum):
    """How a field of one contact meets that of another; MISSING where one of them has none."""

    MISSING = -1
    DIFFERS = 0
    NEAR = 1
    EXACT = 2
    ELSEWHERE = 3


KNOWN = (Level.DIFFERS, Level.NEAR, Level.EXACT, Level.ELSEWHERE)


def places(*numbers: int) -> Codes:
    """Places of contacts, for `compare`."""
    return np.array(numbers, np.int64)


def compare(columns: Columns, left: Codes, right: Codes) -> Levels:
    """The level of each field (by column) for each pair of places (by row).

    What an agreement elsewhere brings with it says nothing of its own: a value made of the name, and a place that
    follows from another.
    """
    levels = np.empty((len(left), len(columns.names)), np.int8)
    follows = _follows(columns)
    for start in range(0, len(left), CHUNK):
        part = slice(start, start + CHUNK)
        for number, name in enumerate(columns.names):
            levels[part, number] = _compare(columns, name, left[part], right[part])
        for place, other in follows:
            levels[part, place][(levels[part, place] == Level.EXACT) & (levels[part, other] == Level.EXACT)] = (
                Level.MISSING
            )
    return levels


def _compare(columns: Columns, name: str, left: Codes, right: Codes) -> Levels:
    codes, values = columns.codes[name], columns.values[name]
    one, other = codes[left], codes[right]
    levels = np.where(one == other, np.int8(Level.EXACT), np.int8(Level.DIFFERS))
    differ = np.flatnonzero((one != other) & (one != MISSING) & (other != MISSING))
    if len(differ):
        pairs = [values[i] for i in left[differ]], [values[i] for i in right[differ]]
        near = cpdist(*pairs, scorer=OSA.normalized_similarity, score_cutoff=NEAR) >= NEAR
        if is_email(name):
            near &= np.fromiter((_digits(a) == _digits(b) for a, b in zip(*pairs, strict=True)), np.bool_, len(differ))
        levels[differ[near]] = Level.NEAR
    for sibling in columns.names:
        if sibling != name:
            crossed = (one == columns.codes[sibling][right]) | (other == columns.codes[sibling][left])
            levels[crossed & (levels == Level.DIFFERS)] = Level.ELSEWHERE
    if name in columns.echoes:
        echo = columns.echoes[name][left] & columns.echoes[name][right] & (levels != Level.DIFFERS)
        # The very same mailbox is somebody's, whatever it is made of.
        levels[echo & (levels != Level.EXACT) if is_email(name) else echo] = Level.MISSING
    levels[(one == MISSING) | (other == MISSING)] = Level.MISSING
    return levels


def _digits(value: str) -> str:
    """Another number is another mailbox, however alike the rest."""
    return "".join(c for c in value if c.isdigit())


def _follows(columns: Columns) -> list[tuple[int, int]]:
    """(city, postcode) where contacts of one postcode are of one city; of two that follow each other one counts."""
    found: list[tuple[int, int]] = []
    places = [number for number, name in enumerate(columns.names) if is_place(name)]
    for one in places:
        for other in places:
            if one != other and (other, one) not in found and _share(columns, one, other) >= FOLLOWS:
                found.append((one, other))
    return found


def _share(columns: Columns, one: int, other: int) -> float:
    """Of the pairs of contacts that agree in `other`, and have `one`, the share that agrees in it too."""
    left, right = (columns.codes[columns.names[number]] for number in (one, other))
    both = (left != MISSING) & (right != MISSING)
    if not both.any():
        return 0.0
    agree = _pairs(right[both])
    return _pairs(left[both] * MIX + right[both]) / agree if agree else 0.0


def _pairs(keys: Codes) -> float:
    counts = np.unique(keys, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1)).sum())
