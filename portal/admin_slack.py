"""Django admin of a workspace's channel in Slack: what is posted, and the webhook's address, put in and never shown."""

from datetime import time
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from portal import quiet, sealing, slack, tidings
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Language, Notice, Role, SlackHook
from portal.retold import say

LANGUAGES = [(Language.ENGLISH, _lazy("English")), (Language.GERMAN, _lazy("German"))]
MANNER = ("language", "quiet_from", "quiet_until", "in_hours")
# What goes to a channel unless an admin says otherwise: what stops work, not each step of it.
USUAL = (Notice.Kind.ESCALATED, Notice.Kind.BREACHED, Notice.Kind.SWITCH, Notice.Kind.SEAL, Notice.Kind.DEAD)


class SlackForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """On or off, the kinds, and an address that goes in and is never rendered back."""

    inside: int
    on = forms.BooleanField(required=False, initial=True, label=pgettext_lazy("field", "On"))
    kinds = forms.MultipleChoiceField(
        required=False, choices=lambda: [(kind.value, _(tidings.TO_ALL[kind])) for kind in Notice.Kind], initial=USUAL,
        widget=forms.CheckboxSelectMultiple, label=_lazy("What is posted"),
    )  # fmt: skip
    address = forms.CharField(
        required=False, max_length=slack.LONGEST_ADDRESS, label=_lazy("Webhook"),
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text=_lazy(
            "The address of an incoming webhook; whoever has it can post. Sealed at once, and nobody can read it"
            " back. Left empty, the one that was set before stays."
        ),
    )  # fmt: skip

    language = forms.ChoiceField(
        choices=[("", _lazy("As the installation")), *LANGUAGES], required=False, label=_lazy("Language"),
        help_text=_lazy("Of what is posted."),
    )  # fmt: skip
    quiet_from = forms.CharField(
        required=False, max_length=5, label=_lazy("Quiet hours from"),
        help_text=_lazy("Such as 19:00, in the workspace's time zone."),
    )  # fmt: skip
    quiet_until = forms.CharField(
        required=False, max_length=5, label=_lazy("Quiet hours until"),
        help_text=_lazy(
            "What happens between the two is posted after. Only a switch that was thrown, a result that nobody knows,"
            " dead work and a log that is not sealed are posted at once. Leave both empty for none."
        ),
    )  # fmt: skip
    in_hours = forms.BooleanField(
        required=False, label=_lazy("In working hours alone"),
        help_text=_lazy("Outside of the workspace's working hours it is as in quiet hours."),
    )  # fmt: skip

    class Meta:
        model = SlackHook
        fields: ClassVar = ["on", "kinds", "language", "quiet_from", "quiet_until", "in_hours"]

    def clean_quiet_from(self) -> time | None:
        return _time(self.cleaned_data["quiet_from"])

    def clean_quiet_until(self) -> time | None:
        return _time(self.cleaned_data["quiet_until"])

    @property
    def manner(self) -> slack.Manner:
        """How it is posted."""
        return slack.Manner(**{name: self.cleaned_data[name] for name in MANNER})

    @sensitive_variables("said")
    def clean(self) -> dict[str, Any]:
        """What the service would refuse."""
        said: dict[str, Any] = self.cleaned_data
        if self.errors:
            return said
        try:
            slack.check(
                workspace=self.inside, on=said["on"], kinds=said["kinds"], address=said["address"], manner=self.manner
            )  # fmt: skip
        except slack.SlackError as error:
            self.add_error(error.field, sentence_of(error.sentence))
        except sealing.SealingError as error:
            self.add_error(None, f"{say(str(error))}.")
        return said


def _time(text: str) -> time | None:
    try:
        return quiet.read_time(text) if text else None
    except quiet.QuietError as error:
        raise forms.ValidationError(str(error)) from error


@admin.register(SlackHook, site=site)
class SlackAdmin(WorkspaceAdmin):
    """What is in force; adding writes the next version."""

    writers = frozenset({Role.ADMIN})
    form = SlackForm
    list_display = ("version", "on", "posted", "quiet_hours", "created_at")
    ordering = ("-version",)

    @admin.display(description=_lazy("what is posted"))
    def posted(self, obj: SlackHook) -> str:
        return "; ".join(_(tidings.TO_ALL[kind]) for kind in obj.kinds if kind in tidings.TO_ALL)

    @admin.display(description=_lazy("quiet hours"))
    def quiet_hours(self, obj: SlackHook) -> str:
        hours = [_("outside of working hours")] * obj.in_hours
        if obj.quiet_from and obj.quiet_until:
            hours.append(f"{obj.quiet_from:%H:%M} – {obj.quiet_until:%H:%M}")
        return ", ".join(hours) or _("none")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version, without the column that only apply may read."""
        newer = SlackHook.objects.filter(workspace=OuterRef("workspace"), version__gt=OuterRef("version"))
        return super().get_queryset(request).filter(~Exists(newer)).defer("sealed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj:
            return ("version", "on", "posted", "quiet_hours", "language", "key_id", "created_at")
        return ("on", "kinds", *MANNER, "address")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.get_fields(request, obj) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """None is changed; another is added."""
        return False

    def subject(self, obj: Any) -> str:
        return slack.PART

    @method_decorator(sensitive_post_parameters("address"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without the address in any report of an error."""
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Begins with what is in force."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.inside = request.workspace.pk
        now = slack.in_force(request.workspace.pk)
        if obj is None and now is not None:
            for name in ("on", "kinds", "language", "in_hours"):
                made.base_fields[name].initial = getattr(now, name)
            for name in ("quiet_from", "quiet_until"):
                made.base_fields[name].initial = f"{at:%H:%M}" if (at := getattr(now, name)) else ""
        return made

    @sensitive_variables("form")
    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Sealed, on the log."""
        saved = slack.set_hook(
            workspace=request.workspace.pk, on=form.cleaned_data["on"], kinds=form.cleaned_data["kinds"],
            address=form.cleaned_data["address"], actor=f"person:{request.user.pk}", now=request.now,
            manner=form.manner,
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id = saved.pk, saved.version, saved.workspace_id
