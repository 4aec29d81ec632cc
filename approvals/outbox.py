"""Work that is due, as rows: written with the change that makes it due, deleted with the change that does it.

A message to Celery only says "look at the table"; the relay says it again for what nobody finished. Work that ends
its worker three times is dead: it stays as a row that managers see, and nothing else is held up by it.
"""

import secrets
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import connection, transaction
from django.db.models import BooleanField, DateTimeField, DurationField, ExpressionWrapper, F, Func, Q, Value

from approvals.models import Outbox
from audit import log
from audit.events import Event
from portal import broker, failpoints
from portal import workspace as inside

# A message is said again when its work is not done so long after the last time.
_PAUSE = Func(F("sends"), function="approvals_pause", output_field=DurationField())
_IS_SEALED = Q(Func(F("awaits"), function="audit_sealed", output_field=BooleanField()))
BATCH = 200
# Where fewer than so many came at once, what comes next is gathered for so long.
FEW, GATHER_SECONDS = 8, 0.05
# Rounds of work that belongs together before whatever else is in the queue has its turn.
ROUNDS = 40
# Work that many wait for at once; a worker takes up what was never begun together, by the task of this name and _due.
TOGETHER = frozenset({"approvals.tasks.gate", "agents.tasks.advance"})
# How often the process that began a work may have gone before the work is blamed for it.
DEAD_AFTER = 2
# Names this process: work that another process began and did not end has lost that process.
_ME = secrets.token_hex(8)
_TOGETHER = "together"


def put(*, workspace: int, task: str, queue: str, object_id: int, not_before: datetime, now: datetime) -> None:
    """Make work due, and nudge a worker after commit where it is due at once."""
    due = not_before <= now
    Outbox.objects.update_or_create(
        workspace_id=workspace, task=task, object_id=object_id,
        defaults={
            "queue": queue, "not_before": not_before, "sent_at": now if due else None, "sends": 0, "tries": 0,
            "begun_by": "", "dead_at": None, "awaits": None,
        },
    )  # fmt: skip
    if due:
        nudge(task, queue, workspace, object_id)


def done(*, workspace: int, task: str, object_id: int) -> None:
    """Take work off the table, in the transaction that did it."""
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).delete()


def later(*, workspace: int, task: str, object_id: int, at: datetime, awaits: int | None = None) -> None:
    """Nothing to do before `at`, nor before the entry `awaits` is sealed; what was begun has ended well."""
    Outbox.objects.filter(workspace_id=workspace, task=task, object_id=object_id).update(
        not_before=at, sent_at=None, sends=0, tries=0, begun_by="", awaits=awaits
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


def nudge_together(task: str, queue: str, workspace: int) -> None:
    """After commit tell a worker that something of a task in `TOGETHER` is due, unless one is being told already."""
    transaction.on_commit(lambda: wake(task, queue, workspace), robust=True)


def wake(task: str, queue: str, workspace: int) -> None:
    """One message for all that is due: while one is under way, or worked, another says nothing new."""
    failpoints.hit("outbox.before_publish")
    broker.publish(f"{task}_due", [workspace], queue=queue, headers={}, mark=_mark(task, workspace))


def drain(task: str, queue: str, workspace: int, work: Callable[[Callable[[], None]], int], *, full: int) -> None:
    """Do what is due until nothing is, a number at a time: `work` does at most `full` and returns how many.

    Where few come, what comes next is gathered for a moment and done together, since most of what work costs is the
    same for one and for many. The mark is let go before each look and held again by `work` once it has found
    something: what was committed while it was held is seen by the next look, and behind the last one a message is
    sent again. Where there is more than one round can do, another worker is called.
    """
    mark = _mark(task, workspace)
    for _ in range(ROUNDS):
        broker.let_go(mark)
        done = work(partial(broker.hold, mark))
        if not done:
            return
        if done == full:
            _call_another(task, queue, workspace)
        elif done < FEW:
            time.sleep(GATHER_SECONDS)
    _call_another(task, queue, workspace)  # after whatever else is in the queue


def _call_another(task: str, queue: str, workspace: int) -> None:
    """One's own mark would keep the message back."""
    broker.let_go(_mark(task, workspace))
    wake(task, queue, workspace)


def _mark(task: str, workspace: int) -> str:
    return f"wake:{task}:{workspace}"


def relay(*, workspace: int, now: datetime) -> int:
    """Send again what is due and not done; returns how many. Two relays at once share the work."""
    due = (
        Outbox.objects.select_for_update(skip_locked=True)
        .filter(workspace_id=workspace, not_before__lte=now, dead_at=None)
        .filter(Q(sent_at=None) | Q(sent_at__lt=ExpressionWrapper(Value(now) - _PAUSE, DateTimeField())))
        .filter(Q(awaits=None) | _IS_SEALED)
        .order_by(F("sent_at").asc(nulls_first=True), "not_before")[:BATCH]
    )
    rows = list(due)
    Outbox.objects.filter(pk__in=[row.pk for row in rows]).update(sent_at=now, sends=F("sends") + 1)
    waiting = [row for row in rows if row.task in TOGETHER and not row.begun_by]
    for task, queue in sorted({(row.task, row.queue) for row in waiting}):
        nudge_together(task, queue, workspace)
    for row in rows:
        if row not in waiting:
            nudge(row.task, row.queue, workspace, row.object_id, again=True)
    return len(rows)


def begin(*, workspace: int, task: str, most: int, now: datetime) -> list[int]:
    """What is due and was never begun, noted as begun: ids of its objects, oldest first.

    The caller's transaction commits before the work: what ends this process is then done again one by one, and only
    then blamed for it (`take`).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE approvals_outbox SET begun_by = %s WHERE id = ANY (ARRAY(SELECT id FROM approvals_outbox"
            " WHERE workspace_id = %s AND task = %s AND begun_by = '' AND dead_at IS NULL AND not_before <= %s"
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)) RETURNING object_id",
            [_TOGETHER, workspace, task, now, most],
        )
        return sorted(row[0] for row in cursor.fetchall())


def take(*, workspace: int, task: str, object_id: int, now: datetime) -> bool:
    """Before work that was said before: note who begins it; False where it has ended its workers too often.

    A process that is still there ended its work by an exception: that is not counted. Its own transaction commits
    before the work, or a killed worker would leave no trace.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE approvals_outbox SET tries = tries + (begun_by NOT IN ('', %s, %s))::int, begun_by = %s"
            " WHERE workspace_id = %s AND task = %s AND object_id = %s AND dead_at IS NULL RETURNING tries",
            [_TOGETHER, _ME, _ME, workspace, task, object_id],
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
