"""Seal before act: nothing leaves the house before the entry that approves it is under a signed checkpoint.

Writes to our own books do not wait. A trigger on the attempts is the second wall.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import connection

from approvals import proposals
from approvals.models import Outbox, Proposal
from approvals.state import State


def awaited(row: Proposal) -> int | None:
    """The entry of its newest approval while no signed checkpoint covers it; None once one does.

    One statement, by keys. Asked inside the transaction that would commit an attempt.

    Raises:
        LookupError: nothing on the log approves it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, audit_sealed(id) FROM audit_entry WHERE workspace_id = %s AND subject = %s AND state = %s"
            " ORDER BY version DESC LIMIT 1", [row.workspace_id, f"proposal:{row.pk}", State.APPROVED]
        )  # fmt: skip
        found = cursor.fetchone()
    if found is None:
        raise LookupError(f"no entry approves proposal {row.pk}")
    return None if found[1] else int(found[0])


def waiting(workspace: int, approved: Collection[int]) -> dict[int, datetime]:
    """Since when (UTC) each of those that are due waits for the log to be sealed; for the pages."""
    if not approved:
        return {}
    found = Outbox.objects.filter(workspace_id=workspace, task=proposals.APPLY, object_id__in=approved)
    return dict(found.exclude(awaits=None).values_list("object_id", "not_before"))
