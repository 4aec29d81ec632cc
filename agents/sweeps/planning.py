"""Begins sweeps, when a person asks for one and at the time of day that an admin set, and stops one for a person."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from agents.sweeps.models import PER_DAY, PER_SWEEP, Sweep, SweepPlan
from audit import log
from audit.events import Event
from portal.models import Workspace
from portal.workspace import within

SCHEDULE = "system:schedule"
MOST = 1_000
OPEN = (Sweep.State.QUEUED, Sweep.State.FINDING, Sweep.State.PROPOSING)


class SweepError(Exception):
    """Base of what beginning a sweep refuses."""


class UnderWay(SweepError):
    """One is under way; there are never two."""


class Over(SweepError):
    """It has ended already."""


class BadPlan(SweepError):
    """A plan that cannot be kept; the message names the field."""


def plan_in_force(workspace: int) -> SweepPlan | None:
    """The newest plan; None where an admin never made one."""
    return SweepPlan.objects.filter(workspace_id=workspace).order_by("-version").first()


def plan(*, workspace: int, on: bool, at: time, per_sweep: int, per_day: int, actor: str, now: datetime) -> SweepPlan:
    """Put a plan in force.

    Raises:
        BadPlan: naming the field that is off.
    """
    for name, value in (("per_sweep", per_sweep), ("per_day", per_day)):
        if not 0 < value <= MOST:
            raise BadPlan(_("%(field)s: from 1 to %(most)s") % {"field": name, "most": MOST})
    with transaction.atomic():
        version = log.next_version(workspace, "sweep-plan:contacts")
        log.attribute("sweep-plan:contacts")
        row = SweepPlan.objects.create(
            workspace_id=workspace, version=version, on=on, at=at, per_sweep=per_sweep, per_day=per_day,
            made_by=actor, created_at=now,
        )  # fmt: skip
        log.record(
            workspace=workspace, subject="sweep-plan:contacts", version=version, event=Event.SWEEP_PLANNED,
            actor=actor, now=now,
            body={"on": on, "at": f"{at:%H:%M}", "per_sweep": per_sweep, "per_day": per_day},
        )  # fmt: skip
    return row


def begin(*, workspace: int, actor: str, now: datetime) -> Sweep:
    """Begin a sweep; a trigger makes it due, and a worker finds it within seconds.

    Raises:
        UnderWay.
    """
    return _begin(workspace, actor, plan_in_force(workspace), now=now, planned=False)


def stop(*, workspace: int, sweep: int, actor: str, now: datetime) -> Sweep:
    """End a sweep for a person: waits for the batch that is being written, and no worker goes on after it.

    Raises:
        Over, Sweep.DoesNotExist.
    """
    with transaction.atomic():
        rows = Sweep.objects.filter(workspace_id=workspace, pk=sweep)
        row = rows.select_for_update().filter(state__in=OPEN).first()
        if row is None:
            rows.get()
            raise Over(_("This sweep has ended already; there is nothing to stop."))
        row.state, row.stopped_by, row.finished_at, row.lease_until = Sweep.State.STOPPED, actor, now, None
        row.save(update_fields=["state", "stopped_by", "finished_at", "lease_until"])
        log.record(
            workspace=workspace, subject=f"sweep:{row.pk}", event=Event.SWEEP_STOPPED, actor=actor, now=now,
            body={name: getattr(row, name) for name in ("total", "found", "known", "proposed", "repairs", "left")},
        )  # fmt: skip
    return row


def begin_due() -> int:
    """Begin what is planned for today and was not begun; returns how many. Any number of clocks may ask."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace FROM agents_planned_sweeps()")
        workspaces = [row[0] for row in cursor.fetchall()]
    return sum(_begin_planned(workspace) for workspace in workspaces)


def _begin_planned(workspace: int) -> bool:
    with within(workspace) as now:
        wanted = plan_in_force(workspace)
        here = local(workspace, now)
        if wanted is None or not wanted.on or here.time() < wanted.at:
            return False
        if Sweep.objects.filter(workspace_id=workspace, planned_for=here.date()).exists():
            return False
        try:
            _begin(workspace, SCHEDULE, wanted, now=now, planned=True)
        except UnderWay:
            return False
        return True


def local(workspace: int, now: datetime) -> datetime:
    """The time of day where the workspace is."""
    return now.astimezone(ZoneInfo(Workspace.objects.values_list("time_zone", flat=True).get(pk=workspace)))


def _begin(workspace: int, actor: str, wanted: SweepPlan | None, *, now: datetime, planned: bool) -> Sweep:
    per_sweep, per_day = (wanted.per_sweep, wanted.per_day) if wanted else (PER_SWEEP, PER_DAY)
    try:
        with transaction.atomic():
            row = Sweep.objects.create(
                workspace_id=workspace, started_by=actor, per_sweep=per_sweep, per_day=per_day,
                planned_for=local(workspace, now).date() if planned else None,
            )  # fmt: skip
            log.record(
                workspace=workspace, subject=f"sweep:{row.pk}", version=1, event=Event.SWEEP_STARTED, now=now,
                actor="agent:contacts" if planned else actor, body={"started_by": actor, "per_sweep": per_sweep},
            )  # fmt: skip
    except IntegrityError as error:
        raise UnderWay(_("A sweep of the contacts is under way; its progress is on the page of sweeps.")) from error
    return row
