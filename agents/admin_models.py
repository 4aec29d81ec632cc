"""Django admin of model servers and their keys, by new versions.

Every save goes through `agents.gateway.catalogue`; nothing is changed, and no key is ever rendered back.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from agents import marking
from agents.gateway import catalogue
from agents.models import ModelBackend, ModelKey
from portal import sealing
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Role
from portal.retold import say


class SetAdmin(WorkspaceAdmin):
    """Lists what is in force; saving writes the next version, and the list is where one comes back to."""

    writers = frozenset({Role.ADMIN})
    series: ClassVar[str]
    kind: ClassVar[str]

    def write(self, **values: Any) -> Any:
        """Call the service."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version of each."""
        newer = self.model._default_manager.filter(
            workspace=OuterRef("workspace"), version__gt=OuterRef("version"), **{self.series: OuterRef(self.series)}
        )
        return super().get_queryset(request).filter(~Exists(newer))

    def subject(self, obj: Any) -> str:
        return f"{self.kind}:{getattr(obj, self.series)}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """The next version."""
        values = {name: getattr(obj, name) for name in form.fields if hasattr(obj, name)}
        saved = self.write(
            workspace=request.workspace.pk, actor=f"person:{request.user.pk}", now=request.now,
            **{self.series: getattr(obj, self.series), **values},
        )  # fmt: skip
        obj.pk, obj.workspace_id = saved.pk, saved.workspace_id
        messages.success(request, _("In force: %(row)s.") % {"row": saved})
        for warning in self.warnings(request, saved):
            messages.warning(request, warning)

    def warnings(self, request: Any, saved: Any) -> list[str]:
        """What is still missing before it can serve."""
        return []

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_the_list()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_the_list()

    def _to_the_list(self) -> HttpResponseRedirect:
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))


class Checked(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """What the service would refuse stands beside its field."""

    def check(self, said: dict[str, Any]) -> None:
        """Raises catalogue.CatalogueError, portal.sealing.SealingError."""
        raise NotImplementedError

    @sensitive_variables("said")
    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if self.errors:
            return said
        try:
            self.check(said)
        except sealing.SealingError as error:
            self.add_error(None, f"{say(str(error))}.")
        except catalogue.CatalogueError as error:
            self.add_error(error.field if error.field in self.fields else None, sentence_of(error.sentence))
        return said


def _upper(words: str) -> str:
    return words[:1].upper() + words[1:]


class BackendForm(Checked):
    """A server and the models it serves by their pinned names."""

    barred = forms.MultipleChoiceField(
        label=_lazy("Never sent there"), required=False, widget=forms.CheckboxSelectMultiple,
        choices=lambda: [(str(data), _upper(_(words))) for data, words in marking.WORDS.items()],
        help_text=_lazy(
            "What holds such data is asked of the next server, or goes to a person. Free text can hold anything."
        ),
    )  # fmt: skip

    def check(self, said: dict[str, Any]) -> None:
        catalogue.check_backend(said)

    class Meta:
        model = ModelBackend
        fields = (
            "name", "base_url", "allow_private", "small_model", "large_model", "verifier_model", "embedding_model",
            "rank", "deadline_seconds", "barred", "retired",
        )  # fmt: skip
        widgets: ClassVar = {"base_url": AdminTextInputWidget}
        labels: ClassVar = {"base_url": _lazy("Address"), "rank": _lazy("Order of fall-back")}
        help_texts: ClassVar = {
            "base_url": _lazy("Where its API begins, such as https://api.openai.com/v1; its host is on MODEL_HOSTS."),
            "allow_private": _lazy("It is in your own network; allows plain http."),
            "small_model": _lazy("Asked first, where a step is unsure."),
            "large_model": _lazy("Asked where the small one is unsure too."),
            "verifier_model": _lazy("Looks at drafts of medium and high stakes; blank is the large one."),
            "embedding_model": _lazy(
                "Finds clauses of the policy pages by what they mean; needs pgvector in the database."
            ),
            "rank": _lazy("Lowest first; the next one is asked where one does not answer."),
            "deadline_seconds": _lazy("1 to 30; a call ends then, whatever the server does."),
            "retired": _lazy("No longer asked."),
        }


@admin.register(ModelBackend, site=site)
class ModelBackendAdmin(SetAdmin):
    """Servers of models."""

    form = BackendForm
    series, kind = "name", "backend"
    list_display = (
        "name", "base_url", "small_model", "large_model", "verifier_model", "embedding_model", "rank",
        "deadline_seconds", "never_sent", "retired", "version",
    )  # fmt: skip
    ordering = ("rank", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A backend keeps its name."""
        return ("name",) if obj else ()

    @admin.display(description=_lazy("never sent there"))
    def never_sent(self, obj: ModelBackend) -> str:
        words = (_(words) for data, words in marking.WORDS.items() if data in obj.barred)
        return ", ".join(words) or "-"

    def write(self, **values: Any) -> ModelBackend:
        return catalogue.set_backend(**values)

    def warnings(self, request: Any, saved: ModelBackend) -> list[str]:
        named = {saved.small_model, saved.large_model, saved.verifier_model, saved.embedding_model} - {""}
        bare = sorted(named - set(catalogue.prices(saved.workspace_id, today=request.now.date())))
        said = [
            _("No price is set yet for %(model)s: it is not asked before it has one.") % {"model": model}
            for model in bare
        ]
        known = ModelKey.objects.filter(workspace=saved.workspace_id, backend=saved.name).exists()
        if known:
            return said
        words = _("No key is set yet for %(backend)s; a server that asks for none needs one.")
        return [*said, words % {"backend": saved.name}]


class KeyForm(Checked):
    """A backend and a secret, which goes in and is never rendered back."""

    workspace: int
    backend = forms.ChoiceField(label=_lazy("Backend"))
    secret = forms.CharField(
        label=_lazy("Secret"), max_length=catalogue.LONGEST_KEY, strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "class": "vTextField"}),
        help_text=_lazy("Sealed at once, for this backend's address; nobody can read it back."),
    )  # fmt: skip

    class Meta:
        model = ModelKey
        fields = ("backend",)

    def check(self, said: dict[str, Any]) -> None:
        catalogue.seal_key(workspace=self.workspace, backend=said["backend"], secret=said["secret"])


@admin.register(ModelKey, site=site)
class ModelKeyAdmin(SetAdmin):
    """What was put in, when and for which key of ours. A new one takes the place of the old one."""

    form = KeyForm
    series, kind = "backend", "model_key"
    list_display = ("backend", "version", "key_id", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the column that only agents may read."""
        return super().get_queryset(request).defer("sealed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("backend", "version", "key_id", "created_at") if obj else ("backend", "secret")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """None is changed; another is added."""
        return False

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without the secret in any report of an error."""
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offers the backends in force."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.workspace = request.workspace.pk
        if obj is None:
            names = [row.name for row in catalogue.backends(request.workspace.pk)]
            made.base_fields["backend"] = forms.ChoiceField(
                label=_lazy("Backend"), choices=[(name, name) for name in names]
            )
        return made

    @sensitive_variables("form")
    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Sealed, on the log."""
        saved = catalogue.set_key(
            workspace=request.workspace.pk, backend=form.cleaned_data["backend"], secret=form.cleaned_data["secret"],
            actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id = saved.pk, saved.version, saved.workspace_id
