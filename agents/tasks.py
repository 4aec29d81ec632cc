"""What workers of the queue `agents` do. Ids only; each task is one service call and safe to run twice."""

from celery import shared_task

from agents import workflow


@shared_task(name="agents.tasks.advance", ignore_result=True)
def advance(workspace: int, run: int) -> None:
    """Work a run to its end, unless somebody else does or has."""
    workflow.advance(workspace=workspace, run=run)
