"""Django admin of the door: thresholds and caps by new versions through their services, all else to read.

No state of a proposal can be changed here.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_POST

from approvals import admin_backtest, thresholds
from approvals.admin_forms import CapForm, ThresholdForm, band, crossing, edge
from approvals.models import DailyCap, Decision, Handoff, Proposal, Submission, Threshold
from portal import money, stepup, stepup_views
from portal.admin_site import WorkspaceAdmin, site
from portal.models import Role


class VersionedAdmin(WorkspaceAdmin):
    """Lists the rows in force. Saving writes the next version, deleting a retired one; none is changed."""

    writers = frozenset({Role.ADMIN})
    kind: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def write(self, **values: Any) -> Any:
        """Call the service."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version of each series that is not retired."""
        rows = super().get_queryset(request)
        newer = self.model._default_manager.filter(
            workspace=OuterRef("workspace"), series=OuterRef("series"), version__gt=OuterRef("version")
        )
        return rows.filter(~Exists(newer), retired=False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change a row may retire it."""
        return self.has_change_permission(request, obj)

    def subject(self, obj: Any) -> str:
        return f"{self.kind}:{obj.series}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """The next version of the row's series, or the first of a new one."""
        values = {column: form.cleaned_data[column] for column in self.columns}
        self._write(request, obj, values)

    def delete_model(self, request: Any, obj: Any) -> None:
        """The next version says that it is over."""
        self._write(request, obj, {column: getattr(obj, column) for column in self.columns} | {"retired": True})

    def _write(self, request: Any, obj: Any, values: dict[str, Any]) -> None:
        saved = self.write(
            workspace=request.workspace.pk, series=obj.series, actor=f"person:{request.user.pk}",
            now=request.now, step_up=stepup_views.proof(request), **values,
        )  # fmt: skip
        obj.pk, obj.version, obj.series, obj.workspace_id = (
            saved.pk,
            saved.version,
            saved.series,
            saved.workspace_id,
        )

    def changeform_view(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The form; whoever loosens something proves first that it is them."""
        return self._with_presence(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The same where a row ends."""
        return self._with_presence(request, super().delete_view, *args, **kwargs)

    def _with_presence(self, request: Any, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        back = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        try:
            return act(request, *args, **kwargs)
        except stepup.Needed as needed:
            try:
                return stepup_views.ask(request, needed, back=back)
            except stepup.TooMany as too_many:
                raise PermissionDenied(str(too_many)) from too_many
        except stepup.StepUpError as error:
            raise PermissionDenied(str(error)) from error

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """To the list: the row that was on the form is no longer the one in force."""
        messages.success(request, f"In force: {obj}.")
        for warning in self.warnings(request):
            messages.warning(request, warning)
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def warnings(self, request: HttpRequest) -> list[str]:
        """What the rows in force say together that may not be meant."""
        return []


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
    fields = (
        "action", "proposer_kind", "agent", "currency", "above", "up_to", "tier", "people", "second_role",
        "confidence_floor_pct", "hold_seconds", "fresh_minutes",
    )  # fmt: skip
    ordering = ("action", "currency", "above_minor", "pk")

    @admin.display(description="proposed by")
    def whose(self, obj: Threshold) -> str:
        return obj.agent or obj.proposer_kind or "anyone"

    @admin.display(description="band")
    def band(self, obj: Threshold) -> str:
        return band(obj) or obj.currency

    @admin.display(description="people")
    def who(self, obj: Threshold) -> str:
        return obj.get_people_display() + (f", one a {obj.second_role}" if obj.second_role else "")

    @admin.display(description="floor")
    def floor(self, obj: Threshold) -> str:
        return f"{obj.confidence_floor_pct}%"

    @admin.display(description="hold")
    def hold(self, obj: Threshold) -> str:
        return f"{obj.hold_seconds} s"

    @admin.display(description="fresh")
    def fresh(self, obj: Threshold) -> str:
        return f"{obj.fresh_minutes} min"

    @admin.display(description="above")
    def above(self, obj: Threshold) -> str:
        return edge(obj, obj.above_minor)

    @admin.display(description="up to")
    def up_to(self, obj: Threshold) -> str:
        return edge(obj, obj.up_to_minor)

    def write(self, **values: Any) -> Threshold:
        return thresholds.set_threshold(**values)

    def get_urls(self) -> list[URLPattern]:
        """With the backtest of what is on the form."""
        mine = path("backtest/", self.admin_site.admin_view(self.backtest), name="approvals_threshold_backtest")
        return [mine, *super().get_urls()]

    @method_decorator(require_POST)
    def backtest(self, request: HttpRequest) -> HttpResponse:
        """What the row on the form would have done; for whoever may save it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        return admin_backtest.view(request)

    def warnings(self, request: HttpRequest) -> list[str]:
        return crossing(self.get_queryset(request))


@admin.register(DailyCap, site=site)
class DailyCapAdmin(VersionedAdmin):
    """The most a customer or an agent may get a day."""

    form = CapForm
    kind = "cap"
    columns = tuple(name for name in thresholds.CAP_COPIED if name != "retired")
    list_display = ("scope", "currency", "writes", "amount", "version", "created_at")
    fields = ("scope", "currency", "writes", "amount")
    ordering = ("scope", "currency", "pk")

    @admin.display(description="amount")
    def amount(self, obj: DailyCap) -> str:
        return money.shown(obj.amount_minor, obj.currency) if obj.amount_minor is not None and obj.currency else ""

    def write(self, **values: Any) -> DailyCap:
        return thresholds.set_cap(**values)


@admin.register(Proposal, site=site)
class ProposalAdmin(WorkspaceAdmin):
    """Proposals, to read."""

    list_display = ("id", "summary", "action", "state", "tier", "proposer", "created_at")
    list_filter = ("state", "tier", "action")


@admin.register(Submission, site=site)
class SubmissionAdmin(WorkspaceAdmin):
    """What was handed in at the door, to read."""

    list_display = ("id", "kind", "proposer", "status", "outcome", "created_at")
    list_filter = ("kind", "status")


@admin.register(Handoff, site=site)
class HandoffAdmin(WorkspaceAdmin):
    """What people do instead, to read."""

    list_display = ("id", "summary", "kind", "reason", "state", "created_at")
    list_filter = ("kind", "state")


@admin.register(Decision, site=site)
class DecisionAdmin(WorkspaceAdmin):
    """Who decided what, to read."""

    list_display = ("id", "proposal", "person", "kind", "role", "created_at")
    list_filter = ("kind",)
    list_select_related = ("proposal", "person")
