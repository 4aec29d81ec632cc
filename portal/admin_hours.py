"""Django admin of a workspace's working hours: a form of days and times, saved through `portal.hours`."""

from datetime import date
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop
from django.utils.translation import pgettext_lazy

from portal import hours, worktime
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Role, Workspace

SHORT = {
    "mon": noop("Mon"), "tue": noop("Tue"), "wed": noop("Wed"), "thu": noop("Thu"), "fri": noop("Fri"),
    "sat": noop("Sat"), "sun": noop("Sun"),
}  # fmt: skip


def _day(label: Any) -> forms.CharField:
    return forms.CharField(
        required=False, max_length=20, label=label, help_text=_lazy("Such as 09:00-17:00; empty is closed.")
    )  # fmt: skip


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Opening and closing of each weekday as text; a day left empty is closed, all left empty never closes."""

    today: date
    time_zone = forms.CharField(
        label=_lazy("Time zone"),
        max_length=60,
        help_text=_lazy("Such as Europe/Berlin. With every day left empty, all hours count."),
    )
    mon, tue, wed = _day(_lazy("Monday")), _day(_lazy("Tuesday")), _day(_lazy("Wednesday"))
    thu, fri, sat, sun = _day(_lazy("Thursday")), _day(_lazy("Friday")), _day(_lazy("Saturday")), _day(_lazy("Sunday"))
    closing_days = forms.CharField(
        label=_lazy("Closing days"), required=False, max_length=8_000, widget=forms.Textarea({"rows": 6}),
        help_text=_lazy("One a line, as 2026-12-25."),
    )  # fmt: skip

    class Meta:
        model = Workspace
        fields: ClassVar = ["time_zone"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        for day in worktime.DAYS:
            self.fields[day].initial = "-".join(row.hours.get(day, ()))
        self.fields["closing_days"].initial = "\n".join(row.closed_on)

    def clean(self) -> dict[str, Any]:
        """Read as it will be kept; what is off stands beside its field."""
        said = self.cleaned_data
        self.hours = {
            day: [part.strip() for part in said[day].replace("–", "-").split("-")]
            for day in worktime.DAYS
            if said.get(day, "").strip()
        }
        self.closed_on = said.get("closing_days", "").replace(",", " ").split()
        if self.errors:
            return said
        try:
            read = worktime.read(said["time_zone"], self.hours, self.closed_on)
            worktime.refuse_never_open(read, self.today)
        except worktime.WorktimeError as error:
            name, _colon, rest = str(error).partition(": ")
            field = {"closed_on": "closing_days", "hours": None}.get(name, name)
            self.add_error(field, sentence_of(rest))
        return said


@admin.register(Workspace, site=site)
class WorkspaceHoursAdmin(WorkspaceAdmin):
    """The workspace itself: one row, of which the hours can be set."""

    writers = frozenset({Role.ADMIN})
    form = HoursForm
    list_display = ("name", "time_zone", "opening")
    fields = ("name", "currency", "time_zone", *worktime.DAYS, "closing_days")
    readonly_fields = ("name", "currency")
    # Who may only look sees the row's hours; the days are inputs of the form.
    looked_at = ("name", "currency", "time_zone", "opening", "closing")
    exclude = ()

    @admin.display(description=pgettext_lazy("field", "open"))
    def opening(self, obj: Workspace) -> str:
        days = [f"{_(SHORT[day])} {'-'.join(obj.hours[day])}" for day in worktime.DAYS if day in obj.hours]
        return ", ".join(days) or _("always")

    @admin.display(description=_lazy("Closing days"))
    def closing(self, obj: Workspace) -> str:
        return ", ".join(obj.closed_on) or "–"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if self.has_change_permission(request, obj) else self.looked_at

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.readonly_fields if self.has_change_permission(request, obj) else self.looked_at

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The one of the address; row security would show every one of the person's."""
        workspace: Any = getattr(request, "workspace", None)
        return Workspace.objects.filter(pk=workspace.pk) if workspace else Workspace.objects.none()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Commands make workspaces."""
        return False

    def _mine(self, request: HttpRequest, obj: models.Model | None, roles: frozenset[Role]) -> bool:
        workspace: Any = getattr(request, "workspace", None)
        inside = workspace is not None and (obj is None or obj.pk == workspace.pk)
        return inside and bool(roles & getattr(request, "roles", frozenset()))

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The day it is now decides which closing days still matter."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.today = request.now.date()
        return form

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Put them in force, on the log."""
        hours.set_hours(
            workspace=obj, time_zone=form.cleaned_data["time_zone"], hours=form.hours, closed_on=form.closed_on,
            actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        messages.info(request, _("They hold for what comes in from now on; due times that are fixed already stay."))
