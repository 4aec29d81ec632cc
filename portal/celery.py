"""The Celery app: two queues, `agents` and `apply`, each with its own workers and database role."""

import os
import sys
from typing import Any

from celery import Celery
from celery.signals import task_postrun, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

from django.conf import settings  # the settings module is named above
from django.db import close_old_connections

from portal.readiness import refuse_if_unfit  # as above

app = Celery("countersign", task_cls="portal.broker:Task")
app.config_from_object(settings.CELERY)
# Celery would sign in to the database anew for every task; what is old or broken is closed below.
app.conf["CELERY_DB_REUSE_MAX"] = sys.maxsize
# A process loads the tasks of its own queue: the other's bring libraries that double the time of a restart.
app.autodiscover_tasks(["agents" if settings.PROCESS_ROLE == "agents" else "approvals"])


@task_postrun.connect
def keep_what_works(**_: Any) -> None:
    """A connection lives as long as a web process would keep it, and not past an error that broke it."""
    close_old_connections()


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
