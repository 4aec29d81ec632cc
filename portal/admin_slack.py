"""Django admin of a workspace's channel in Slack: what is posted, and the webhook's address, put in and never shown."""

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

from portal import sealing, slack, tidings
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Notice, Role, SlackHook
from portal.retold import say

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

    class Meta:
        model = SlackHook
        fields: ClassVar = ["on", "kinds"]

    @sensitive_variables("said")
    def clean(self) -> dict[str, Any]:
        """What the service would refuse."""
        said: dict[str, Any] = self.cleaned_data
        if self.errors:
            return said
        try:
            slack.check(workspace=self.inside, on=said["on"], kinds=said["kinds"], address=said["address"])
        except slack.SlackError as error:
            self.add_error(error.field, sentence_of(error.sentence))
        except sealing.SealingError as error:
            self.add_error(None, f"{say(str(error))}.")
        return said


@admin.register(SlackHook, site=site)
class SlackAdmin(WorkspaceAdmin):
    """What is in force; adding writes the next version."""

    writers = frozenset({Role.ADMIN})
    form = SlackForm
    list_display = ("version", "on", "posted", "created_at")
    ordering = ("-version",)

    @admin.display(description=_lazy("what is posted"))
    def posted(self, obj: SlackHook) -> str:
        return "; ".join(_(tidings.TO_ALL[kind]) for kind in obj.kinds if kind in tidings.TO_ALL)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version, without the column that only apply may read."""
        newer = SlackHook.objects.filter(workspace=OuterRef("workspace"), version__gt=OuterRef("version"))
        return super().get_queryset(request).filter(~Exists(newer)).defer("sealed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("version", "on", "posted", "key_id", "created_at") if obj else ("on", "kinds", "address")

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
            made.base_fields["kinds"].initial, made.base_fields["on"].initial = now.kinds, now.on
        return made

    @sensitive_variables("form")
    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Sealed, on the log."""
        saved = slack.set_hook(
            workspace=request.workspace.pk, on=form.cleaned_data["on"], kinds=form.cleaned_data["kinds"],
            address=form.cleaned_data["address"], actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id = saved.pk, saved.version, saved.workspace_id
