"""One's own profile: name, time zone, colours, density, single keys."""

from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from portal import worktime
from portal.htmx import WorkspaceRequest
from portal.models import Person


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What a person says about themselves and their desk; roles and the address are an admin's."""

    time_zone = forms.ChoiceField(label="Time zone", help_text="Times are shown in it.")

    class Meta:
        model = Person
        fields = ("name", "time_zone", "theme", "density", "keys_enabled")
        labels: ClassVar = {"theme": "Colours", "density": "Rows", "keys_enabled": "Single keys, like a for approve"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(zone, zone) for zone in sorted(worktime.zones())]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]  # of its own field


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def own(request: WorkspaceRequest) -> HttpResponse:
    """Show and change it."""
    form = ProfileForm(request.POST or None, instance=Person.objects.get(pk=request.user.pk))
    if form.is_valid():
        form.save()
        return redirect("profile")
    return render(request, "portal/profile.html", {"form": form}, status=422 if form.errors else 200)


urlpatterns = [path("", own, name="profile")]
