"""How long kinds of records are kept: set by an admin, insert-only, each version on the log."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from audit.models import Retention

SHORTEST_IN_VAULT, LONGEST_IN_VAULT, LONGEST = 30, 90, 3650


class PeriodError(Exception):
    """The period is none that may be set; the message names the field."""


def check(kind: str, days: int) -> None:
    """Whether a kind may be kept so long.

    Raises:
        PeriodError.
    """
    if kind not in Retention.Kind.values:
        raise PeriodError(_("kind: one of %(kinds)s") % {"kinds": ", ".join(Retention.Kind.values)})
    vault = kind == Retention.Kind.FULL_TRANSCRIPTS
    least, most = (SHORTEST_IN_VAULT, LONGEST_IN_VAULT) if vault else (1, LONGEST)
    if not least <= days <= most:
        raise PeriodError(_("days: from %(least)s to %(most)s") % {"least": least, "most": most})


def set_days(*, workspace: int, kind: str, days: int, actor: str, now: datetime) -> Retention:
    """From the next run of the job on a kind is kept so many days.

    Raises:
        PeriodError.
    """
    check(kind, days)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6))", [f"period:{workspace}:{kind}"])
        last = Retention.objects.filter(workspace_id=workspace, kind=kind).aggregate(n=Max("version"))["n"] or 0
        log.attribute(f"retention:{kind}")
        row = Retention.objects.create(
            workspace_id=workspace, kind=kind, version=last + 1, days=days, made_by=actor, created_at=now
        )
        log.record(
            workspace=workspace, subject=f"period:{kind}", version=row.version, event=Event.RETENTION_SET, actor=actor,
            now=now, body={"kind": kind, "days": days},
        )  # fmt: skip
    return row
