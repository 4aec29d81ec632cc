"""How much each agreement says, learnt from the contacts themselves without a label. Pure.

Fellegi and Sunter, "A Theory for Record Linkage" (1969), with the chances of a match by expectation maximisation
(Winkler 1988) and those of a coincidence counted; an exact agreement counts by how rare its value is (Winkler 1989).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.dedupe.comparing import KNOWN, Level, Levels, compare
from agents.dedupe.fields import MISSING, Codes, Columns

Weights = npt.NDArray[np.float64]

# What two records of one person look like where too few are there to learn from: counts as so many pairs.
USUAL = np.array([0.10, 0.15, 0.72, 0.03])
USUAL_PAIRS = 20.0
SAMPLE = 200_000
ROUNDS, SETTLED = 50, 1e-6
RAREST = 1e-6


@dataclass(frozen=True, slots=True)
class Learnt:
    """By field and level: the chance among matches and among strangers. `share` of all pairs are matches."""

    matches: Weights
    strangers: Weights
    share: float


def learn(columns: Columns, levels: Levels) -> Learnt:
    """Estimate from the candidate pairs' levels. Pairs that are no candidates count as strangers."""
    strangers = _strangers(columns)
    size = len(columns)
    total = max(1.0, size * (size - 1) / 2)
    learnt = Learnt(np.tile(USUAL, (len(columns.names), 1)), strangers, min(0.5, max(1.0, size / 4) / total))
    for _ in range(ROUNDS):
        chance = probability(_sum(learnt, levels))
        share = min(0.5, (chance.sum() + 1) / total)
        settled = abs(share - learnt.share) < SETTLED * learnt.share
        learnt = Learnt(_matches(levels, chance), strangers, float(share))
        if settled:
            break
    return learnt


def weigh(columns: Columns, learnt: Learnt, left: Codes, levels: Levels) -> Weights:
    """All that is said for each pair with the odds before any, in bits."""
    said = sum(said_by(columns, learnt, left, levels, number) for number in range(levels.shape[1]))
    return np.asarray(said + _before(learnt))


def said_by(columns: Columns, learnt: Learnt, left: Codes, levels: Levels, number: int) -> Weights:
    """What one field says for each pair, in bits."""
    bits, codes = _bits(learnt, number, levels[:, number]), columns.codes[columns.names[number]]
    counts = np.bincount(codes, minlength=1)
    exact = levels[:, number] == Level.EXACT
    rarity = np.maximum(counts[codes[left[exact]]], 2) / max(1, len(codes) - int(counts[MISSING]))
    bits[exact] = np.log2(learnt.matches[number, Level.EXACT] / rarity)
    return bits


def probability(bits: Weights | float) -> Weights:
    """The chance that a pair is one person, from its weight in bits."""
    return np.asarray(1 / (1 + np.exp2(-np.clip(bits, -60, 60))))


def _sum(learnt: Learnt, levels: Levels) -> Weights:
    said = sum(_bits(learnt, number, levels[:, number]) for number in range(levels.shape[1]))
    return np.asarray(said + _before(learnt))


def _before(learnt: Learnt) -> float:
    return float(np.log2(learnt.share / (1 - learnt.share)))


def _bits(learnt: Learnt, number: int, levels: Levels) -> Weights:
    """A missing value says nothing."""
    ratio = np.log2(learnt.matches[number] / learnt.strangers[number])
    return np.asarray(np.where(levels == Level.MISSING, 0.0, ratio[np.maximum(levels, 0)]))


def _matches(levels: Levels, chance: Weights) -> Weights:
    found = np.empty((levels.shape[1], len(KNOWN)))
    for number in range(levels.shape[1]):
        column = levels[:, number]
        counts = np.array([chance[column == level].sum() for level in KNOWN]) + USUAL_PAIRS * USUAL
        found[number] = counts / counts.sum()
    return found


def _strangers(columns: Columns) -> Weights:
    """Counted over pairs at fixed distances, which are next to never one person; exact ones over all pairs."""
    size = len(columns)
    shifts = np.unique(np.linspace(1, size - 1, min(size - 1, max(3, SAMPLE // size))).astype(np.int64))
    left = np.tile(np.arange(size, dtype=np.int64), len(shifts))
    levels = compare(columns, left, (left + np.repeat(shifts, size)) % size)
    found = np.empty((len(columns.names), len(KNOWN)))
    for number, name in enumerate(columns.names):
        column = levels[:, number]
        known = int((column != Level.MISSING).sum())
        found[number] = [((column == level).sum() + 0.5) / (known + 2) for level in KNOWN]
        counts = np.bincount(columns.codes[name])[1:].astype(np.float64)
        alike, pairs = (counts * (counts - 1)).sum(), counts.sum() * (counts.sum() - 1)
        found[number, Level.EXACT] = max(RAREST, alike / pairs if pairs else RAREST)
    return found
