"""The named people of the tests and of the demo, and the workspace they work in."""

import secrets
from dataclasses import dataclass, field

from django.db import transaction

from agents.demo.cast import CAST, QUEUES, SHOP
from approvals import thresholds
from portal import staff, workspace
from portal.models import Person, Role, Workspace

PASSWORD = "a-long-password-for-tests"


@dataclass
class Cast:
    """Rosa and Ravi review, Mara manages, Ada and Anton administer, Odile audits, Otto is an outsider."""

    workspace: Workspace
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def ws(self) -> int:
        """The workspace's id."""
        return self.workspace.pk

    def id(self, name: str) -> int:
        """A person's id."""
        return int(self.people[name].pk)


NAMES = {member.key: member.name for member in CAST}
ROLES = {member.key: Role(member.role) for member in CAST if member.workspace == SHOP}


def gather(*, hold_seconds: int = 0) -> Cast:
    """A fresh workspace with its cast and the default thresholds; refunds are held `hold_seconds`."""
    mark = secrets.token_hex(4)
    with transaction.atomic():
        made = staff.open_workspace(slug=f"shop-{mark}", name="Kestrel & Pine", currency="EUR", queues=QUEUES)
        cast = Cast(made)
        now = workspace.enter(made.pk)
        for name in (*ROLES, "otto"):
            person = Person.objects.create_user(f"{name}.{mark}@example.com", PASSWORD, name=NAMES[name])
            cast.people[name] = person
            if name in ROLES:
                staff.appoint(workspace=made, person=person, role=ROLES[name], actor="system:test", now=now)
        thresholds.install(workspace=made.pk, actor="system:test", now=now, refund_hold_seconds=hold_seconds)
    return cast
