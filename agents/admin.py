"""Django admin of the agents: runs, what they did and sweeps, to read; when a sweep begins by itself.

The gateway has modules of its own, imported here so that Django finds them.

What the agents handed in stands with the door.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from agents import admin_budgets, admin_keeping, admin_models
from agents.admin_budgets import dollars
from agents.models import Run, Step, Sweep, SweepPlan, ToolCall, Transcript
from agents.sweeps import planning
from agents.templatetags import measures
from portal.admin_site import WorkspaceAdmin, site
from portal.models import Role

__all__ = ["RunAdmin", "StepAdmin", "admin_budgets", "admin_keeping", "admin_models"]


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
        "most",
        "cost",
        "created_at",
        "finished_at",
    )
    list_filter = ("agent", "state")
    list_select_related = ("case",)

    @admin.display(description=_lazy("at most"))
    def most(self, obj: Run) -> str:
        return dollars(obj.most_micros)

    @admin.display(description=_lazy("cost"))
    def cost(self, obj: Run) -> str:
        return dollars(obj.cost_micros)


@admin.register(Step, site=site)
class StepAdmin(WorkspaceAdmin):
    """What a run did, in order, by digest, with what it took."""

    list_display = ("id", "run", "seq", "name", "took", "cost", "created_at")
    list_filter = ("name",)
    list_select_related = ("run",)

    @admin.display(description=_lazy("took"))
    def took(self, obj: Step) -> str:
        return measures.took(obj.micros)

    @admin.display(description=_lazy("cost"))
    def cost(self, obj: Step) -> str:
        return dollars(obj.cost_micros)


@admin.register(ToolCall, site=site)
class ToolCallAdmin(WorkspaceAdmin):
    """What a run read, in order, by digest, and how each call ended."""

    list_display = ("id", "run", "seq", "tool", "ended", "took", "created_at")
    list_filter = ("tool", "ended")
    list_select_related = ("run",)

    @admin.display(description=_lazy("took"))
    def took(self, obj: ToolCall) -> str:
        return measures.took(obj.micros)


@admin.register(Transcript, site=site)
class TranscriptAdmin(WorkspaceAdmin):
    """What models were asked and answered, redacted. Row security shows them to managers and auditors alone."""

    list_display = ("id", "run", "step", "number", "created_at")
    list_filter = ("step",)
    list_select_related = ("run",)


@admin.register(Sweep, site=site)
class SweepAdmin(WorkspaceAdmin):
    """Each going over the contacts: how far it came and what it held back."""

    list_display = ("id", "state", "started_by", "total", "found", "known", "proposed", "repairs", "left", "created_at")
    list_filter = ("state",)


class PlanForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A new plan; it starts from the one in force."""

    class Meta:
        model = SweepPlan
        fields: ClassVar = ["on", "at", "per_sweep", "per_day"]
        help_texts: ClassVar = {
            "at": _lazy("The workspace's own time."),
            "per_sweep": _lazy("Matters that one sweep may put before people."),
            "per_day": _lazy("And all sweeps of a day."),
        }

    def clean(self) -> dict[str, Any]:
        """Within what a desk can work off."""
        said = self.cleaned_data
        for name in ("per_sweep", "per_day"):
            if not 0 < said.get(name, 1) <= planning.MOST:
                self.add_error(name, _("From 1 to %(most)s.") % {"most": planning.MOST})
        return said


@admin.register(SweepPlan, site=site)
class SweepPlanAdmin(WorkspaceAdmin):
    """Saving puts a new version in force; none is changed."""

    writers = frozenset({Role.ADMIN})
    form = PlanForm
    list_display = ("version", "on", "at", "per_sweep", "per_day", "made_by", "created_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What was in force stays as it was."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A plan that is not wanted any more is followed by one that is off."""
        return False

    def get_changeform_initial_data(self, request: Any) -> Any:
        """The plan in force."""
        row = planning.plan_in_force(request.workspace.pk)
        return {name: getattr(row, name) for name in PlanForm.Meta.fields} if row else {"on": True}

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Through the service, on the log."""
        made = planning.plan(
            workspace=request.workspace.pk, actor=f"person:{request.user.pk}", now=request.now,
            **{name: form.cleaned_data[name] for name in PlanForm.Meta.fields},
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id = made.pk, made.version, made.workspace_id
