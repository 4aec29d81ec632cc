"""The canary of each queue: asked for by the beat, answered by a worker. Silence means that nobody works."""

from datetime import datetime, timedelta

from django.db import connection

from approvals.models import Pulse
from portal import broker

QUEUES = {"apply": "approvals.tasks.pulse", "agents": "agents.tasks.pulse"}
SILENT_AFTER = timedelta(seconds=30)


def ask(*, now: datetime) -> None:
    """Write down that each queue was asked, and send it a message.

    Where the last question has not been answered its time stays: that is since when nobody works.
    """
    with connection.cursor() as cursor:
        for queue in QUEUES:
            cursor.execute(
                "INSERT INTO approvals_pulse (queue, asked_at) VALUES (%s, %s) ON CONFLICT (queue) DO UPDATE"
                " SET asked_at = excluded.asked_at WHERE approvals_pulse.answered_at >= approvals_pulse.asked_at",
                [queue, now],
            )
    for queue, task in QUEUES.items():
        broker.publish(task, [], queue=queue, headers={})


def answer(queue: str) -> None:
    """A worker is there."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE approvals_pulse SET answered_at = clock_timestamp() WHERE queue = %s", [queue])


def silent(*, now: datetime) -> dict[str, datetime]:
    """Queues nobody has worked for half a minute, and since when; also where the beat itself is gone."""
    return {row.queue: row.asked_at for row in Pulse.objects.all() if row.asked_at < now - SILENT_AFTER}
