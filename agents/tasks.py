"""What workers of the queue `agents` do. Ids only; each task is one service call and safe to run twice."""

from celery import shared_task

from agents import workflow
from approvals import pulse


@shared_task(name="agents.tasks.advance", ignore_result=True)
def advance(workspace: int, run: int) -> None:
    """Work a run to its end, unless somebody else does or has."""
    workflow.advance(workspace=workspace, run=run)


@shared_task(name="agents.tasks.ask_again", ignore_result=True)
def ask_again(workspace: int, instruction: int) -> None:
    """Work what a reviewer sent back, unless somebody else does or has."""
    workflow.ask_again(workspace=workspace, instruction=instruction)


@shared_task(name="agents.tasks.pulse", ignore_result=True)
def answer_pulse() -> None:
    """This queue is worked."""
    pulse.answer("agents")
