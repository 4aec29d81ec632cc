"""What everybody at work must know just now: thrown switches, and queues whose workers do not answer.

Read for every page in one statement; the banner above each page shows it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from approvals import pulse, switches, wording
from portal.htmx import WorkspaceRequest

SHOWN = 3

_NOW = f"""
    SELECT true, s.kind, s.subject, s.reason, s.made_by, s.created_at, s.everywhere, p.name
    FROM ({switches.IN_FORCE}) s
    LEFT JOIN portal_person p ON p.id = nullif(substring(s.made_by FROM '^person:([0-9]+)$'), '')::bigint
    UNION ALL
    SELECT false, queue, '', '', '', greatest(asked_at, answered_at), false, NULL FROM approvals_pulse
    WHERE greatest(asked_at, answered_at) < clock_timestamp() - make_interval(secs => %s)
    ORDER BY 1, 6
"""  # nosec B608


@dataclass(frozen=True, slots=True)
class Notice:
    """One thrown switch with the name of who threw it."""

    switch: switches.Thrown
    who: str


@dataclass(frozen=True, slots=True)
class Silence:
    """A queue whose workers have not answered since (UTC)."""

    queue: str
    since: datetime

    @property
    def words(self) -> str:
        """What that means for whoever works here."""
        if self.queue == "agents":
            return "tickets are kept, no agent works on them until they do"
        return "decisions are kept, nothing is sent until they do"


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
        said = repr([(n.switch.words, n.switch.reason, n.switch.since) for n in self.notices] + list(self.silent))
        return hashlib.sha256(said.encode()).hexdigest()[:12]


def of(request: WorkspaceRequest) -> Standing:
    """What stands now, read once for all that a request shows."""
    if (known := getattr(request, "standing", None)) is None:
        known = request.standing = now(request.workspace.pk)  # type: ignore[attr-defined]  # kept for this request
    return known


def now(workspace: int) -> Standing:
    """What stands now."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW, [workspace, pulse.SILENT_AFTER.total_seconds()])
        rows = cursor.fetchall()
    return Standing(
        tuple(_notice(row) for row in rows if row[0]), tuple(Silence(row[1], row[5]) for row in rows if not row[0])
    )


def who(actor: str, people: Mapping[int, str]) -> str:
    """Who threw or restored: a person's name, or the operator at the command line."""
    return "the operator" if actor.startswith("system:") else wording.actor(actor, people)


def _notice(row: tuple[Any, ...]) -> Notice:
    thrown = switches.Thrown(*row[1:7])
    key = thrown.who.removeprefix("person:")
    return Notice(thrown, who(thrown.who, {int(key): row[7]} if row[7] else {}))
