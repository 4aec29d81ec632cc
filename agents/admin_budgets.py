"""Django admin of prices, budgets and bars by new versions; calls of models and what accounts hold, to read."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from agents import roster
from agents.admin_models import Checked, SetAdmin
from agents.gateway import catalogue
from agents.models import Account, BackendHealth, Budget, ConfidenceBar, ModelCall, ModelPrice
from agents.steps import second_look
from agents.templatetags import measures
from agents.triage import escalating
from portal.admin_site import WorkspaceAdmin, site
from portal.figures import figure
from portal.retold import kept

STEPS = [
    (escalating.STEP, _lazy("Triage: queue and priority")),
    (second_look.STEP, _lazy("Second look at grave drafts")),
]

NO_AGENT = kept("there is no such agent; there are %(names)s")


def dollars(micros: int) -> str:
    """Micro-dollars as people read them."""
    return _("$%(amount)s") % {"amount": figure(f"{micros / 1_000_000:.6f}".rstrip("0").rstrip("."))}


@admin.register(ModelPrice, site=site)
class ModelPriceAdmin(SetAdmin):
    """What models cost, from a day on."""

    fields = ("model", "since", "input_micros", "output_micros")
    list_display = ("model", "since", "of_input", "of_output", "created_at")
    list_filter = ("model",)
    ordering = ("model", "-since", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All of them: past prices are what past calls cost."""
        return WorkspaceAdmin.get_queryset(self, request)

    @admin.display(description=_lazy("a million input tokens"))
    def of_input(self, obj: ModelPrice) -> str:
        return dollars(obj.input_micros)

    @admin.display(description=_lazy("a million output tokens"))
    def of_output(self, obj: ModelPrice) -> str:
        return dollars(obj.output_micros)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        words = _lazy("Micro-dollars per million tokens: $0.15 a million is 150000.")
        kwargs["help_texts"] = {
            "input_micros": words,
            "output_micros": words,
            "since": _lazy("The day it begins (UTC)."),
        }
        kwargs["labels"] = {"input_micros": _lazy("Input price"), "output_micros": _lazy("Output price")}
        return super().get_form(request, obj, change, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """None is changed; another is added."""
        return False

    def subject(self, obj: Any) -> str:
        return f"price:{obj.model}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """On the log."""
        saved = catalogue.set_price(
            workspace=request.workspace.pk, actor=f"person:{request.user.pk}", now=request.now,
            **{name: form.cleaned_data[name] for name in self.fields},
        )  # fmt: skip
        obj.pk, obj.workspace_id = saved.pk, saved.workspace_id


class BudgetForm(Checked):
    """A cap and whose it is."""

    def check(self, said: dict[str, Any]) -> None:
        catalogue.check_budget(
            scope=said["scope"], holder=said.get("holder", ""), kind=said["kind"], per=said["per"]
        )  # fmt: skip
        if said["scope"] == Budget.Scope.AGENT and said.get("holder", "") not in ("", *roster.NAMES):
            raise catalogue.CatalogueError("holder", NO_AGENT % {"names": ", ".join(roster.NAMES)})

    class Meta:
        model = Budget
        fields = ("scope", "holder", "kind", "per", "most", "retired")
        labels: ClassVar = {"most": _lazy("At most")}
        help_texts: ClassVar = {
            "holder": _lazy(
                "The name of one agent or tool, or the number of one person; blank is each of them by itself."
            ),
            "most": _lazy("In micro-dollars (1,000,000 are one dollar), tokens, calls or milliseconds, by its kind."),
            "retired": _lazy("No longer in force."),
        }


@admin.register(Budget, site=site)
class BudgetAdmin(SetAdmin):
    """Caps on what agents' runs take; they are never passed."""

    form = BudgetForm
    series, kind = "series", "budget"
    list_display = ("whose", "kind", "per", "cap", "retired", "version", "created_at")
    list_filter = ("scope", "kind")

    @admin.display(description=pgettext_lazy("field", "of"))
    def whose(self, obj: Budget) -> str:
        return f"{obj.get_scope_display()} {obj.holder}".strip()

    @admin.display(description=_lazy("at most"))
    def cap(self, obj: Budget) -> str:
        return dollars(obj.most) if obj.kind in ("money", "one_call") else figure(obj.most)

    def write(self, **values: Any) -> Budget:
        return catalogue.set_budget(**values)


class BarForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable at run time
    """A step and its bar."""

    step = forms.ChoiceField(label=_lazy("Step"), choices=STEPS)

    class Meta:
        model = ConfidenceBar
        fields = ("step", "percent")
        help_texts: ClassVar = {"percent": _lazy("0 to 100; 80 where none is set. Below it the next tier is asked.")}

    def clean_percent(self) -> int:
        """A share."""
        percent = int(self.cleaned_data["percent"])
        if percent > 100:
            raise forms.ValidationError(_("0 to 100"))
        return percent


@admin.register(ConfidenceBar, site=site)
class ConfidenceBarAdmin(SetAdmin):
    """From which confidence on an answer stands."""

    form = BarForm
    series, kind = "step", "bar"
    list_display = ("step", "percent", "version", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A bar keeps its step."""
        return ("step",) if obj else ()

    def write(self, **values: Any) -> ConfidenceBar:
        return catalogue.set_bar(**values)


@admin.register(ModelCall, site=site)
class ModelCallAdmin(WorkspaceAdmin):
    """Every call of a model: how it ended, what it took."""

    list_display = (
        "id", "run", "step", "prompt", "backend", "model", "outcome", "cost", "input_tokens", "output_tokens", "took",
        "created_at",
    )  # fmt: skip
    list_filter = ("step", "outcome", "model")
    list_select_related = ("run",)
    ordering = ("-id",)

    @admin.display(description=_lazy("cost"))
    def cost(self, obj: ModelCall) -> str:
        return dollars(obj.cost_micros)

    @admin.display(description=_lazy("took"))
    def took(self, obj: ModelCall) -> str:
        return measures.took(obj.micros)


@admin.register(Account, site=site)
class AccountAdmin(WorkspaceAdmin):
    """What is spent or reserved of a run or a day."""

    list_display = ("key", "spent", "tokens", "model_calls", "tool_calls", "wall_ms")
    ordering = ("-id",)

    @admin.display(description=_lazy("money"))
    def spent(self, obj: Account) -> str:
        return dollars(obj.money)


@admin.register(BackendHealth, site=site)
class BackendHealthAdmin(WorkspaceAdmin):
    """Which backends rest, and until when."""

    list_display = ("backend", "failures", "rest_until")
