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
from django.utils.cache import add_never_cache_headers

from portal import outage, tokens, viewing, wire
from portal.models import Person, Workspace

PREFIX = "/w/"


def enter(workspace: int | None, person: int | None = None, *, impersonator: int | None = None) -> datetime:
    """Set who and where for the rest of this transaction, and who looks as them; the database's clock (UTC)."""
    return datetime.fromisoformat(wire.first(_local(workspace, person, impersonator))[0])


def _local(workspace: int | None, person: int | None, impersonator: int | None) -> str:
    settings_ = (("workspace", workspace), ("person", person), ("impersonator", impersonator))
    local = ", ".join(f"set_config('countersign.{name}', '{int(key) if key else ''}', true)" for name, key in settings_)
    return f"SELECT clock_timestamp(), {local}"  # nosec B608  # of numbers


@contextmanager
def within(workspace: int | None, person: int | None = None) -> Iterator[datetime]:
    """One transaction inside one workspace; yields `now`."""
    with transaction.atomic():
        yield enter(workspace, person)


def known() -> dict[str, int]:
    """Address and id of every workspace there is, for commands."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug, id FROM portal_workspace_ids() ORDER BY id")
        return dict(cursor.fetchall())


def find(slug: str | None) -> int:
    """The id of a workspace by its address, or of the only one there is; for commands.

    Raises:
        LookupError: there is no such workspace, or several and none was named.
    """
    there = known()
    if slug is None and len(there) == 1:
        return next(iter(there.values()))
    if slug in there:
        return there[slug]
    names = ", ".join(there) or "none yet; `manage.py demo` makes one"
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
        request.path_info = rest
        self._keep_body(request)
        set_script_prefix(prefix)
        try:
            response = self._once(request, slug, person)
            if request.broken_by and outage.worth_another_try(request.broken_by):  # type: ignore[attr-defined]  # as below
                response = self._once(request, slug, person)
            if not response.has_header("Cache-Control"):
                add_never_cache_headers(response)  # what a workspace shows is kept by nobody
            return response
        finally:
            set_script_prefix("/")
            request.path_info = path

    def _once(self, request: HttpRequest, slug: str, person: Person | None) -> HttpResponse:
        """The whole request in one transaction; a second time it begins as if there had been no first."""
        request.broken_by = None  # type: ignore[attr-defined]  # set here for every request
        request.urlconf = settings.WORKSPACE_URLCONF
        with transaction.atomic():
            self._bind(request, slug, person)
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
            return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Whoever looks as somebody else changes nothing, whatever the view would have said."""
        looks = getattr(request, "impersonator", None) and request.method not in viewing.SAFE
        return viewing.refuse(request) if looks else None

    def _keep_body(self, request: HttpRequest) -> None:
        """A program's body can be read once from its connection; what may be parsed twice is kept."""
        announced = request.META.get("CONTENT_LENGTH") or ""
        length = int(announced) if announced.isdecimal() and len(announced) < 12 else 0
        if request.path_info.startswith("/api/") and 0 < length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            request.body  # noqa: B018  # kept by Django once it was read

    def _who(self, request: HttpRequest, rest: str) -> Person | None:
        if rest.startswith("/api/"):
            return tokens.bearer(request)
        # The person behind Django's lazy one, which looks for them anew at each attribute: a page asks for hundreds.
        return getattr(request.user, "_wrapped", request.user) if isinstance(request.user, Person) else None

    def _bind(self, request: HttpRequest, slug: str, person: Person | None) -> None:
        """Find the workspace among the person's own; a stranger's and a missing one look the same."""
        request.now = enter(None, person.pk if person else None)  # type: ignore[attr-defined]
        request.impersonator = None  # type: ignore[attr-defined]  # set here for every request
        if person is None:
            return
        request.user = person
        workspace = Workspace.objects.filter(slug=slug).first()
        if workspace is None or getattr(request, "token_workspace", workspace.pk) != workspace.pk:
            request.urlconf = "portal.nowhere"
            return
        request.workspace = workspace  # type: ignore[attr-defined]
        request.roles = _take_part(workspace, person)  # type: ignore[attr-defined]
        if not request.roles:  # type: ignore[attr-defined]
            request.workspace, request.urlconf = None, "portal.nowhere"  # type: ignore[attr-defined]
        elif not request.path_info.startswith("/api/"):
            self._look_as(request, workspace, person)

    def _look_as(self, request: Any, workspace: Workspace, person: Person) -> None:
        """Where an admin looks as a colleague, everything is as the colleague sees it."""
        target = viewing.target(request, workspace.pk, request.roles, request.now)
        if target is not None:
            roles = _take_part(workspace, target, impersonator=person.pk)
            request.user, request.impersonator, request.roles = target, person, roles


def _take_part(workspace: Workspace, person: Person, *, impersonator: int | None = None) -> frozenset[str]:
    """As `enter`, and the roles held there: asked with every request, so without the ORM and on one way."""
    asked = f"SELECT string_agg(role, ',') FROM portal_membership WHERE workspace_id = {int(workspace.pk)}"  # nosec B608
    asked += f" AND person_id = {int(person.pk)} AND active"
    (held,) = wire.first(f"{_local(workspace.pk, person.pk, impersonator)}; {asked}")
    return frozenset(held.split(",")) - {""}


def context(request: HttpRequest) -> dict[str, Any]:
    """What every template may ask: the workspace and the roles held in it."""
    return {
        "workspace": getattr(request, "workspace", None),
        "roles": getattr(request, "roles", frozenset()),
        "impersonator": getattr(request, "impersonator", None),
    }
