"""Django admin of the door: thresholds and caps by new versions through their services, all else to read.

No state of a proposal can be changed here.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.http import require_GET, require_POST

from approvals import admin_asked, admin_backtest, admin_loosening, admin_policy, overriding, thresholds
from approvals import admin_texts as admin_texts  # registers itself
from approvals.actions import ACTIONS
from approvals.admin_forms import PEOPLE, CapForm, ThresholdForm, within
from approvals.admin_versions import VersionedAdmin
from approvals.bands import band, edge
from approvals.models import DailyCap, Decision, Handoff, Proposal, Submission, Threshold
from portal import money
from portal.admin_site import WorkspaceAdmin, site
from portal.figures import figure
from portal.retold import say


@admin.register(Threshold, site=site)
class ThresholdAdmin(VersionedAdmin):
    """How many people a write needs."""

    form = ThresholdForm
    kind = "threshold"
    columns = tuple(name for name in thresholds.COPIED if name != "retired")
    list_display = (
        "action", "whose", "band", "tier", "who", "floor", "hold", "fresh", "version",
    )  # fmt: skip
    list_filter = ("action", "people", "currency")
    fieldsets: ClassVar[Any] = (
        (_lazy("Which writes"), {"fields": ("action", "proposer_kind", "agent", "currency", "above", "up_to")}),
        (_lazy("Who decides"), {"fields": ("tier", "people", "second_role", "confidence_floor_pct")}),
        (_lazy("How long"), {"fields": ("hold_seconds", "fresh_minutes")}),
        (None, {"fields": ("why",)}),
    )
    ordering = ("action", "currency", "above_minor", "pk")

    @admin.display(description=_lazy("proposed by"))
    def whose(self, obj: Threshold) -> str:
        return obj.agent or (_(obj.proposer_kind) if obj.proposer_kind else _("anyone"))

    @admin.display(description=pgettext_lazy("field", "band"))
    def band(self, obj: Threshold) -> str:
        return figure(band(obj)) or obj.currency

    @admin.display(description=_lazy("people"))
    def who(self, obj: Threshold) -> str:
        people = str(obj.get_people_display())
        if not obj.second_role:
            return people
        return _("%(people)s, one a %(role)s") % {"people": people, "role": _(obj.second_role)}

    @admin.display(description=pgettext_lazy("field", "floor"))
    def floor(self, obj: Threshold) -> str:
        return f"{obj.confidence_floor_pct}%"

    @admin.display(description=_lazy("hold"))
    def hold(self, obj: Threshold) -> str:
        return f"{obj.hold_seconds} s"

    @admin.display(description=pgettext_lazy("field", "fresh"))
    def fresh(self, obj: Threshold) -> str:
        return f"{obj.fresh_minutes} min"

    @admin.display(description=pgettext_lazy("field", "above"))
    def above(self, obj: Threshold) -> str:
        return figure(edge(obj, obj.above_minor))

    @admin.display(description=_lazy("up to"))
    def up_to(self, obj: Threshold) -> str:
        return figure(edge(obj, obj.up_to_minor))

    def describe(self, row: Threshold) -> Mapping[str, str]:
        return {
            _("Action"): _(ACTIONS[row.action].title) if row.action in ACTIONS else row.action,
            _("Proposed by"): self.whose(row), pgettext("field", "Band"): self.band(row),
            _("Tier"): str(row.get_tier_display()), _("People"): _(PEOPLE[row.people]),
            _("One of the two"): _(row.second_role) if row.second_role else "",
            _("Confidence floor"): self.floor(row), _("Hold"): self.hold(row),
            pgettext("field", "Fresh"): self.fresh(row),
        }  # fmt: skip

    def write(self, **values: Any) -> Threshold:
        return thresholds.set_threshold(**values)

    def _saved(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """With a warning where it is milder than the general row that it goes before."""
        for words in overriding.warnings(obj.workspace_id, self._values(obj) | {"retired": obj.retired}):
            messages.warning(request, words)
        return super()._saved(request, obj)

    def propose(self, request: Any, loosens: thresholds.Loosens, why: str) -> HttpResponse:
        return admin_backtest.start(request, loosens.series, loosens.values, why)

    def get_urls(self) -> list[URLPattern]:
        """With the backtest of what is on the form, the cases behind it, and the policies."""
        view = self.admin_site.admin_view
        return [
            path("backtest/", view(self.backtest), name="approvals_threshold_backtest"),
            path("cases/", view(self.cases), name="approvals_threshold_cases"),
            path("policy/", view(self.policy), name="approvals_policy"),
            *super().get_urls(),
        ]

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With what the address asks of the row."""
        form = super().get_form(request, obj, change, **kwargs)
        return within(form, request.workspace, admin_asked.of(request, obj))

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        """With what the row overrides, and the backtest of what the address asks."""
        obj = self.get_object(request, object_id)
        more = admin_asked.context(request, obj, may_save=self.has_change_permission(request, obj))
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    @method_decorator(require_POST)
    def backtest(self, request: HttpRequest) -> HttpResponse:
        """What the row on the form would have done, for whoever may save it; who was given a token goes on with it."""
        if not request.POST.get("token") and not self.has_change_permission(request):
            raise PermissionDenied
        return admin_backtest.view(request)

    @method_decorator(require_GET)
    def cases(self, request: HttpRequest) -> HttpResponse:
        """The writes behind one of its figures."""
        return admin_backtest.cases(request)

    def policy(self, request: HttpRequest) -> HttpResponse:
        """The policy files, and what they would decide."""
        return admin_policy.view(request)


@admin.register(DailyCap, site=site)
class DailyCapAdmin(VersionedAdmin):
    """The most a customer or an agent may get a day."""

    form = CapForm
    kind = "cap"
    columns = tuple(name for name in thresholds.CAP_COPIED if name != "retired")
    list_display = ("scoped", "currency", "writes", "amount", "version", "created_at")
    fields = ("scope", "currency", "writes", "amount", "why")
    ordering = ("scope", "currency", "pk")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who may only look reads the scope in words."""
        shown = super().get_fields(request, obj)
        return shown if self.has_change_permission(request, obj) else ["scoped" if n == "scope" else n for n in shown]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), "scoped"]

    @admin.display(description=_lazy("scope"))
    def scoped(self, obj: DailyCap) -> str:
        return say(obj.get_scope_display())

    @admin.display(description=_lazy("amount"))
    def amount(self, obj: DailyCap) -> str:
        if obj.amount_minor is None or not obj.currency:
            return ""
        return figure(money.shown(obj.amount_minor, obj.currency))

    def describe(self, row: DailyCap) -> Mapping[str, str]:
        return {
            _("Scope"): self.scoped(row), _("Currency"): row.currency, _("Amount"): self.amount(row),
            _("Writes"): "" if row.writes is None else str(row.writes),
        }  # fmt: skip

    def write(self, **values: Any) -> DailyCap:
        return thresholds.set_cap(**values)

    def propose(self, request: Any, loosens: thresholds.Loosens, why: str) -> HttpResponse:
        return admin_loosening.ask(request, loosens, why)


class SummaryAdmin(WorkspaceAdmin):
    """What is kept in English is told in the reader's language."""

    readonly_fields = ("told",)

    @admin.display(description=_lazy("summary"))
    def told(self, obj: Any) -> str:
        return say(obj.summary)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """In the place of the summary that is kept."""
        names = [name for name in super().get_fields(request, obj) if name != "told"]
        return ["told" if name == "summary" else name for name in names]


@admin.register(Proposal, site=site)
class ProposalAdmin(SummaryAdmin):
    """Proposals, to read."""

    list_display = ("id", "told", "action", "state", "tier", "proposer", "created_at")
    list_filter = ("state", "tier", "action")


@admin.register(Submission, site=site)
class SubmissionAdmin(WorkspaceAdmin):
    """What was handed in at the door, to read."""

    list_display = ("id", "kind", "proposer", "status", "outcome", "created_at")
    list_filter = ("kind", "status")


@admin.register(Handoff, site=site)
class HandoffAdmin(SummaryAdmin):
    """What people do instead, to read."""

    list_display = ("id", "told", "kind", "reason", "state", "created_at")
    list_filter = ("kind", "state")


@admin.register(Decision, site=site)
class DecisionAdmin(WorkspaceAdmin):
    """Who decided what, to read."""

    list_display = ("id", "proposal", "person", "kind", "role", "created_at")
    list_filter = ("kind",)
    list_select_related = ("proposal", "person")
