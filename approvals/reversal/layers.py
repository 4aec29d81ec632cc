"""Which applied writes stand on a field, newest on top: what an undo may take back without losing a later one. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals import diff
from approvals.diff import ABSENT, Change, Fit
from portal.retold import kept

# A field, or one member of a field that is compared as a set.
Atom = tuple[str, str]


TAKEN_BACK, SET_BACK = kept("taken back by proposal %(number)s"), kept("set back meanwhile")
CHANGED_AGAIN = kept("taken back by proposal %(number)s, and changed again since")
CHANGED_BY = kept("proposal %(number)s changed it since: undo proposal %(number)s first")
CHANGED = kept("changed since, by no proposal")


@dataclass(frozen=True, slots=True)
class Write:
    """One applied proposal by its receipt's number: what it changed, and which proposal it undid."""

    receipt: int
    proposal: int
    undoes: int | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What an undo meets on one field. `fate`: clean is taken back, already is back, conflict was changed since.

    `change` is what was applied, `now` what is there (ABSENT where nothing is), `because` says in words why it is
    not taken back. `first` is the proposal that must be undone before.
    """

    change: Change
    now: Any
    fate: Fit
    because: str = ""
    first: int | None = None


def reverse(change: Change) -> Change:
    """The same field from after to before."""
    return Change(change.field, change.op, change.after, change.before)


def parts(proposal: int, changed: Sequence[Change], now: Mapping[str, Any], later: Sequence[Write]) -> tuple[Part, ...]:
    """What an undo of `proposal` meets now; `later` are the applied writes on the same record since, oldest first."""
    roots = _roots(proposal, later)
    return tuple(_part(proposal, change, now.get(change.field, ABSENT), later, roots) for change in changed)


def _part(proposal: int, change: Change, now: Any, later: Sequence[Write], roots: Mapping[int, int]) -> Part:
    fit = diff.fit(reverse(change), now)
    back, first = _standing(proposal, change, later, roots)
    if fit is Fit.ALREADY:
        return Part(change, now, fit, TAKEN_BACK % {"number": back} if back else SET_BACK)
    if back:
        return Part(change, now, Fit.CONFLICT, CHANGED_AGAIN % {"number": back})
    if first:
        words = CHANGED_BY % {"number": first}
        return Part(change, now, Fit.CONFLICT, words, first)
    if fit is Fit.CONFLICT:
        return Part(change, now, fit, CHANGED)
    return Part(change, now, fit)


def _standing(
    proposal: int, change: Change, later: Sequence[Write], roots: Mapping[int, int]
) -> tuple[int | None, int | None]:
    """Which undo took `change` back, and the newest other write that stands on the same field."""
    mine, flips, last = _atoms((change,)), dict[tuple[int, Atom], int](), dict[int, int]()
    for place, write in enumerate(later):
        for atom in mine & _atoms(write.changes):
            root = roots[write.proposal]
            flips[root, atom] = flips.get((root, atom), 0) + 1
            last[root] = place
    # A write and its undo cancel each other; an undo of that undo brings the write back; and so on.
    odd = {root for (root, _), count in flips.items() if count % 2}
    others = odd - {proposal}
    back = later[last[proposal]].proposal if proposal in odd else None
    return back, max(others, key=lambda root: last[root], default=None)


def _roots(proposal: int, later: Sequence[Write]) -> dict[int, int]:
    """For each later write, the one whose effect it turns on or off: through undos, and undos of undos."""
    roots = {proposal: proposal}
    for write in later:
        roots[write.proposal] = roots.get(write.undoes or 0, write.proposal)
    return roots


def _atoms(changes: Sequence[Change]) -> frozenset[Atom]:
    found: set[Atom] = set()
    for change in changes:
        if change.op == "set_members":
            added, removed = diff.members(change)
            found |= {(change.field, member) for member in added | removed}
        else:
            found.add((change.field, ""))
    return frozenset(found)
