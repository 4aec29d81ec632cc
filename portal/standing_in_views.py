"""The page where people say that they are out of office, and who stands in; managers say it for others as well."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST

from portal import standing_in, worktime
from portal.htmx import WorkspaceRequest
from portal.models import Delegation, Role

PAGE = "portal/out_of_office.html"


def _of_our_time(day: date) -> None:
    if not 2000 <= day.year < 3000:
        raise forms.ValidationError(_("Write a day as 2026-12-24."))


def _day(**said: Any) -> forms.DateField:
    return forms.DateField(
        **said, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d"), validators=[_of_our_time]
    )  # fmt: skip


class AwayForm(forms.Form):
    """Whole days, the last one included, as the person's own clock counts them."""

    person = forms.TypedChoiceField(label=_lazy("Who"), coerce=int)
    starts = _day(label=_lazy("First day out"))
    ends = _day(label=_lazy("Last day out"))
    stand_in = forms.TypedChoiceField(label=_lazy("Who stands in"), coerce=int)
    reason = forms.CharField(
        max_length=200, required=False, label=_lazy("Note"), help_text=_lazy("For colleagues; on the log.")
    )

    def __init__(self, *args: Any, request: WorkspaceRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = standing_in.deciders(request.workspace.pk)
        mine = [(key, name) for key, name in known if key == request.user.pk or Role.MANAGER in request.roles]
        self.fields["person"].choices = mine  # type: ignore[attr-defined]  # of its own field
        self.fields["stand_in"].choices = [("", _("Choose")), *known]  # type: ignore[attr-defined]  # as above
        self.fields["starts"].initial = _today(request)
        self.fields["person"].initial = request.user.pk

    def refuse(self, message: str) -> None:
        """Put a service's 'field: what is wrong' beside its field."""
        name, _colon, rest = message.partition(": ")
        self.add_error(name if name in self.fields else None, rest[:1].upper() + rest[1:] + ".")


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: WorkspaceRequest) -> HttpResponse:
    """Who is away and will be; a post says so of oneself or, by a manager, of somebody else."""
    form = AwayForm(request.POST or None, request=request)
    if form.is_valid() and _saved(request, form):
        return redirect("out-of-office")
    # The last moment that counts, so that it reads as the last day out.
    ahead = [
        (row, row.ends_at - timedelta(seconds=1))
        for row in standing_in.ahead(workspace=request.workspace.pk, now=request.now)
    ]
    context = {
        "form": form, "may": bool(form.fields["person"].choices), "manager": Role.MANAGER in request.roles,  # type: ignore[attr-defined]  # as above
        "away": [(row, last) for row, last in ahead if row.starts_at <= request.now],
        "ahead": [(row, last) for row, last in ahead if row.starts_at > request.now],
    }  # fmt: skip
    return render(request, PAGE, context, status=422 if form.errors else 200)


@require_POST
def end(request: WorkspaceRequest, pk: int) -> HttpResponse:
    """Back, or not going."""
    try:
        standing_in.end(workspace=request.workspace.pk, delegation=pk, actor=request.user.pk, now=request.now)
    except (Delegation.DoesNotExist, standing_in.NotYours) as error:
        raise Http404 from error
    return redirect("out-of-office")


def _saved(request: WorkspaceRequest, form: AwayForm) -> bool:
    said = form.cleaned_data
    try:
        standing_in.set_out(
            workspace=request.workspace.pk, person=said["person"], stand_in=said["stand_in"],
            starts=_midnight(request, said["starts"]), ends=_midnight(request, said["ends"] + timedelta(days=1)),
            reason=said["reason"], actor=request.user.pk, now=request.now,
        )  # fmt: skip
    except standing_in.StandInError as error:
        form.refuse(str(error))
        return False
    return True


def _zone(request: WorkspaceRequest) -> ZoneInfo:
    return ZoneInfo(request.user.time_zone if request.user.time_zone in worktime.zones() else "UTC")


def _today(request: WorkspaceRequest) -> date:
    return request.now.astimezone(_zone(request)).date()


def _midnight(request: WorkspaceRequest, day: date) -> datetime:
    return datetime.combine(day, time(), _zone(request))


urlpatterns = [
    path("", page, name="out-of-office"),
    path("<int:pk>/end/", end, name="back-in-office"),
]
