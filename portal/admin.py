"""Django admin of people, queues and the log. Appointing goes through `portal.staff`; the rest is to read."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from audit.models import Entry
from portal import admin_connections, admin_hours, admin_slack, staff  # noqa: F401  # these register themselves
from portal.admin_site import WorkspaceAdmin, site
from portal.models import Membership, Page, Queue, Role


class AppointmentForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Somebody by e-mail address, and a role. A new person sets their password by the reset page."""

    email = forms.EmailField(label=_lazy("E-mail address"), help_text=_lazy("Of somebody new, or known already."))
    name = forms.CharField(label=_lazy("Name"), max_length=120, required=False, help_text=_lazy("Of somebody new."))

    class Meta:
        model = Membership
        fields: ClassVar = ["role"]


class ActiveForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """Whether an appointment stands."""

    class Meta:
        model = Membership
        fields: ClassVar = ["active"]

    def clean_active(self) -> bool:
        """Not the last admin's."""
        active = bool(self.cleaned_data["active"])
        if not active and staff.is_last_admin(self.instance):
            raise forms.ValidationError(_("Nobody else administers this workspace; appoint somebody first."))
        return active


@admin.register(Membership, site=site)
class MembershipAdmin(WorkspaceAdmin):
    """Who belongs to the workspace, as what. Nothing is deleted: an appointment ends by not being active."""

    writers = frozenset({Role.ADMIN})
    list_display = ("person", "email", "role", "active")
    list_filter = ("role", "active")
    list_select_related = ("person",)

    @admin.display(description=_lazy("E-mail address"))
    def email(self, obj: Membership) -> str:
        return obj.person.email

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Appoint anew, or end and renew."""
        kwargs["form"] = ActiveForm if obj else AppointmentForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("person", "role", "active") if obj else ("email", "name", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("person", "role") if obj else ()

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Appoint, on the log."""
        if change:
            person = obj.person
        else:
            person = staff.person_of(email=form.cleaned_data["email"], name=form.cleaned_data["name"])
        saved = staff.appoint(
            workspace=request.workspace, person=person, role=Role(obj.role), active=obj.active,
            actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.workspace, obj.person = saved.pk, saved.workspace, saved.person


@admin.register(Queue, site=site)
class QueueAdmin(WorkspaceAdmin):
    """Team queues, to read."""

    list_display = ("title", "name")


@admin.register(Page, site=site)
class PageAdmin(WorkspaceAdmin):
    """Policy pages in all their versions, to read; `publish_page` writes the next one."""

    list_display = ("title", "version", "language", "read_by", "effective_from", "effective_until")

    @admin.display(description=_lazy("readers"))
    def read_by(self, obj: Page) -> str:
        return ", ".join(obj.readers)


@admin.register(Entry, site=site)
class EntryAdmin(WorkspaceAdmin):
    """The log, to read; the payloads are not here."""

    list_display = ("at", "event", "about", "version", "state", "actor")
    exclude = ()

    @admin.display(description=_lazy("subject"))
    def about(self, obj: Entry) -> str:
        return str(obj.subject)

    def subject(self, obj: Entry) -> str:
        """An entry's history is its subject's."""
        return str(obj.subject)
