"""Django admin of the agents: runs and their steps, to read. What they handed in stands with the door.

The gateway has modules of its own, imported here so that Django finds them.
"""

from django.contrib import admin

from agents import admin_budgets, admin_models
from agents.models import Run, Step
from portal.admin_site import WorkspaceAdmin, site

__all__ = ["RunAdmin", "StepAdmin", "admin_budgets", "admin_models"]


@admin.register(Run, site=site)
class RunAdmin(WorkspaceAdmin):
    """Who worked on which case, with which versions, and what came of it."""

    list_display = (
        "id",
        "agent",
        "case",
        "state",
        "outcome",
        "attempts",
        "most_micros",
        "cost_micros",
        "created_at",
        "finished_at",
    )
    list_filter = ("agent", "state")
    list_select_related = ("case",)


@admin.register(Step, site=site)
class StepAdmin(WorkspaceAdmin):
    """What a run did, in order, by digest, with what it took."""

    list_display = ("id", "run", "seq", "name", "micros", "cost_micros", "created_at")
    list_filter = ("name",)
    list_select_related = ("run",)
