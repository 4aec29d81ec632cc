"""View as: an admin looks at the desk as a colleague of the same workspace sees it, half an hour at most.

Begin and end are on the log. Meanwhile no post goes through but the one that ends it; `countersign.impersonator` is
set in the transaction, so services and triggers refuse a decision even where one would.
"""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from portal.models import Membership, Person, Role

KEY = "view_as"
MOST = timedelta(minutes=30)
END = "/you/view-as/end/"
SAFE = ("GET", "HEAD", "OPTIONS")


class ViewError(Exception):
    """Why nobody is looked as; the message is for the person."""


def begin(
    *, workspace: int, admin: Person, roles: frozenset[str], target: int, session: SessionBase, now: datetime
) -> Person:
    """From the next page on.

    Raises:
        ViewError: not an admin, or not as somebody who belongs here now.
    """
    if Role.ADMIN not in roles:
        raise ViewError(_("Only an admin looks at the desk as somebody else."))
    if target == admin.pk:
        raise ViewError(_("That is you."))
    found = Person.objects.filter(
        pk=target, is_active=True, memberships__workspace=workspace, memberships__active=True
    ).first()
    if found is None:
        raise ViewError(_("This person does not belong to this workspace now."))
    until = now + MOST
    with transaction.atomic():
        log.record(
            workspace=workspace, subject=f"person:{target}", event=Event.VIEW_BEGUN, actor=f"person:{admin.pk}",
            now=now, body={"person": target, "until": until.isoformat()},
        )  # fmt: skip
    session[KEY] = {"workspace": workspace, "person": target, "until": until.isoformat()}
    return found


def end(*, workspace: int, admin: Person, session: SessionBase, now: datetime) -> None:
    """Be oneself again; nothing happens where one is."""
    looked = session.pop(KEY, None)
    if looked is None or looked["workspace"] != workspace:
        return
    with transaction.atomic():
        log.record(
            workspace=workspace, subject=f"person:{looked['person']}", event=Event.VIEW_ENDED,
            actor=f"person:{admin.pk}", now=now, body={"person": looked["person"]},
        )  # fmt: skip


def target(request: HttpRequest, workspace: int, roles: frozenset[str], now: datetime) -> Person | None:
    """As whom this request looks, while an admin of the workspace may and the half hour is not over."""
    looked: dict[str, Any] | None = request.session.get(KEY)
    if looked is None or looked["workspace"] != workspace or request.path_info == END:
        return None
    if Role.ADMIN not in roles or datetime.fromisoformat(looked["until"]) <= now:
        return None
    mine = Membership.objects.filter(
        workspace=workspace, person=looked["person"], active=True, person__is_active=True
    ).select_related("person")
    membership = mine.first()
    return membership.person if membership else None


def impersonated() -> bool:
    """Whether this transaction looks as somebody else."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('countersign.impersonator', true), '') <> ''")
        return bool(cursor.fetchone()[0])


def refuse(request: HttpRequest) -> HttpResponse:
    """403 for whatever would write."""
    response = render(request, "portal/looking.html", status=403)
    response["HX-Refresh"] = "true"  # a script's post is answered by the page as it stands, with the banner on it
    return response
