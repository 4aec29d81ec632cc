"""Undo: what an applied proposal changed is taken back by a compensating proposal, worked out from its receipt.

It goes through the gate like everybody's and can itself be undone. Nothing is erased, nothing written beside what
was changed since, and what went out of the house is not pretended to come back: a recovery case is opened instead.
"""

from approvals.reversal.cases import already, open_case, open_recovery, sent, way_back
from approvals.reversal.finding import BadSearch, Found, Rate, find, undo_rate
from approvals.reversal.previews import (
    PARTIAL,
    NothingLeft,
    NotYet,
    Outward,
    UnderWay,
    Undo,
    UndoError,
    Unrecorded,
    offered,
    undo_preview,
)
from approvals.reversal.starting import Answer, Moved, NotAllowed, no_undo, undo, undo_many

__all__ = [
    "PARTIAL",
    "Answer",
    "BadSearch",
    "Found",
    "Moved",
    "NotAllowed",
    "NotYet",
    "NothingLeft",
    "Outward",
    "Rate",
    "UnderWay",
    "Undo",
    "UndoError",
    "Unrecorded",
    "already",
    "find",
    "no_undo",
    "offered",
    "open_case",
    "open_recovery",
    "sent",
    "undo",
    "undo_many",
    "undo_preview",
    "undo_rate",
    "way_back",
]
