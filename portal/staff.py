"""Workspaces and who belongs to them: made by commands and admins, each change on the log."""

from datetime import datetime

from django.db import connection, transaction

from audit import log
from audit.events import Event
from portal import workspace as inside
from portal.models import Membership, Person, Queue, Role, Workspace


class StaffError(Exception):
    """Base of what can be wrong with a change of people."""


class LastAdmin(StaffError):
    """Nobody would be left who administers the workspace."""


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
    """Give a person a role, or take it away with `active=False`.

    Raises:
        LastAdmin: it is the role of the last active admin.
    """
    with transaction.atomic():
        known = Membership.objects.filter(workspace=workspace, person=person, role=role).first()
        if not active and known is not None and is_last_admin(known):
            raise LastAdmin(f"{person} is the last admin of {workspace}; appoint somebody else first")
        log.attribute(f"person:{person.pk}")
        membership, _ = Membership.objects.update_or_create(
            workspace=workspace, person=person, role=role, defaults={"active": active}
        )
        log.record(
            workspace=workspace.pk, subject=f"membership:{membership.pk}", event=Event.MEMBERSHIP_SET,
            actor=actor, now=now, body={"person": person.pk, "role": role, "active": active},
        )  # fmt: skip
    return membership


def is_last_admin(membership: Membership) -> bool:
    """Whether nobody else active administers the workspace; locks it, so that two cannot leave at once."""
    Workspace.objects.select_for_update().get(pk=membership.workspace_id)
    admins = Membership.objects.filter(
        workspace=membership.workspace_id, role=Role.ADMIN, active=True, person__is_active=True
    )
    return list(admins.values_list("pk", flat=True)) == [membership.pk]


def person_of(*, email: str, name: str) -> Person:
    """The person of an e-mail address; somebody new has no password until they set one by the reset page."""
    known = Person.objects.filter(email=email.lower()).first()
    return known or Person.objects.create_user(email, None, name=name.strip() or email.partition("@")[0])
