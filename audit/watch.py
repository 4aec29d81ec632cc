"""Turns writes that named no action into entries and an alarm; never skips one."""

import logging
from datetime import datetime

from audit import log
from audit.events import Event
from audit.models import Unattributed

logger = logging.getLogger(__name__)
BATCH = 500


def report(*, workspace: int, now: datetime) -> int:
    """Write a `change.unattributed` entry for each staged row of a workspace; returns how many."""
    rows = list(
        Unattributed.objects.select_for_update(skip_locked=True)
        .filter(workspace_id=workspace, reported_at=None)
        .order_by("pk")[:BATCH]
    )
    for row in rows:
        log.record(
            workspace=workspace, subject=f"unattributed:{row.pk}", version=1, event=Event.CHANGE_UNATTRIBUTED,
            actor=f"role:{row.signed_in_as}", now=now,
            body={"table": row.table, "row": row.row, "operation": row.operation, "at": row.at.isoformat()},
        )  # fmt: skip
        logger.error("unattributed %s of %s:%s by %s", row.operation, row.table, row.row, row.signed_in_as)
    Unattributed.objects.filter(pk__in=[row.pk for row in rows]).update(reported_at=now)
    return len(rows)
