"""Which pairs of contacts are looked at at all: those that agree in one rare or in any two values. Pure.

What is looked at is bounded for each contact, so that time and memory grow with the contacts and not their square.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from agents.dedupe.fields import MISSING, MIX, Codes, Columns

# A value that more contacts share than this says little: those pairs must agree in another one too.
RARE, TOGETHER = 20, 60
# Pairs for each contact over all keys; keys that make few pairs come first.
MOST_PAIRS = 40


def candidates(columns: Columns) -> tuple[Codes, Codes]:
    """Left and right of each pair once, by their places, left before right."""
    size, budget = len(columns), MOST_PAIRS * max(1, len(columns))
    found: list[Codes] = []
    for pairs in sorted(_by_key(columns), key=len):
        if len(pairs) > budget:
            break
        budget -= len(pairs)
        found.append(pairs)
    together = np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
    return together // size, together % size


def _by_key(columns: Columns) -> Iterator[Codes]:
    for name in columns.names:
        yield _sharing(columns.codes[name], most=RARE)
    for one, other in combinations(columns.names, 2):
        left, right = columns.codes[one], columns.codes[other]
        both = (left != MISSING) & (right != MISSING)
        yield _sharing(np.where(both, left * MIX + right, MISSING), most=TOGETHER)


def _sharing(keys: Codes, *, most: int) -> Codes:
    """Pairs of places with the same key, as left * size + right; keys of more than `most` places are left out."""
    size, order = np.int64(len(keys)), np.argsort(keys, kind="stable")
    order = order[keys[order] != MISSING]
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    lengths = np.diff(starts, append=len(order))
    found = [np.empty(0, np.int64)]
    for length in np.unique(lengths[(lengths > 1) & (lengths <= most)]):
        blocks = order[starts[lengths == length][:, None] + np.arange(length)]
        one, other = np.triu_indices(int(length), 1)
        left, right = blocks[:, one].ravel(), blocks[:, other].ravel()
        found.append(np.minimum(left, right) * size + np.maximum(left, right))
    return np.concatenate(found)
