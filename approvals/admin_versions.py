"""Base of the admin's tables of versions: what is stricter is saved at once, what is looser goes to a second admin.

Saving writes the next version, deleting a retired one; none is changed. The history shows each version, who set it,
when and why, and leads back to it, through the same door.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from approvals import thresholds, wording
from approvals.admin_forms import within
from approvals.models import DailyCap, Loosening, Threshold
from audit.models import Entry
from portal.admin_site import HISTORY_ROWS, WorkspaceAdmin, people_of
from portal.models import Person, Role
from portal.retold import kept, say

BACK = kept("Back to version %(version)s.")


@dataclass(frozen=True, slots=True)
class Version:
    """One line of a history; `changes` are (what, before, after), `proposed_by` is told where two agreed."""

    row: Any
    who: str
    at: datetime
    why: str
    proposed_by: str
    loosening: int | None
    changes: Sequence[tuple[str, str, str]]
    newest: bool


class VersionedAdmin(WorkspaceAdmin):
    """Lists the rows in force."""

    writers = frozenset({Role.ADMIN})
    change_list_template = "admin/approvals/versions.html"
    kind: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def write(self, **values: Any) -> Any:
        """Call the service."""
        raise NotImplementedError

    def propose(self, request: Any, loosens: thresholds.Loosens, why: str) -> HttpResponse:
        """What is shown instead where a second admin has to agree."""
        raise NotImplementedError

    def describe(self, row: Any) -> Mapping[str, str]:
        """A version's values in words, by what they are called."""
        raise NotImplementedError

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The newest version of each series that is not retired."""
        return self._newest(request).filter(retired=False)

    def _newest(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        newer = self.model._default_manager.filter(
            workspace=OuterRef("workspace"), series=OuterRef("series"), version__gt=OuterRef("version")
        )
        return rows.filter(~Exists(newer))

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        """Who only reads is asked for no reason."""
        asked = super().get_fieldsets(request, obj)
        if self.has_add_permission(request) if obj is None else self.has_change_permission(request, obj):
            return asked
        kept_of = ((title, [name for name in part["fields"] if name != "why"], part) for title, part in asked)
        return [(title, {**part, "fields": fields}) for title, fields, part in kept_of if fields]

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows its workspace."""
        return within(super().get_form(request, obj, change, **kwargs), request.workspace)

    @admin.display(description=_lazy("why"))
    def why(self, obj: Any) -> str:
        """For who may only read: it stands in the history."""
        return ""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change a row may retire it."""
        return self.has_change_permission(request, obj)

    def subject(self, obj: Any) -> str:
        return f"{self.kind}:{obj.series}"

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """The next version of the row's series, or the first of a new one."""
        values = {column: form.cleaned_data[column] for column in self.columns}
        self._write(request, obj, values | {"retired": False}, form.cleaned_data.get("why", ""))

    def delete_model(self, request: Any, obj: Any) -> None:
        """The next version says that it is over."""
        self._write(request, obj, self._values(obj) | {"retired": True}, "")

    def _values(self, obj: Any) -> dict[str, Any]:
        return {column: getattr(obj, column) for column in self.columns}

    def _write(self, request: Any, obj: Any, values: dict[str, Any], why: str) -> None:
        saved = self.write(
            workspace=request.workspace.pk, series=obj.series, actor=f"person:{request.user.pk}",
            now=request.now, why=why, **values,
        )  # fmt: skip
        obj.pk, obj.version, obj.series = saved.pk, saved.version, saved.series
        obj.workspace_id = saved.workspace_id

    def changeform_view(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The form; what it loosens waits for a second admin."""
        return self._or_propose(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """The same where a row ends."""
        return self._or_propose(request, super().delete_view, *args, **kwargs)

    def _or_propose(self, request: Any, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return act(request, *args, **kwargs)
        except thresholds.Loosens as loosens:
            return self.propose(request, loosens, request.POST.get("why", ""))

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return self._saved(request, obj)

    def _saved(self, request: HttpRequest, obj: Any) -> HttpResponseRedirect:
        """To the list: the row that was on the form is no longer the one in force."""
        messages.success(request, _("In force: %(row)s.") % {"row": obj})
        return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"))

    def changelist_view(self, request: Any, extra_context: dict[str, Any] | None = None) -> Any:
        """With what waits for a second admin, and what has ended."""
        waiting = Loosening.objects.filter(workspace=request.workspace.pk, kind=self.kind, state="open")
        ended = self._newest(request).filter(retired=True).order_by("series")
        more = {"waiting": waiting.select_related("proposed_by").order_by("pk"), "ended": ended[:50]}
        return super().changelist_view(request, {**more, **(extra_context or {})})

    # History -----------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """With the history of a series, also of one that has ended, and the way back."""
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        view = self.admin_site.admin_view
        return [
            path("series/<str:series>/", view(self.series_view), name=f"{name}_series"),
            path("series/<str:series>/<int:version>/", view(self.revert_view), name=f"{name}_revert"),
            *super().get_urls(),
        ]

    def _history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        return self.series_view(request, obj.series)

    def series_view(self, request: Any, series: str) -> HttpResponse:
        """Every version, newest first."""
        rows = list(self._of(request, series)[:HISTORY_ROWS])
        if not rows or not self.has_view_permission(request):
            raise Http404
        context = {
            **self.admin_site.each_context(request), "opts": self.opts, "series": series,
            "title": _("History of %(row)s") % {"row": series}, "versions": list(self._versions(request, rows)),
            "may_write": self.has_change_permission(request),
            "revert": f"admin:{self.opts.app_label}_{self.opts.model_name}_revert",
        }  # fmt: skip
        return render(request, "admin/approvals/history.html", context)

    def revert_view(self, request: Any, series: str, version: int) -> Any:
        """The values of an earlier version as the next one: at once where that is stricter."""
        row = self._of(request, series).filter(version=version).first()
        if request.method != "POST" or row is None or not self.has_change_permission(request):
            raise PermissionDenied if row is not None else Http404
        return self._or_propose(request, self._revert, row)

    def _revert(self, request: Any, row: Any) -> HttpResponse:
        why = request.POST.get("why", "").strip()[:500] or BACK % {"version": row.version}
        self._write(request, row, self._values(row) | {"retired": row.retired}, why)
        return self._saved(request, row)

    def _of(self, request: Any, series: str) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(series=series).order_by("-version")

    def _versions(self, request: Any, rows: Sequence[Any]) -> Iterator[Version]:
        found = Entry.objects.filter(workspace_id=request.workspace.pk, subject=f"{self.kind}:{rows[0].series}")
        entries = {entry.version: entry for entry in found.order_by("-version")[:HISTORY_ROWS]}
        bodies = {version: json.loads(entry.canonical)["body"] for version, entry in entries.items()}
        asked = {body["proposed_by"] for body in bodies.values() if "proposed_by" in body}
        people = people_of(entries.values()) | dict(Person.objects.filter(pk__in=asked).values_list("pk", "name"))
        for row, older in zip(rows, [*rows[1:], None], strict=True):
            body = bodies.get(row.version, {})
            made_by = entries[row.version].actor if row.version in entries else row.made_by
            yield Version(
                row, wording.actor(made_by, people), row.created_at, say(body.get("why", "")),
                people.get(body.get("proposed_by"), ""), body.get("loosening"), self._changes(older, row),
                row is rows[0],
            )  # fmt: skip

    def _changes(self, before: Threshold | DailyCap | None, after: Threshold | DailyCap) -> list[tuple[str, str, str]]:
        was = self.describe(before) if before is not None and not before.retired else {}
        if after.retired:
            return [(_("The row"), _("in force"), _("ended"))]
        return [
            (name, was.get(name, ""), value)
            for name, value in self.describe(after).items()
            if was.get(name, "") != value
        ]
