"""What a run is told of the sweep that began it."""

from agents.contacts.merging import Pair
from agents.dedupe.comparing import Level
from agents.dedupe.finding import Said
from agents.sweeps.models import Finding


def pair_of(run: int) -> Pair | None:
    """The finding a run was begun for; None where it was begun for a repair."""
    found = Finding.objects.filter(run=run).first()
    if found is None:
        return None
    said = tuple(Said(one["field"], Level(one["level"]), one["bits"] / 100) for one in found.said)
    return Pair(found.keep, found.other, found.bits / 100, said)
