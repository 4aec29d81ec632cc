"""Celery tasks of the `apply` queue: ids in, one service call each, safe to run twice."""

import logging
import random
import threading
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

from celery import Task, shared_task

from approvals import execution, outbox, proposals, pulse, reconciliation, sweeper, telling, waiting
from approvals import gate as gates
from portal import outage
from portal import workspace as inside

logger = logging.getLogger(__name__)
# What was begun before is worked one at a time in each process: what ends the process is then blamed alone.
_ALONE = threading.Lock()


def fit(task: Task, workspace: int, object_id: int) -> bool:
    """Whether this worker may begin: the work has not ended others before."""
    if not task.request.get("again"):
        return True
    with inside.within(workspace) as now:
        return outbox.take(workspace=workspace, task=str(task.name), object_id=object_id, now=now)


def _begin(task: Task, workspace: int, object_id: int, work: Callable[..., None], give_up: Callable[..., None]) -> None:
    kind = {"gate": "submission", "resume": "entry"}.get(str(task.name).rpartition(".")[2], "proposal")
    with _ALONE if task.request.get("again") else nullcontext():
        (work if fit(task, workspace, object_id) else give_up)(workspace=workspace, **{kind: object_id})


def _leave(**_: Any) -> None:
    """The dead row is all there is to say."""


@shared_task(name="approvals.tasks.gate", queue="apply", bind=True)
def gate(self: Task, workspace: int, submission: int, **_newer: Any) -> None:
    """Turn a submission into a proposal or a hand-off."""
    _begin(self, workspace, submission, gates.pass_through, gates.give_up)


@shared_task(name="approvals.tasks.gate_due", queue="apply")
def gate_due(workspace: int) -> None:
    """Gate what is due, a number at a time."""
    work = partial(gates.pass_due, workspace=workspace)
    outbox.drain(proposals.GATE, "apply", workspace, work, full=gates.TOGETHER)


@shared_task(name="approvals.tasks.apply", queue="apply", bind=True)
def apply(self: Task, workspace: int, proposal: int, **_newer: Any) -> None:
    """Apply what is approved and no longer held."""
    _begin(self, workspace, proposal, execution.apply, execution.give_up)


@shared_task(name="approvals.tasks.reconcile", queue="apply", bind=True)
def reconcile(self: Task, workspace: int, proposal: int, **_newer: Any) -> None:
    """Find out what became of a call whose outcome was lost."""
    _begin(self, workspace, proposal, reconciliation.reconcile, reconciliation.give_up)


@shared_task(name="approvals.tasks.settle", queue="apply", bind=True)
def settle(self: Task, workspace: int, proposal: int, **_newer: Any) -> None:
    """Clean up behind what ended without effect."""
    _begin(self, workspace, proposal, execution.settle, _leave)


@shared_task(name="approvals.tasks.pause", queue="apply", bind=True)
def pause(self: Task, workspace: int, proposal: int, **_newer: Any) -> None:
    """Wait for the answer to what was sent."""
    _begin(self, workspace, proposal, waiting.begin, _leave)


@shared_task(name="approvals.tasks.resume", queue="apply", bind=True)
def resume(self: Task, workspace: int, entry: int, **_newer: Any) -> None:
    """Go on after the customer's answer."""
    _begin(self, workspace, entry, waiting.resume, _leave)


@shared_task(name="approvals.tasks.relay", queue="apply", least_pause=0.5)
def relay() -> None:
    """Every second: say again what nobody did, and what waited for its seal."""
    _in_each(outbox.due_in(), outbox.visit)


@shared_task(name="approvals.tasks.pulse", queue="apply")
def answer_pulse() -> None:
    """This queue is worked."""
    pulse.answer("apply")


@shared_task(name="approvals.tasks.sweep", queue="apply", least_pause=5.0)
def sweep() -> None:
    """Every ten seconds: ask after every queue, report stray writes, free leases, look at clocks, follow money."""
    with inside.within(None) as now:
        pulse.ask(now=now)
    _in_each(sweeper.due_in(), sweeper.visit)


@shared_task(name="approvals.tasks.tell", queue="apply", least_pause=1.0)
def tell() -> None:
    """Every two seconds: notices out of what was sealed since."""
    telling.tell_all()


@shared_task(name="approvals.tasks.send_notices", queue="apply", least_pause=5.0)
def send_notices() -> None:
    """Every ten seconds: digests and lines for Slack that are due."""
    telling.send_due()


@shared_task(name="approvals.tasks.tidy_notices", queue="apply", least_pause=60.0)
def tidy_notices() -> None:
    """Every ten minutes: admins hear of a log that is not sealed, and old notices go."""
    telling.watch_the_seal()
    _in_each(list(inside.known().values()), telling.tidy)


def _in_each(workspaces: list[int], visit: Callable[[int], None]) -> None:
    """One after the other; what is wrong in one does not hold up the others, and nobody is always last."""
    random.shuffle(workspaces)
    for workspace in workspaces:
        try:
            visit(workspace)
        except Exception as error:  # a fault of ours in one place must not stop the rest
            if outage.is_outage(error):
                raise
            logger.exception("workspace %s could not be looked at; the others are", workspace)
