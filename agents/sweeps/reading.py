"""What a run is told of the sweep that began it, and people of how far one is. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.contacts.merging import Pair
from agents.dedupe.comparing import Level
from agents.dedupe.finding import Said
from agents.sweeps.models import Finding, Sweep


def pair_of(run: int) -> Pair | None:
    """The finding a run was begun for; None where it was begun for a repair."""
    found = Finding.objects.filter(run=run).first()
    if found is None:
        return None
    said = tuple(Said(one["field"], Level(one["level"]), one["bits"] / 100) for one in found.said)
    return Pair(found.keep, found.other, found.bits / 100, said)


def stopped(sweeps: Iterable[int | None]) -> frozenset[int]:
    """Those that a person stopped: their runs come to nothing."""
    asked = {one for one in sweeps if one is not None}
    rows = Sweep.objects.filter(pk__in=asked, state=Sweep.State.STOPPED)
    return frozenset(rows.values_list("pk", flat=True)) if asked else frozenset()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a sweep is: of the new `pairs` `proposed`, and so many changed contacts `looked` at for repairs."""

    proposed: int
    pairs: int
    looked: int


def progress(row: Sweep) -> Progress | None:
    """Of a sweep that proposes; None while it waits or compares, and once it has ended."""
    if row.state != Sweep.State.PROPOSING:
        return None
    return Progress(row.proposed, row.found - row.known, row.done)
