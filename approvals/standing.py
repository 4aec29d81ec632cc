"""What everybody at work must know just now: thrown switches, queues whose workers do not answer, a log not sealed.

Read for every page in one statement; the banner above each page shows it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from approvals import pulse, switches, wording
from portal.htmx import WorkspaceRequest
from portal.models import Role

SHOWN = 3
UNSEALED_AFTER = timedelta(seconds=30)
# Who can do something about a log that is not sealed, or must know.
TOLD_OF_THE_LOG = frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR})

_NOW = f"""
    SELECT true, s.kind, s.subject, s.reason, s.made_by, s.created_at, s.everywhere, p.name
    FROM ({switches.IN_FORCE}) s
    LEFT JOIN portal_person p ON p.id = nullif(substring(s.made_by FROM '^person:([0-9]+)$'), '')::bigint
    UNION ALL
    SELECT false, queue, '', '', '', greatest(asked_at, answered_at), false, NULL FROM approvals_pulse
    WHERE greatest(asked_at, answered_at) < clock_timestamp() - make_interval(secs => %s)
    UNION ALL
    SELECT false, 'log', '', '', '', late.at, false, NULL FROM (
        SELECT at FROM audit_entry WHERE workspace_id = %s AND id > (SELECT coalesce(max(entry_id), 0) FROM audit_leaf)
        ORDER BY id LIMIT 1
    ) late WHERE greatest(late.at, (SELECT at FROM audit_checkpoint ORDER BY id DESC LIMIT 1))
        < clock_timestamp() - make_interval(secs => %s)
    ORDER BY 1, 6
"""  # nosec B608


@dataclass(frozen=True, slots=True)
class Notice:
    """One thrown switch with the name of who threw it."""

    switch: switches.Thrown
    who: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A queue whose workers have not answered since (UTC); or "log", whose entries wait for the sealer since then."""

    queue: str
    since: datetime

    @property
    def title(self) -> str:
        """Who does not answer."""
        names = {"log": _("The log is not being sealed"), "agents": _("Agents do not answer")}
        return names.get(self.queue, _("Workers do not answer"))

    @property
    def words(self) -> str:
        """What that means for whoever works here."""
        if self.queue == "log":
            return _("nothing goes to an outside system until it is; whoever runs the servers looks at audit_seal")
        if self.queue == "agents":
            return _("tickets are kept, no agent works on them until they do")
        return _("decisions are kept, nothing is sent until they do")


@dataclass(frozen=True, slots=True)
class Standing:
    """All of it, oldest first; `key` changes when any of it does."""

    notices: tuple[Notice, ...] = ()
    silent: tuple[Silence, ...] = ()

    @property
    def shown(self) -> tuple[Notice, ...]:
        """The first few; the page of switches has them all."""
        return self.notices[:SHOWN]

    @property
    def more(self) -> int:
        """How many are not shown."""
        return max(0, len(self.notices) - SHOWN)

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits that name what is said here."""
        said = repr([n.switch for n in self.notices] + list(self.silent))
        return hashlib.sha256(said.encode()).hexdigest()[:12]


def of(request: WorkspaceRequest) -> Standing:
    """What stands now, read once for all that a request shows."""
    if (known := getattr(request, "standing", None)) is None:
        known = now(request.workspace.pk)
        if not TOLD_OF_THE_LOG & request.roles:
            known = replace(known, silent=tuple(one for one in known.silent if one.queue != "log"))
        request.standing = known  # type: ignore[attr-defined]  # kept for this request
    return known


def now(workspace: int) -> Standing:
    """What stands now."""
    with connection.cursor() as cursor:
        late = [pulse.SILENT_AFTER.total_seconds(), workspace, UNSEALED_AFTER.total_seconds()]
        cursor.execute(_NOW, [workspace, *late])
        rows = cursor.fetchall()
    return Standing(
        tuple(_notice(row) for row in rows if row[0]), tuple(Silence(row[1], row[5]) for row in rows if not row[0])
    )


def who(actor: str, people: Mapping[int, str]) -> str:
    """Who threw or restored: a person's name, or the operator at the command line."""
    return _("the operator") if actor.startswith("system:") else wording.actor(actor, people)


def _notice(row: tuple[Any, ...]) -> Notice:
    thrown = switches.Thrown(*row[1:7])
    key = thrown.who.removeprefix("person:")
    return Notice(thrown, who(thrown.who, {int(key): row[7]} if row[7] else {}))
