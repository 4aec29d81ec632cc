"""What the outside system of a part cannot do: a person does it there by hand, and nothing pretends otherwise."""

from datetime import datetime
from typing import Any

from approvals import handoffs
from approvals.actions.base import Action, Preview
from approvals.opening import Asked
from portal.retold import kept
from portal.systems import connections
from portal.systems.registry import BOOKS

BY_HAND = kept("%(summary)s. %(why)s: please do it there by hand.")
CANNOT = kept("%(system)s cannot do this from here")


def hand_over(asked: Asked, preview: Preview, *, now: datetime) -> str:
    """A hand-off where the system in force has no such operation; "" where it has, or our own books serve."""
    why = lacking(asked.submission.workspace_id, asked.action, asked.action.parse(asked.args))
    if not why:
        return ""
    found = {"args": asked.args, "changes": [change.as_json() for change in preview.diff.changes]}
    summary = BY_HAND % {"summary": preview.summary, "why": why}
    return handoffs.open_refused(asked.submission, reason="not_there", summary=summary, now=now, found=found)


def lacking(workspace: int, action: Action, args: Any) -> str:
    """Which system cannot do this, in words, or ""; asked of actions that not every system has."""
    operation = action.rare(args)
    row = connections.in_force(workspace, action.part) if operation else None
    if row is None or row.system == BOOKS or operation in connections.promised(row):
        return ""
    return CANNOT % {"system": connections.title_of(row)}
