"""Django admin inside one workspace: a site that asks roles, a base class that no query or choice escapes.

Permissions come from memberships alone; `is_staff` and permission rows are never asked. What is done here
goes through the services: the audit log is its history, and Django's own log of the admin stays empty.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, update_wrapper
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, URLResolver, get_script_prefix
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET

from audit.models import Entry
from portal import retold, unseen
from portal.models import Person, Role

READERS = frozenset({Role.ADMIN, Role.MANAGER, Role.AUDITOR})
COUNTED_ROWS, HISTORY_ROWS = 1_000, 200
Model = models.Model


def _inside(request: Any) -> int:
    """The workspace of the request; none is no door."""
    workspace = getattr(request, "workspace", None)
    if workspace is None:
        raise Http404
    return int(workspace.pk)


def _holds(request: Any, wanted: frozenset[Role]) -> bool:
    return bool(wanted & getattr(request, "roles", frozenset()))


def _spell(answer: SimpleTemplateResponse) -> None:
    """Unseen characters as code points on every page; not in a form, which would save them so."""
    shown = answer.context_data or {}
    if "adminform" not in shown or not shown.get("has_change_permission"):
        text = answer.content.decode()
        answer.content = text if text.isascii() else "".join(one.label or one.text for one in unseen.part(text))


class WorkspaceSite(admin.AdminSite):
    """The admin of one workspace. Sign-in is where all sign-in is; its own form does not exist."""

    site_header = site_title = "Countersign"
    index_title = _lazy("Administration")

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may see anything here."""
        return getattr(request, "workspace", None) is not None and _holds(request, READERS)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Whoever may see nothing finds nothing, instead of a sign-in form that cannot help them."""
        guarded = super().admin_view(view, cacheable)

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_permission(request):
                raise Http404
            answer: HttpResponseBase = guarded(request, *args, **kwargs)
            if isinstance(answer, SimpleTemplateResponse):
                answer.add_post_render_callback(_spell)
            return answer

        return update_wrapper(inner, view)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Without the jump to any object of any table."""
        return [url for url in super().get_urls() if getattr(url, "name", None) != "view_on_site"]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """ "View site" leads to the workspace."""
        return {**super().each_context(request), "site_url": get_script_prefix()}

    def get_log_entries(self, request: HttpRequest) -> QuerySet[LogEntry]:
        """None: the audit log is the history."""
        return LogEntry.objects.none()

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """There is one sign-in, with limits, and it is not this one."""
        raise Http404

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """To the one sign-out, which asks by a post of its own."""
        return HttpResponseRedirect("/accounts/logout/")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """To the one page that changes a password."""
        return HttpResponseRedirect("/accounts/password/change/")


site = WorkspaceSite(name="admin")


class CappedPaginator(Paginator):  # type: ignore[type-arg]  # not subscriptable at run time
    """Counts to 1,000 and no further, however long the table."""

    @cached_property
    def count(self) -> int:
        """Rows, or the cap."""
        rows: Any = self.object_list
        return int(rows.order_by()[:COUNTED_ROWS].count())


class WorkspaceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    """Base of every registered table: read-only, unless `writers` names roles and saving is a service."""

    readers: ClassVar[frozenset[Role]] = READERS
    writers: ClassVar[frozenset[Role]] = frozenset()
    show_full_result_count = False
    paginator = CappedPaginator
    list_per_page = 50
    list_max_show_all = 50
    ordering: ClassVar[Any] = ("-pk",)
    sortable_by: ClassVar[Any] = ()
    actions = None
    view_on_site = False
    exclude: ClassVar[Any] = ("workspace",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of this workspace."""
        rows: QuerySet[Any] = super().get_queryset(request).filter(workspace_id=_inside(request))
        return rows

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any]:
        """Choices of a foreign key: rows, or people, of this workspace."""
        target, workspace = db_field.remote_field.model, _inside(request)
        if target is Person:
            return Person.objects.filter(memberships__workspace_id=workspace).distinct()
        rows: QuerySet[Any] = target._default_manager.filter(workspace_id=workspace)
        return rows

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Only what the filters beside the list ask."""
        return lookup.partition("__")[0] in [name for name in self.list_filter if isinstance(name, str)]

    def _mine(self, request: HttpRequest, obj: Model | None, roles: frozenset[Role]) -> bool:
        inside = obj is None or getattr(obj, "workspace_id", None) == _inside(request)
        return inside and _holds(request, roles)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._mine(request, obj, self.readers)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._mine(request, None, self.writers)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self._mine(request, obj, self.writers)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted; a table that retires its rows says so."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._mine(request, None, self.readers)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Each table names its service; there is no other way to write."""
        raise NotImplementedError(f"{self.model.__name__} has no service to save it")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """As with saving."""
        raise NotImplementedError(f"{self.model.__name__} has no service to delete it")

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]  # the service has written the entry
        """The service has."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]  # as above
        """The service has."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:  # type: ignore[override]  # as above
        """The service has."""

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404

    def subject(self, obj: Any) -> str:
        """What the log calls this row."""
        return f"{self.opts.model_name}:{obj.pk}"

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit log says of the row, newest first."""
        return require_GET(self._history)(request, object_id)

    def _history(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.get_object(request, object_id)
        if obj is None:
            raise Http404
        found = Entry.objects.filter(workspace_id=_inside(request), subject=self.subject(obj))
        entries = list(found.order_by("-version")[:HISTORY_ROWS])
        context = {
            **self.admin_site.each_context(request), "title": _("History of %(row)s") % {"row": obj}, "opts": self.opts,
            "object": obj,
            "entries": [(entry, self._told(json.loads(entry.canonical)["body"])) for entry in entries],
            "people": people_of(entries),
        }  # fmt: skip
        return render(request, "portal/admin_history.html", context)

    def _told(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
        """Name, label and value of what an entry says; a field of the row by its own label and choice."""
        fields: dict[str, Any] = {field.name: field for field in self.opts.concrete_fields}
        for name, value in body.items():
            field = fields.get(name)
            choices = dict(field.flatchoices) if field and isinstance(value, str) else {}
            if value not in (None, "", [], {}):
                yield (
                    name,
                    capfirst(field.verbose_name) if field else "",
                    choices.get(value, value) if choices else value,
                )


def sentence_of(words: str) -> str:
    """What a service would refuse, as it stands beside a field: in the reader's language, with its full stop."""
    told = retold.say(words)
    return f"{told[:1].upper()}{told[1:]}."


def people_of(entries: Iterable[Entry]) -> dict[int, str]:
    """The people who acted, by name."""
    ids = {int(e.actor.partition(":")[2]) for e in entries if e.actor.startswith("person:")}
    return dict(Person.objects.filter(pk__in=ids).values_list("pk", "name"))
