"""One's own profile: name, language, numbers, time zone, colours, rows, single keys; how one is told of things."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from portal import choices, notices, quiet, worktime
from portal.htmx import WorkspaceRequest
from portal.models import Language, NoticeChoice, NumberFormat, Person


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a person says about themselves and their desk; roles and the address are an admin's."""

    language = forms.ChoiceField(
        choices=[("", _lazy("As the browser asks")), *Language.choices], required=False, label=_lazy("Language"),
        help_text=_lazy("Of the pages and the mails. What people write stays as they wrote it."),
    )  # fmt: skip
    number_format = forms.ChoiceField(
        choices=[("", _lazy("As the language")), *NumberFormat.choices], required=False, label=_lazy("Numbers"),
        help_text=_lazy("Amounts are shown so, and may be typed so. Files and programs get 1234.50."),
    )  # fmt: skip
    time_zone = forms.ChoiceField(label=_lazy("Time zone"), help_text=_lazy("Times are shown in it."))

    class Meta:
        model = Person
        fields = ("name", "language", "number_format", "time_zone", "theme", "density", "keys_enabled")
        labels: ClassVar = {
            "name": _lazy("Name"), "theme": _lazy("Colours"), "density": _lazy("Rows"),
            "keys_enabled": _lazy("Single keys, like a for approve"),
        }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(zone, zone) for zone in sorted(worktime.zones())]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]  # of its own field


class TellingForm(forms.Form):
    """Where each kind is told, whether by mail, at which hours and when not."""

    by_mail = forms.BooleanField(required=False, label=_lazy("Send me a digest by mail"))
    digest_at = forms.CharField(
        required=False, max_length=60, label=_lazy("Digest at"),
        help_text=_lazy("One or several times of day: 08:00, 16:00."),
    )  # fmt: skip
    quiet_from = forms.CharField(
        required=False, max_length=5, label=_lazy("Quiet hours from"), help_text=_lazy("Such as 19:00.")
    )
    quiet_until = forms.CharField(
        required=False, max_length=5, label=_lazy("Quiet hours until"),
        help_text=_lazy("No mail comes between the two; what waits comes after. Leave both empty for none."),
    )  # fmt: skip

    def __init__(self, data: Any = None, *, row: NoticeChoice, roles: frozenset[str]) -> None:
        times = {name: f"{at:%H:%M}" for name in ("quiet_from", "quiet_until") if (at := getattr(row, name))}
        kinds = notices.kinds_for(roles)
        told = {f"on_{kind}": choices.channel(row, kind) for kind in kinds}
        initial = {"by_mail": row.by_mail, "digest_at": ", ".join(row.digest_at), **times, **told}
        super().__init__(data, initial=initial)
        for kind in kinds:
            self.fields[f"on_{kind}"] = forms.ChoiceField(choices=choices.channels(), label=kind.label)

    def clean_digest_at(self) -> list[str]:
        """Times of day; the usual one where none is given."""
        try:
            return quiet.read_times(self.cleaned_data["digest_at"] or ", ".join(choices.DEFAULT_TIMES))
        except quiet.QuietError as error:
            raise forms.ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Both bounds of the quiet hours, or neither."""
        said: dict[str, Any] = self.cleaned_data
        for name in ("quiet_from", "quiet_until"):
            try:
                said[name] = quiet.read_time(said[name]) if said.get(name) else None
            except quiet.QuietError as error:
                self.add_error(name, str(error))
        begins, ends = said.get("quiet_from"), said.get("quiet_until")
        if not self.errors and (begins is None) != (ends is None):
            self.add_error("quiet_from" if begins is None else "quiet_until", _("Say both times, or neither."))
        elif begins is not None and begins == ends:
            self.add_error("quiet_until", _("The quiet hours end when they begin; leave both empty for none."))
        return said

    @property
    def channels(self) -> dict[str, str]:
        """By kind."""
        return {name[3:]: value for name, value in self.cleaned_data.items() if name.startswith("on_")}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def own(request: WorkspaceRequest) -> HttpResponse:
    """Show and change it."""
    form = ProfileForm(request.POST or None, instance=Person.objects.get(pk=request.user.pk))
    if form.is_valid():
        form.save()
        return redirect("profile")
    return _show(request, form, TellingForm(**_own(request)))


@require_POST
def telling(request: WorkspaceRequest) -> HttpResponse:
    """Change how one is told."""
    form = TellingForm(request.POST, **_own(request))
    if not form.is_valid():
        return _show(request, ProfileForm(instance=Person.objects.get(pk=request.user.pk)), form)
    said = form.cleaned_data
    choices.save(
        workspace=request.workspace.pk, person=request.user.pk, channels=form.channels, now=request.now,
        **{name: said[name] for name in ("by_mail", "digest_at", "quiet_from", "quiet_until")},
    )  # fmt: skip
    return redirect("profile")


def _own(request: WorkspaceRequest) -> dict[str, Any]:
    return {"row": choices.of(workspace=request.workspace.pk, person=request.user.pk), "roles": request.roles}


def _show(request: WorkspaceRequest, form: ProfileForm, telling: TellingForm) -> HttpResponse:
    wrong = form.errors or telling.errors
    return render(request, "portal/profile.html", {"form": form, "telling": telling}, status=422 if wrong else 200)


urlpatterns = [path("", own, name="profile"), path("notices/", telling, name="profile-notices")]
