"""Django admin of legal holds and of how long things are kept, by new versions; each save goes through its service."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from agents import erasing
from audit import holds, periods
from audit.models import Hold, Retention
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Role
from portal.retold import kept, say

kept("from %(least)s to %(most)s")
ALREADY, NONE = kept("on hold already"), kept("there is no hold to lift")


class KeptAdmin(WorkspaceAdmin):
    """Insert-only: what was said stays as it was, the newest counts."""

    writers = frozenset({Role.ADMIN})
    exclude: ClassVar[Any] = ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A later row takes its place."""
        return False

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.inside = request.workspace.pk
        return form

    def saved(self, obj: Any, made: Any) -> None:
        """The row that the service wrote."""
        obj.pk, obj.workspace_id = made.pk, made.workspace_id


class PeriodForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A kind and its days."""

    class Meta:
        model = Retention
        fields: ClassVar = ["kind", "days"]
        help_texts: ClassVar = {
            "days": _lazy("Full transcripts: 30 to 90. What is older goes for good when the hourly job runs next.")
        }

    def clean(self) -> dict[str, Any]:
        """Within its bounds."""
        said: dict[str, Any] = self.cleaned_data
        try:
            periods.check(said.get("kind", ""), said.get("days", 0))
        except periods.PeriodError as error:
            self.add_error("days", sentence_of(str(error).partition(": ")[2]))
        return said


@admin.register(Retention, site=site)
class RetentionAdmin(KeptAdmin):
    """Periods in force. Where none is set: full transcripts 90 days, redacted ones 180, steps and tool calls 365."""

    form = PeriodForm
    list_display = ("kind", "days", "version", "made_by", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version of each kind."""
        newer = Retention.objects.filter(
            workspace_id=OuterRef("workspace_id"), kind=OuterRef("kind"), version__gt=OuterRef("version")
        )
        return super().get_queryset(request).filter(~Exists(newer))

    def subject(self, obj: Any) -> str:
        return f"period:{obj.kind}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """The next version, on the log."""
        made = periods.set_days(
            workspace=request.workspace.pk, kind=obj.kind, days=obj.days, actor=f"person:{request.user.pk}",
            now=request.now,
        )  # fmt: skip
        self.saved(obj, made)


class HoldForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Whom it is about, by the id in the books, and whether it begins or ends."""

    inside: ClassVar[int]
    who = forms.CharField(
        required=False, max_length=120, label=_lazy("Whom it is about"),
        help_text=_lazy("customer:ID or contact:ID, by the id in the books; blank is everything in this workspace."),
    )  # fmt: skip
    placed = forms.TypedChoiceField(
        choices=[("1", _lazy("place a hold")), ("", _lazy("lift it"))], coerce=bool, required=False, label=_lazy("What")
    )

    class Meta:
        model = Hold
        fields: ClassVar = ["who", "placed", "reason"]
        help_texts: ClassVar = {"reason": _lazy("Why, without naming the person: it stays when they are erased.")}

    def clean(self) -> dict[str, Any]:
        """The subject by its row, so that no id of theirs is kept."""
        said: dict[str, Any] = self.cleaned_data
        try:
            who = said.get("who", "")
            self.instance.about = erasing.find(workspace=self.inside, name=who) if who else ""
            standing = any(row.about == self.instance.about for row in holds.standing(self.inside))
            if standing == bool(said.get("placed")):
                raise holds.AlreadySo(ALREADY if standing else NONE)
        except (erasing.ErasingError, holds.HoldError) as error:
            self.add_error("who", say(str(error)))
        return said


@admin.register(Hold, site=site)
class HoldAdmin(KeptAdmin):
    """Legal holds: while one stands nothing of whom it is about is erased or over its time."""

    form = HoldForm
    list_display = ("whom", "placed", "reason", "made_by", "created_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whom it is about is an input only where one is written."""
        return self.list_display if obj else super().get_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.list_display if obj else super().get_readonly_fields(request, obj)

    @admin.display(description=pgettext_lazy("field", "of"))
    def whom(self, obj: Hold) -> str:
        return obj.about or _("everything")

    def subject(self, obj: Any) -> str:
        return f"hold:{obj.about or 'all'}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """On the log."""
        act = holds.place if form.cleaned_data["placed"] else holds.lift
        made = act(
            workspace=request.workspace.pk, about=obj.about, reason=obj.reason, actor=f"person:{request.user.pk}",
            now=request.now,
        )  # fmt: skip
        self.saved(obj, made)
        words = _("%(whom)s: on hold.") if made.placed else _("%(whom)s: no longer on hold.")
        messages.info(request, words % {"whom": made.about or _("Everything")})
