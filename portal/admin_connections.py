"""Django admin of the systems outside: which one serves a part, and its credential, put in and never shown.

Both are versions: saving writes the next one through `portal.systems.connections`, and nothing is changed.
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop
from django.utils.translation import pgettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from pydantic.fields import FieldInfo

from portal import sealing
from portal.admin_site import WorkspaceAdmin, sentence_of, site
from portal.models import Connection, Credential, Part, Role
from portal.retold import say
from portal.systems import connections
from portal.systems.registry import BOOKS, SYSTEMS

FIELDS: Mapping[Any, type[forms.Field]] = {bool: forms.BooleanField, int: forms.IntegerField, float: forms.FloatField}

STATES: Mapping[str, str] = {
    "not needed": noop("not needed"), "missing": noop("missing"), "set": noop("set"),
    "set for another address": noop("set for another address"),
}  # fmt: skip


def _name(system: str, setting: str) -> str:
    return f"{system}_{setting}"


def _settings(system: str) -> Mapping[str, FieldInfo]:
    """What a system can be told, its own place first."""
    fields = SYSTEMS[system].settings.model_fields
    return dict(sorted(fields.items(), key=lambda item: item[0] == "allow_private"))


def _told(words: str | None) -> Any:
    return _lazy(words) if words else ""


def _field(info: FieldInfo) -> forms.Field:
    kind = next((kind for kind in FIELDS if kind in (info.annotation, *get_args(info.annotation))), None)
    made = FIELDS.get(kind, forms.CharField)
    initial = None if info.is_required() else info.default
    wide: Any = {"widget": AdminTextInputWidget} if made is forms.CharField else {}
    return made(required=False, label=_told(info.title), help_text=_told(info.description), initial=initial, **wide)


def _fields() -> Iterator[tuple[str, forms.Field]]:
    for system in SYSTEMS:
        for setting, info in _settings(system).items():
            yield _name(system, setting), _field(info)


class _ConnectionForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A part, a system, and the settings of each system; those of the others are not looked at."""

    system = forms.ChoiceField(
        choices=lambda: [(BOOKS, _("Our own books")), *((name, _(each.title)) for name, each in SYSTEMS.items())],
        label=_lazy("Served by"),
    )  # fmt: skip

    class Meta:
        model = Connection
        fields: ClassVar = ["part"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "system" in self.fields:
            self.initial["system"] = self.instance.system
            for setting, value in self.instance.config.items():
                self.initial[_name(self.instance.system, setting)] = value

    def clean(self) -> dict[str, Any]:
        """As the system itself would read it; what is off stands beside its field."""
        said = super().clean() or self.cleaned_data
        if self.errors:
            return said
        system, part = said["system"], said.get("part") or self.instance.part
        self.config = dict(self._given(system)) if system in SYSTEMS else {}
        try:
            connections.settings_of(part, system, self.config)
        except connections.BadConnection as error:
            found = [name for name in (_name(system, error.field), error.field) if name in self.fields]
            self.add_error(found[0] if found else None, sentence_of(error.sentence))
        return said

    def _given(self, system: str) -> Iterator[tuple[str, Any]]:
        for setting in _settings(system):
            value = self.cleaned_data.get(_name(system, setting))
            if value not in (None, ""):
                yield setting, value


ConnectionForm = type("ConnectionForm", (_ConnectionForm,), dict(_fields()))


@admin.register(Connection, site=site)
class ConnectionAdmin(WorkspaceAdmin):
    """Lists what is in force. Saving writes the next version of a part."""

    writers = frozenset({Role.ADMIN})
    form = ConnectionForm
    list_display = ("part", "served_by", "settings", "credential", "version", "created_at")
    ordering = ("part",)

    @admin.display(description=_lazy("served by"))
    def served_by(self, obj: Connection) -> str:
        return _(SYSTEMS[obj.system].title) if obj.system in SYSTEMS else _("Our own books")

    @admin.display(description=pgettext_lazy("field", "settings"))
    def settings(self, obj: Connection) -> str:
        """As the form calls them, where they are not the defaults."""
        known = _settings(obj.system) if obj.system in SYSTEMS else {}
        said = ((known[name], value) for name, value in obj.config.items() if name in known)
        words = {True: _("yes"), False: _("no")}
        return ", ".join(
            f"{_told(info.title)}: {words[value] if isinstance(value, bool) else value}"
            for info, value in said
            if value != info.default
        )

    @admin.display(description=_lazy("credential"))
    def credential(self, obj: Connection) -> str:
        return _(STATES[connections.credential_state(obj)])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version of each part."""
        newer = Connection.objects.filter(
            workspace=OuterRef("workspace"), part=OuterRef("part"), version__gt=OuterRef("version")
        )  # fmt: skip
        return super().get_queryset(request).filter(~Exists(newer))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """One group of settings a system."""
        groups: list[tuple[str | None, dict[str, Any]]] = [(None, {"fields": ("part", "system")})]
        if not self.has_change_permission(request, obj):
            return [(None, {"fields": ("part", "served_by", "settings", "credential")})]
        for name, system in SYSTEMS.items():
            fields = tuple(_name(name, setting) for setting in _settings(name))
            groups.append((_("Settings of: %(system)s") % {"system": _(system.title)}, {"fields": fields}))
        return groups

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A part stays what it is."""
        if not self.has_change_permission(request, obj):
            return ("part", "served_by", "settings", "credential")
        return ("part",) if obj else ()

    def subject(self, obj: Any) -> str:
        return f"connection:{obj.part}"

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """With a word on what is not listed."""
        said = {"subtitle": _("Parts that are not listed are served by our own books.")}
        return super().changelist_view(request, {**said, **(extra_context or {})})

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """The next version of the part."""
        saved = connections.choose(
            workspace=request.workspace.pk, part=obj.part, system=form.cleaned_data["system"], config=form.config,
            actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id, obj.system = saved.pk, saved.version, saved.workspace_id, saved.system
        state = connections.credential_state(saved)
        messages.success(request, _("In force: %(row)s.") % {"row": saved})
        if state not in ("set", "not needed"):
            said = {"state": _(STATES[state]), "wanted": _(SYSTEMS[saved.system].credential)}
            words = _("Its credential is %(state)s: nothing is sent before you set it (%(wanted)s).")
            messages.warning(request, words % said)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._to_the_list()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._to_the_list()

    def _to_the_list(self) -> HttpResponseRedirect:
        """The row that was on the form is no longer the one in force."""
        return HttpResponseRedirect(reverse("admin:portal_connection_changelist"))


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A part and a secret, which goes in and is never rendered back."""

    workspace: int
    secret = forms.CharField(
        max_length=connections.LONGEST_SECRET, strip=True,
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "class": "vTextField"}),
        label=_lazy("Secret"),
        help_text=_lazy("Sealed at once, for the system in force and its address; nobody can read it back."),
    )  # fmt: skip

    class Meta:
        model = Credential
        fields: ClassVar = ["part"]

    @sensitive_variables("said")
    def clean(self) -> dict[str, Any]:
        """What the service would refuse."""
        said = super().clean() or self.cleaned_data
        if self.errors:
            return said
        try:
            connections.seal_for(workspace=self.workspace, part=said["part"], secret=said["secret"])
        except connections.BadConnection as error:
            self.add_error(error.field, sentence_of(error.sentence))
        except (connections.NotOpen, sealing.SealingError) as error:
            self.add_error(None, f"{say(str(error))}.")
        return said


@admin.register(Credential, site=site)
class CredentialAdmin(WorkspaceAdmin):
    """What was put in, when and for which key. A new one takes the place of the old one."""

    writers = frozenset({Role.ADMIN})
    form = CredentialForm
    list_display = ("part", "version", "key_id", "created_at")
    exclude = ("workspace", "sealed")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the column that only apply may read."""
        return super().get_queryset(request).defer("sealed")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("part", "version", "key_id", "created_at") if obj else ("part", "secret")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """None is changed; another is added."""
        return False

    def subject(self, obj: Any) -> str:
        return f"credential:{obj.part}"

    @method_decorator(sensitive_post_parameters("secret"))
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Without the secret in any report of an error."""
        return super().changeform_view(request, *args, **kwargs)

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Offers the parts that another system serves."""
        made: Any = super().get_form(request, obj, change, **kwargs)
        made.workspace = request.workspace.pk
        if obj is None:
            made.base_fields["part"] = forms.ChoiceField(label=_lazy("Part"), choices=self._parts(request.workspace.pk))
        return made

    def _parts(self, workspace: int) -> list[tuple[str, str]]:
        rows = [(Part(part), connections.in_force(workspace, part)) for part in Part]
        return [
            (part.value, f"{part.label}: {_(SYSTEMS[row.system].title)}")
            for part, row in rows
            if row is not None and row.system in SYSTEMS
        ]

    @sensitive_variables("form", "secret")
    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Sealed, on the log."""
        saved = connections.set_credential(
            workspace=request.workspace.pk, part=form.cleaned_data["part"], secret=form.cleaned_data["secret"],
            actor=f"person:{request.user.pk}", now=request.now,
        )  # fmt: skip
        obj.pk, obj.version, obj.workspace_id = saved.pk, saved.version, saved.workspace_id
