"""Inside which workspace a transaction runs. Middleware, context of templates, and `within` for tasks.

The settings are local to the transaction: outside of one, or without one, row security shows nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.urls import set_script_prefix

from portal import tokens
from portal.models import Membership, Person, Workspace

PREFIX = "/w/"


def enter(workspace: int | None, person: int | None = None) -> datetime:
    """Set who and where for the rest of this transaction; returns the database's clock (UTC)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('countersign.workspace', %s, true), set_config('countersign.person', %s, true),"
            " clock_timestamp()",
            [str(workspace or ""), str(person or "")],
        )
        now: datetime = cursor.fetchone()[2]
    return now


@contextmanager
def within(workspace: int | None, person: int | None = None) -> Iterator[datetime]:
    """One transaction inside one workspace; yields `now`."""
    with transaction.atomic():
        yield enter(workspace, person)


def all_ids() -> list[int]:
    """Ids of every workspace, for relays and sweepers, which then open one transaction each."""
    return list(Workspace.objects.order_by("id").values_list("id", flat=True))


def find(slug: str | None) -> int:
    """The id of a workspace by its address, or of the only one there is; for commands.

    Raises:
        LookupError: there is no such workspace, or several and none was named.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug, id FROM portal_workspace_ids() ORDER BY id")
        known = dict(cursor.fetchall())
    if slug is None and len(known) == 1:
        return int(next(iter(known.values())))
    if slug in known:
        return int(known[slug])
    names = ", ".join(known) or "none yet; `manage.py demo` makes one"
    raise LookupError(f"--workspace: {'name one' if slug is None else f'there is no {slug!r}'} (there are: {names})")


class WorkspaceMiddleware:
    """Serves `/w/<slug>/...`: takes the prefix off the path, opens the transaction, refuses strangers by 404."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspace = None  # type: ignore[attr-defined]  # set here for every request
        if not request.path_info.startswith(PREFIX):
            return self.get_response(request)
        slug, _, rest = request.path_info[len(PREFIX) :].partition("/")
        return self._inside(request, slug, "/" + rest)

    def _inside(self, request: HttpRequest, slug: str, rest: str) -> HttpResponse:
        person = self._who(request, rest)
        if person is None and not rest.startswith("/api/"):
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        prefix, path = f"{PREFIX}{slug}/", request.path_info
        request.path_info, request.urlconf = rest, settings.WORKSPACE_URLCONF
        set_script_prefix(prefix)
        try:
            with transaction.atomic():
                self._bind(request, slug, person)
                response = self.get_response(request)
                if response.status_code >= 500:
                    transaction.set_rollback(True)
                return response
        finally:
            set_script_prefix("/")
            request.path_info = path

    def _who(self, request: HttpRequest, rest: str) -> Person | None:
        if rest.startswith("/api/"):
            return tokens.bearer(request)
        return request.user if isinstance(request.user, Person) else None

    def _bind(self, request: HttpRequest, slug: str, person: Person | None) -> None:
        """Find the workspace among the person's own; a stranger's and a missing one look the same."""
        request.now = enter(None, person.pk if person else None)  # type: ignore[attr-defined]
        if person is None:
            return
        request.user = person
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None or getattr(request, "token_workspace", workspace.pk) != workspace.pk:
            request.urlconf = "portal.nowhere"
            return
        request.workspace = workspace  # type: ignore[attr-defined]
        enter(workspace.pk, person.pk)
        request.roles = frozenset(  # type: ignore[attr-defined]
            Membership.objects.filter(workspace=workspace, person=person, active=True).values_list("role", flat=True)
        )
        if not request.roles:  # type: ignore[attr-defined]
            request.workspace, request.urlconf = None, "portal.nowhere"  # type: ignore[attr-defined]


def context(request: HttpRequest) -> dict[str, Any]:
    """What every template may ask: the workspace and the roles held in it."""
    return {"workspace": getattr(request, "workspace", None), "roles": getattr(request, "roles", frozenset())}
