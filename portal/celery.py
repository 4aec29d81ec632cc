"""The Celery app: two queues, `agents` and `apply`, each with its own workers and database role."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings  # the settings module is named above

from portal.readiness import refuse_if_unfit  # as above

app = Celery("countersign")
app.config_from_object(settings.CELERY)
app.autodiscover_tasks(["approvals", "agents"])


@worker_init.connect
def refuse_the_wrong_role(sender: Any, **_: Any) -> None:
    """A worker consumes the queue of its own database role, or does not start."""
    queues = {str(name) for name in sender.app.amqp.queues.consume_from}
    if queues != {settings.PROCESS_ROLE}:
        raise SystemExit(
            f"PROCESS_ROLE is {settings.PROCESS_ROLE!r} but the worker consumes {sorted(queues)}: "
            "start it with -Q agents or -Q apply and the same PROCESS_ROLE"
        )
    refuse_if_unfit()
