"""Celery tasks of the `apply` queue: ids in, one service call each, safe to run twice."""

from celery import shared_task

from approvals import execution, outbox
from approvals import gate as gates
from audit import watch
from portal import workspace as inside


@shared_task(name="approvals.tasks.gate", queue="apply")
def gate(workspace: int, submission: int) -> None:
    """Turn a submission into a proposal or a hand-off."""
    gates.pass_through(workspace=workspace, submission=submission)


@shared_task(name="approvals.tasks.apply", queue="apply")
def apply(workspace: int, proposal: int) -> None:
    """Apply what is approved and no longer held."""
    execution.apply(workspace=workspace, proposal=proposal)


@shared_task(name="approvals.tasks.settle", queue="apply")
def settle(workspace: int, proposal: int) -> None:
    """Clean up behind what ended without effect."""
    execution.settle(workspace=workspace, proposal=proposal)


@shared_task(name="approvals.tasks.relay", queue="apply")
def relay() -> None:
    """Every two seconds: say again what nobody did."""
    for workspace in inside.all_ids():
        with inside.within(workspace) as now:
            outbox.relay(workspace=workspace, now=now)


@shared_task(name="approvals.tasks.sweep", queue="apply")
def sweep() -> None:
    """Every ten seconds: report writes that nobody accounted for."""
    for workspace in inside.all_ids():
        with inside.within(workspace) as now:
            watch.report(workspace=workspace, now=now)
