"""What workers of the queue `agents` do, and what keeps to time in `apply`.

Ids only; each task is one service call and safe to run twice.
"""

from functools import partial

from celery import shared_task

from agents import intake, retention, workflow
from agents.sweeps import planning, working
from approvals import outbox, pulse


@shared_task(name="agents.tasks.advance", ignore_result=True)
def advance(workspace: int, run: int) -> None:
    """Work a run to its end, unless somebody else does or has."""
    workflow.advance(workspace=workspace, run=run)


@shared_task(name="agents.tasks.advance_due", ignore_result=True)
def advance_due(workspace: int) -> None:
    """Work what nobody began, a number of runs at a time."""
    work = partial(workflow.advance_due, workspace=workspace)
    outbox.drain(intake.ADVANCE, "agents", workspace, work, full=workflow.TOGETHER)


@shared_task(name="agents.tasks.ask_again", ignore_result=True)
def ask_again(workspace: int, instruction: int) -> None:
    """Work what a reviewer sent back, unless somebody else does or has."""
    workflow.ask_again(workspace=workspace, instruction=instruction)


@shared_task(name="agents.tasks.sweep", ignore_result=True)
def sweep(workspace: int, sweep: int) -> None:
    """Work a sweep to its end, unless somebody else does or has."""
    working.work(workspace=workspace, sweep=sweep)


@shared_task(name="agents.tasks.begin_sweeps", ignore_result=True)
def begin_sweeps() -> None:
    """Every minute: begin the sweeps whose time of day has come."""
    planning.begin_due()


@shared_task(name="agents.tasks.retain", ignore_result=True)
def retain() -> None:
    """Every hour, in the queue `apply`: take away what was kept long enough."""
    retention.run_everywhere()


@shared_task(name="agents.tasks.pulse", ignore_result=True)
def answer_pulse() -> None:
    """This queue is worked."""
    pulse.answer("agents")
