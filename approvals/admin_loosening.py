"""Loosenings in the admin: proposed with their backtest, looked at by a second admin, who agrees, present, or not."""

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import gettext_noop as noop
from django.views.decorators.http import require_POST

from approvals import admin_backtest, admin_tallies, cap_history, overriding, relaxing, thresholds
from approvals.actions import ACTIONS
from approvals.backtest import Tally
from approvals.backtesting import Question
from approvals.models import Loosening
from approvals.models.limits import SCOPES
from portal import money, stepup, stepup_views
from portal.admin_site import WorkspaceAdmin, site
from portal.figures import figure
from portal.models import Role
from portal.retold import say

WORDS = {
    "action": noop("Action"),
    "agent": noop("Agent"),
    "currency": noop("Currency"),
    "scope": noop("Scope"),
    "writes": noop("Writes"),
    "people": noop("People"),
    "tier": noop("Tier"),
    "second_role": noop("One of the two"),
    "confidence_floor_pct": noop("Confidence floor (%)"),
    "hold_seconds": noop("Hold (seconds)"),
    "fresh_minutes": noop("Fresh (minutes)"),
    "above_minor": noop("Above"),
    "up_to_minor": noop("Up to"),
    "proposer_kind": noop("Proposed by"),
    "amount_minor": noop("Amount"),
    "retired": noop("Ended"),
}
PEOPLE = {"automatic": noop("automatic"), "one": noop("one"), "two": noop("two"), "never": noop("never")}
CODES = frozenset({"people", "tier", "second_role", "proposer_kind"})
SCOPE = {name: str(words) for name, words in SCOPES}
MONEY = ("above_minor", "up_to_minor", "amount_minor")


def ask(request: Any, loosens: thresholds.Loosens, why: str) -> HttpResponse:
    """What to say to the second admin, of a cap, beside what it stopped."""
    attached = admin_backtest.attach(request, kind="cap", series=loosens.series, values=loosens.values, backtest=None)
    return _ask(request, {
        **_stopped(request, loosens.series), "loosens": loosens.words, "attached": attached, "why": why,
    })  # fmt: skip


def _stopped(request: Any, series: str) -> dict[str, Any]:
    """The evidence of a cap: there is no backtest of those."""
    days = cap_history.stopped(request.workspace.pk, series, request.now)
    return {"is_cap": bool(series), "stopped": days, "cap_days": cap_history.DAYS}


def _evidence(request: Any, kind: str, series: str, values: Mapping[str, Any], came: Any) -> dict[str, Any]:
    """What a loosening rests on: the backtest that came with it and its warnings, or what the cap stopped."""
    if kind == Loosening.Is.CAP:
        return _stopped(request, series)
    told = {"warnings": overriding.warnings(request.workspace.pk, values), "days": admin_backtest.DAYS}
    if not came:
        return told
    return told | admin_tallies.shown(Tally.of_json(came["tally"]), Question.of_json(came["question"]))


def _seen(request: Any, held: Mapping[str, Any]) -> dict[str, Any]:
    """What the page said that something was proposed from; nothing is kept of it but what was attached."""
    kind, series, values = held["kind"], held["series"], held["values"]
    words = thresholds.loosened(relaxing.MODELS[kind], request.workspace.pk, series, values)
    return {**_evidence(request, kind, series, values, held["backtest"]), "loosens": words}


def _ask(request: HttpRequest, context: Mapping[str, Any], status: int = 200) -> HttpResponse:
    whole = {**site.each_context(request), "title": _("Propose to another admin"), **context}
    return render(request, "admin/approvals/loosening/ask.html", whole, status=status)


@admin.register(Loosening, site=site)
class LooseningAdmin(WorkspaceAdmin):
    """What waits for a second admin, and what became of it."""

    list_display = ("what", "kind", "state", "proposed_by", "created_at", "decided_by", "decided_at")
    list_filter = ("state", "kind")
    list_select_related = ("proposed_by", "decided_by")

    @admin.display(description=_lazy("loosening"))
    def what(self, obj: Loosening) -> str:
        return f"{obj.series or _('A new row')}: {', '.join(say(words) for words in obj.loosens)}"

    def get_urls(self) -> list[URLPattern]:
        """With proposing and deciding."""
        view = self.admin_site.admin_view
        return [
            path("propose/", view(self.propose), name="approvals_loosening_propose"),
            path("<int:pk>/decide/", view(self.decide), name="approvals_loosening_decide"),
            *super().get_urls(),
        ]

    @method_decorator(require_POST)
    def propose(self, request: Any) -> HttpResponse:
        """Keep what was attached, with the reason."""
        held = admin_backtest.opened(request, request.POST.get("attached", ""), admin_backtest.ATTACHED)
        why = request.POST.get("why", "")
        asked = {name: held[name] for name in ("kind", "series", "values", "backtest")}
        try:
            row = relaxing.propose(
                workspace=request.workspace.pk, person=request.user.pk, now=request.now, why=why, **asked
            )
        except relaxing.NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except relaxing.RelaxingError as error:
            again = {**_seen(request, held), "attached": request.POST["attached"], "why": why}
            status = 422 if isinstance(error, relaxing.BadInput) else 409
            return _ask(request, {**again, "problem": say(str(error))}, status=status)
        messages.success(request, _("Proposed. It counts once another admin agrees."))
        return HttpResponseRedirect(self._at(row))

    def change_view(self, request: Any, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """What it is about, its backtest, and for a second admin what to do."""
        obj = self.get_object(request, object_id)
        if obj is None or not self.has_view_permission(request, obj):
            raise Http404
        if request.method == "POST":
            raise PermissionDenied
        return self._page(request, obj)

    @method_decorator(require_POST)
    def decide(self, request: Any, pk: int) -> HttpResponse:
        """Agree, refuse, or take it back."""
        obj = self.get_object(request, str(pk))
        if obj is None:
            raise Http404
        whose = {"workspace": request.workspace.pk, "loosening": pk, "person": request.user.pk, "now": request.now}
        note = request.POST.get("note", "")
        try:
            if request.POST.get("verdict") == "agree":
                made = relaxing.agree(**whose, step_up=stepup_views.proof(request))
                messages.success(request, _("In force: %(row)s.") % {"row": made})
            else:
                relaxing.refuse(**whose, note=note)
                messages.success(request, _("Nothing was loosened."))
        except stepup.Needed as needed:
            return self._challenge(request, needed, obj)
        except (stepup.StepUpError, relaxing.NotAllowed) as error:
            raise PermissionDenied(str(error)) from error
        except relaxing.RelaxingError as error:
            status = 422 if isinstance(error, relaxing.BadInput) else 409
            again = self.get_object(request, str(pk))
            return self._page(request, again, problem=say(str(error)), note=note, status=status)
        return HttpResponseRedirect(self._at(obj))

    def _challenge(self, request: Any, needed: stepup.Needed, obj: Loosening) -> HttpResponse:
        try:
            return stepup_views.ask(request, needed, back=self._at(obj))
        except stepup.TooMany as error:
            raise PermissionDenied(str(error)) from error

    def _page(self, request: Any, obj: Any, status: int = 200, **more: Any) -> HttpResponse:
        result = _evidence(request, obj.kind, obj.series, obj.values, obj.backtest)
        mine = obj.proposed_by_id == request.user.pk
        admin_ = Role.ADMIN in request.roles
        title = _("Loosen %(row)s") % {"row": obj.series} if obj.series else _("Loosen by a new row")
        context = {
            **self.admin_site.each_context(request), **result, "title": title,
            "row": obj, "opts": self.opts, "changes": changes(obj), "is_open": obj.state == Loosening.State.OPEN,
            "current": relaxing.current(obj), "mine": mine, "may_decide": admin_, **more,
        }  # fmt: skip
        return render(request, "admin/approvals/loosening/change.html", context, status=status)

    def _at(self, row: Loosening) -> str:
        return reverse("admin:approvals_loosening_change", args=[row.pk])


def changes(row: Loosening) -> list[tuple[str, str, str]]:
    """What would be other than it is: field, now, then. Of a decided one only what it is to be."""
    was: Mapping[str, Any] = {}
    if row.state == Loosening.State.OPEN:
        was = relaxing.before(row) or {}
    currency = str(row.values.get("currency", ""))
    return [
        (_(WORDS[name]) if name in WORDS else name.replace("_", " ").capitalize(), _told(name, was.get(name), currency),
         _told(name, value, currency))
        for name, value in row.values.items()
        if was.get(name) != value and (was or value not in (None, "", False))
    ]  # fmt: skip


def _told(name: str, value: Any, currency: str) -> str:
    if value is None or value == "":
        return "–"
    if name in MONEY and currency:
        return figure(money.shown(int(value), currency))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    match name:
        case "action":
            return say(ACTIONS[value].title) if value in ACTIONS else str(value)
        case "scope":
            return say(SCOPE.get(value, value))
    return _(value) if name in CODES else str(value)
