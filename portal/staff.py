"""Workspaces and who belongs to them: made by commands and admins, each change on the log."""

from datetime import datetime

from django.db import connection, transaction

from audit import log
from audit.events import Event
from portal import workspace as inside
from portal.models import Membership, Person, Queue, Role, Workspace


class StaffError(Exception):
    """Base of what can be wrong with a change of people."""


def open_workspace(*, slug: str, name: str, currency: str, queues: dict[str, str]) -> Workspace:
    """A new workspace with its queues (`name: title`); the transaction is inside it from here on."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('portal_workspace', 'id'))")
        key = int(cursor.fetchone()[0])
    now = inside.enter(key)
    workspace = Workspace.objects.create(pk=key, slug=slug, name=name, currency=currency, created_at=now)
    log.attribute(f"workspace:{key}")
    Queue.objects.bulk_create(Queue(workspace=workspace, name=q, title=t) for q, t in queues.items())
    log.record(
        workspace=key, subject=f"workspace:{key}", event=Event.WORKSPACE_MADE, actor="system:set-up", now=now,
        body={"slug": slug, "queues": sorted(queues)},
    )  # fmt: skip
    return workspace


def appoint(
    *, workspace: Workspace, person: Person, role: Role, actor: str, now: datetime, active: bool = True
) -> Membership:
    """Give a person a role, or take it away with `active=False`."""
    with transaction.atomic():
        log.attribute(f"person:{person.pk}")
        membership, _ = Membership.objects.update_or_create(
            workspace=workspace, person=person, role=role, defaults={"active": active}
        )
        log.record(
            workspace=workspace.pk, subject=f"membership:{membership.pk}", event=Event.MEMBERSHIP_SET,
            actor=actor, now=now, body={"person": person.pk, "role": role, "active": active},
        )  # fmt: skip
    return membership
