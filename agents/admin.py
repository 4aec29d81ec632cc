"""Django admin of the agents: what runs did, to read. What they handed in stands with the door.

The gateway has modules of its own, imported here so that Django finds them.
"""

from django.contrib import admin

from agents import admin_budgets, admin_models
from agents.models import Run, Step, ToolCall, Transcript
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


@admin.register(ToolCall, site=site)
class ToolCallAdmin(WorkspaceAdmin):
    """What a run read, in order, by digest, and how each call ended."""

    list_display = ("id", "run", "seq", "tool", "ended", "micros", "created_at")
    list_filter = ("tool", "ended")
    list_select_related = ("run",)


@admin.register(Transcript, site=site)
class TranscriptAdmin(WorkspaceAdmin):
    """What models were asked and answered, redacted. Row security shows them to managers and auditors alone."""

    list_display = ("id", "run", "step", "number", "created_at")
    list_filter = ("step",)
    list_select_related = ("run",)
