"""The working hours of a workspace: read from its row, set by an admin, on the log."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db import transaction

from audit import log
from audit.events import Event
from portal import worktime
from portal.models import Workspace
from portal.worktime import Hours

logger = logging.getLogger(__name__)


def of(workspace: int) -> Hours:
    """The hours in force in a workspace; none of one that is not seen from here."""
    row = Workspace.objects.filter(pk=workspace).only("time_zone", "hours", "closed_on").first()
    return worktime.ALWAYS if row is None else of_row(row)


def today(workspace: int, now: datetime) -> date:
    """The day that it is where the workspace is."""
    return now.astimezone(ZoneInfo(of(workspace).zone)).date()


def midnight(workspace: int, now: datetime) -> datetime:
    """When the day there ends."""
    zone = ZoneInfo(of(workspace).zone)
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=1), time(), zone)


def of_row(row: Workspace) -> Hours:
    """The hours on a workspace's row. What was written there past `set_hours` stops nobody's work: always open."""
    try:
        return _read(row.time_zone, json.dumps(row.hours), tuple(row.closed_on))
    except (worktime.WorktimeError, TypeError, AttributeError):
        logger.exception("the hours of workspace %s cannot be read; it counts as always open", row.pk)
        return worktime.ALWAYS


@lru_cache(maxsize=256)
def _read(time_zone: str, hours: str, closed_on: tuple[str, ...]) -> Hours:
    """Pages ask once a row; the text of a column is as good a key as any."""
    return worktime.read(time_zone, json.loads(hours), closed_on)


def set_hours(
    *,
    workspace: Workspace,
    time_zone: str,
    hours: Mapping[str, Sequence[str]],
    closed_on: Sequence[str],
    actor: str,
    now: datetime,
) -> Hours:
    """Put hours in force for what comes in from now on; due times that are fixed already stay.

    Raises:
        worktime.WorktimeError: naming the field that is off; nothing is written.
    """
    made = worktime.read(time_zone, hours, closed_on)
    worktime.refuse_never_open(made, now.date())
    row = {
        "time_zone": time_zone,
        "hours": {day: list(hours[day]) for day in worktime.DAYS if day in hours},
        "closed_on": sorted(day.isoformat() for day in made.closed),
    }
    with transaction.atomic():
        log.attribute(f"workspace:{workspace.pk}")
        Workspace.objects.filter(pk=workspace.pk).update(**row)
        log.record(
            workspace=workspace.pk, subject=f"workspace:{workspace.pk}", event=Event.HOURS_SET, actor=actor, now=now,
            body=row,
        )  # fmt: skip
    for name, value in row.items():
        setattr(workspace, name, value)
    return made
