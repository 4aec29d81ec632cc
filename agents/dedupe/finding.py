"""Pairs of contacts that are one person, with what speaks for and against it. Pure.

Only what is all but certain is found: two people made one is worse than one person left twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agents.dedupe import blocking, comparing, weighing
from agents.dedupe.comparing import Level
from agents.dedupe.fields import columns, is_birth_date, is_email, is_given_name

# The chance from which on a pair is proposed, and the fields in which it must agree at least nearly.
SURE = 0.99
AGREEING = 2
FEWEST = 2
# Slips that two records of people of one household may have beside their given names.
SLIPS = 1


@dataclass(frozen=True, slots=True)
class Said:
    """What one field says: how it agrees, and for how much that counts (bits; below zero against)."""

    field: str
    level: Level
    bits: float


@dataclass(frozen=True, slots=True)
class Match:
    """Two contacts that are one person with this chance; `said` has the field that says most first."""

    left: str
    right: str
    chance: float
    bits: float
    said: tuple[Said, ...]

    @property
    def doubts(self) -> tuple[str, ...]:
        """Fields that differ and that one person has once: a given name, a date of birth."""
        return tuple(one.field for one in self.said if one.level is Level.DIFFERS and _is_own(one.field))

    @property
    def household(self) -> bool:
        """Whether these are rather two people of one household.

        Two given names and two dates of birth; or two given names, and next to no slip in all the rest, of which a
        second record of the same person has some, unless a date of birth or an e-mail address speaks for one.
        """
        if not any(is_given_name(field) for field in self.doubts):
            return False
        if any(is_birth_date(field) for field in self.doubts):
            return True
        exact = [one.field for one in self.said if one.level is Level.EXACT]
        own = any(is_birth_date(field) or is_email(field) for field in exact)
        slips = [one for one in self.said if one.level not in (Level.EXACT, Level.MISSING)]
        return not own and len(slips) - len(self.doubts) <= SLIPS


def find(records: Sequence[tuple[str, Mapping[str, str]]]) -> list[Match]:
    """Every pair of (id, fields) that is one person, most certain first."""
    table = columns(sorted(records, key=lambda record: record[0]))
    if len(table) < FEWEST or not table.names:
        return []
    left, right = blocking.candidates(table)
    levels = comparing.compare(table, left, right)
    learnt = weighing.learn(table, levels)
    total = weighing.weigh(table, learnt, left, levels)
    agreeing = ((levels != Level.DIFFERS) & (levels != Level.MISSING)).sum(axis=1) >= AGREEING
    sure = np.flatnonzero((weighing.probability(total) >= SURE) & agreeing)
    left, right, levels, total = left[sure], right[sure], levels[sure], total[sure]
    bits = np.stack([weighing.said_by(table, learnt, left, levels, n) for n in range(len(table.names))], axis=1)
    found = [
        Match(table.ids[one], table.ids[other], chance, weight, _said(table.names, level, said))
        for one, other, chance, weight, level, said in zip(
            left, right, weighing.probability(total).tolist(), total.tolist(), levels, bits, strict=True
        )
    ]
    kept = (match for match in found if not match.household)
    return sorted(kept, key=lambda match: (-match.bits, match.left, match.right))


def _is_own(field: str) -> bool:
    return is_given_name(field) or is_birth_date(field)


def _said(names: Sequence[str], levels: comparing.Levels, bits: weighing.Weights) -> tuple[Said, ...]:
    said = [Said(name, Level(level), round(float(b), 2)) for name, level, b in zip(names, levels, bits, strict=True)]
    return tuple(sorted(said, key=lambda one: (-abs(one.bits), one.field)))
