"""Django admin of reusable texts: managers and admins keep them, through `approvals.texts`."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _lazy

from approvals import texts
from approvals.models import ReusableText
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Role


class TextForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A name, what it is for, and the words."""

    inside: ClassVar[int]

    class Meta:
        model = ReusableText
        fields: ClassVar = ["name", "language", "used_for", "body", "offered"]
        help_texts: ClassVar = {
            "language": _lazy("Of the text. The customer's language comes first where one is chosen."),
            "used_for": _lazy(
                "A question also ticks that the case waits for the customer. A use and language without a text of"
                " yours is offered the one that comes with Countersign."
            ),
            "body": _lazy("{first_name}, {order} and {ticket} are filled in where they are known. Name no customer."),
            "offered": _lazy("Texts are not deleted; one without this tick is not offered any more."),
        }
        widgets: ClassVar = {"body": forms.Textarea({"rows": 10, "class": "vLargeTextField"})}

    def clean(self) -> dict[str, Any]:
        """What the service would refuse, beside its field."""
        said: dict[str, Any] = self.cleaned_data
        if self.errors:
            return said
        try:
            words = {name: said[name] for name in ("name", "language", "used_for", "body")}
            texts.check(workspace=self.inside, text=self.instance.pk, **words)
        except texts.TextError as error:
            self.add_error(error.field, sentence_of(error.sentence))
        return said


@admin.register(ReusableText, site=site)
class ReusableTextAdmin(WorkspaceAdmin):
    """What may be put into a reply."""

    writers = frozenset({Role.ADMIN, Role.MANAGER})
    form = TextForm
    list_display = ("name", "language", "used_for", "offered", "changed_at")
    list_filter = ("language", "used_for", "offered")
    ordering = ("used_for", "name", "language")
    fields = ("name", "language", "used_for", "body", "offered")

    def subject(self, obj: Any) -> str:
        return f"text:{obj.pk}"

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Names are compared within the workspace."""
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.inside = request.workspace.pk
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new one begins with one that comes with the product, while that is not replaced."""
        workspace: Any = getattr(request, "workspace", None)
        found = texts.lacking(workspace.pk)
        said = ("name", "language", "used_for", "body") if found else ()
        return {name: getattr(found, name) for name in said}

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Keep it, on the log."""
        saved = texts.save(
            workspace=request.workspace.pk, text=obj.pk, name=obj.name, language=obj.language, used_for=obj.used_for,
            body=obj.body, offered=obj.offered, actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.workspace_id = saved.pk, saved.workspace_id
