"""Work that is due, as rows: written with the change that makes it due, deleted with the change that does it.

A message to Celery only says "look at the table"; the relay says it again for what nobody finished.
"""

from datetime import datetime, timedelta

from celery import current_app
from django.db import transaction
from django.db.models import F, Q

from approvals.models import Outbox

# A message is said again when its work is not done this long after the last time, in seconds.
AGAIN = timedelta(seconds=2)
# A message nobody took in this time is dropped; the row says it again.
MESSAGE_SECONDS = 60
BATCH = 200


def put(*, workspace: int, task: str, queue: str, object_id: int, not_before: datetime, now: datetime) -> None:
    """Make work due, and nudge a worker after commit where it is due at once."""
    due = not_before <= now
    Outbox.objects.update_or_create(
        workspace_id=workspace, task=task, object_id=object_id,
        defaults={"queue": queue, "not_before": not_before, "sent_at": now if due else None},
    )  # fmt: skip
    if due:
        nudge(task, queue, workspace, object_id)


def done(*, workspace: int, task: str, object_id: int) -> None:
    """Take work off the table, in the transaction that did it."""
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).delete()


def nudge(task: str, queue: str, workspace: int, object_id: int) -> None:
    """Tell a worker after commit; if the broker does not answer, the relay will tell it later."""
    transaction.on_commit(lambda: send(task, queue, workspace, object_id), robust=True)


def send(task: str, queue: str, workspace: int, object_id: int) -> None:
    """One message with ids only."""
    current_app.send_task(task, args=[workspace, object_id], queue=queue, retry=False, expires=MESSAGE_SECONDS)


def relay(*, workspace: int, now: datetime) -> int:
    """Send again what is due and not done; returns how many. Two relays at once share the work."""
    due = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(workspace_id=workspace, not_before__lte=now)
        .filter(Q(sent_at=None) | Q(sent_at__lt=now - AGAIN))
        .order_by(F("sent_at").asc(nulls_first=True), "not_before")[:BATCH]
    )
    rows = list(due)
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now)
    for row in rows:
        nudge(row.task, row.queue, workspace, row.object_id)
    return len(rows)
