"""Work that is due, as rows: written with the change that makes it due, deleted with the change that does it.

A message to Celery only says "look at the table"; the relay says it again for what nobody finished. Work that ends
its worker three times is dead: it stays as a row that managers see, and nothing else is held up by it.
"""

import secrets
from datetime import datetime

from django.db import connection, transaction
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, Value

from approvals.models import Outbox
from audit import log
from audit.events import Event
from portal import broker, failpoints
from portal import workspace as inside

# A message is said again when its work is not done so long after the last time.
_PAUSE = Func(F("sends"), function="approvals_pause", output_field=DurationField())
BATCH = 200
# How often the process that began a work may have gone before the work is blamed for it.
DEAD_AFTER = 2
# Names this process: work that another process began and did not end has lost that process.
_ME = secrets.token_hex(8)


def put(*, workspace: int, task: str, queue: str, object_id: int, not_before: datetime, now: datetime) -> None:
    """Make work due, and nudge a worker after commit where it is due at once."""
    due = not_before <= now
    Outbox.objects.update_or_create(
        workspace_id=workspace, task=task, object_id=object_id,
        defaults={
            "queue": queue, "not_before": not_before, "sent_at": now if due else None, "sends": 0, "tries": 0,
            "begun_by": "", "dead_at": None,
        },
    )  # fmt: skip
    if due:
        nudge(task, queue, workspace, object_id)


def done(*, workspace: int, task: str, object_id: int) -> None:
    """Take work off the table, in the transaction that did it."""
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).delete()


def later(*, workspace: int, task: str, object_id: int, at: datetime) -> None:
    """Nothing to do before `at`; what was begun has ended well."""
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).update(
        not_before=at, sent_at=None, tries=0, begun_by=""
    )


def nudge(task: str, queue: str, workspace: int, object_id: int, *, again: bool = False) -> None:
    """Tell a worker after commit; if the broker does not answer, the relay will tell it later."""
    transaction.on_commit(lambda: send(task, queue, workspace, object_id, again=again), robust=True)


def send(task: str, queue: str, workspace: int, object_id: int, *, again: bool = False) -> None:
    """One message with ids only; `again` says that it was said before."""
    failpoints.hit("outbox.before_publish")
    broker.publish(task, [workspace, object_id], queue=queue, headers={"again": again})


def due_in() -> list[int]:
    """Workspaces in which something is to be said again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace FROM approvals_to_relay()")
        return [row[0] for row in cursor.fetchall()]


def visit(workspace: int) -> None:
    """Say again what is due in one workspace, in a transaction of its own."""
    with inside.within(workspace) as now:
        relay(workspace=workspace, now=now)


def relay(*, workspace: int, now: datetime) -> int:
    """Send again what is due and not done; returns how many. Two relays at once share the work."""
    due = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(workspace_id=workspace, not_before__lte=now, dead_at=None)
        .filter(Q(sent_at=None) | Q(sent_at__lt=ExpressionWrapper(Value(now) - _PAUSE, DateTimeField())))
        .order_by(F("sent_at").asc(nulls_first=True), "not_before")[:BATCH]
    )
    rows = list(due)
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now, sends=F("sends") + 1)
    for row in rows:
        nudge(row.task, row.queue, workspace, row.object_id, again=True)
    return len(rows)


def take(*, workspace: int, task: str, object_id: int, now: datetime) -> bool:
    """Before work that was said before: note who begins it; False where it has ended its workers too often.

    A process that is still there ended its work by an exception: that is not counted. Its own transaction commits
    before the work, or a killed worker would leave no trace.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE approvals_outbox SET tries = tries + (begun_by NOT IN ('', %s))::int, begun_by = %s"
            " WHERE workspace_id = %s AND task = %s AND object_id = %s AND dead_at IS NULL RETURNING tries",
            [_ME, _ME, workspace, task, object_id],
        )
        found = cursor.fetchone()
    if found is None:
        return True  # done meanwhile, or dead: whoever works finds nothing to do
    if found[0] < DEAD_AFTER:
        return True
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).update(dead_at=now)
    log.record(
        workspace=workspace, subject=f"work:{task}:{object_id}", event=Event.WORK_DIED, actor="system:apply", now=now,
        body={"task": task, "object": object_id, "attempts": DEAD_AFTER + 1},
    )  # fmt: skip
    return False


def revive(*, workspace: int, outbox: int, person: int, now: datetime) -> bool:
    """A person lets dead work be tried again; False where it is not dead any more."""
    row = Outbox.objects.select_for_update().filter(workspace_id=workspace, pk=outbox).exclude(dead_at=None).first()
    if row is None:
        return False
    log.record(
        workspace=workspace, subject=f"work:{row.task}:{row.object_id}", event=Event.WORK_REVIVED,
        actor=f"person:{person}", now=now, body={"task": row.task, "object": row.object_id},
    )  # fmt: skip
    put(
        workspace=workspace, task=row.task, queue=row.queue, object_id=row.object_id, not_before=now, now=now
    )  # fmt: skip
    return True
