"""Many at once: a batch is a group of equivalent proposals, not a row of ticked boxes.

`groups` finds what is equivalent, `decide` approves member by member, `read` tells what became of it, `undo` takes all
of it back with one call.
"""

from approvals.batches.deciding import (
    Answer,
    BatchError,
    Line,
    NotAllowed,
    NotEquivalent,
    NotOpened,
    OverLimit,
    WrongMembers,
    decide,
    draw,
)
from approvals.batches.grouping import LEAST, MOST, Group, Member, Template, groups
from approvals.batches.reading import Batch, NoSuchBatch, read
from approvals.batches.undoing import Undone, undo

__all__ = [
    "LEAST",
    "MOST",
    "Answer",
    "Batch",
    "BatchError",
    "Group",
    "Line",
    "Member",
    "NoSuchBatch",
    "NotAllowed",
    "NotEquivalent",
    "NotOpened",
    "OverLimit",
    "Template",
    "Undone",
    "WrongMembers",
    "decide",
    "draw",
    "groups",
    "read",
    "undo",
]
