"""Out of office: who stands in for whom, and until when. It has an end, is on the log, and grants nobody a role.

A stand-in may be away as well: chains are followed, and one that would lead back is refused.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from portal import roles
from portal.models import Delegation, Membership, Role

LONGEST = timedelta(days=60)
CLOCK_CHANGE = timedelta(hours=1)  # days of a zone, not of 24 hours
FURTHEST_AHEAD = timedelta(days=366)
_STRENGTH = {"": 0, str(Role.REVIEWER): 1, str(Role.MANAGER): 2}


class StandInError(Exception):
    """Base of what is refused; the message names the field, `stand_in`, `starts`, `ends`, `person` or `reason`."""


class NotYours(StandInError):
    """One says so for oneself; for others a manager does."""


def set_out(
    *,
    workspace: int,
    person: int,
    stand_in: int,
    starts: datetime,
    ends: datetime,
    reason: str,
    actor: int,
    now: datetime,
) -> Delegation:
    """`person` is out of office from `starts` (at the earliest now) to `ends`, 60 days at most.

    Raises:
        NotYours, StandInError.
    """
    starts = max(starts, now)
    reason = "".join(c for c in reason if c.isprintable()).strip()[:200]
    _check_who(workspace, person, actor)
    _check_when(starts, ends, now)
    _check_stand_in(workspace, person, stand_in)
    with transaction.atomic():
        _check_others(workspace, person, stand_in, starts, ends)
        log.attribute(f"person:{actor}")
        row = Delegation.objects.create(
            workspace_id=workspace, person_id=person, stand_in_id=stand_in, starts_at=starts, ends_at=ends,
            reason=reason, made_by=f"person:{actor}", created_at=now,
        )  # fmt: skip
        _record(row, actor, now, {"starts": starts.isoformat(), "ends": ends.isoformat()}, {"reason": reason})
    return row


def end(*, workspace: int, delegation: int, actor: int, now: datetime) -> Delegation:
    """Who is back says so, or a manager does; an absence that is over is left as it is.

    Raises:
        Delegation.DoesNotExist, NotYours.
    """
    with transaction.atomic():
        row = Delegation.objects.select_for_update().get(workspace_id=workspace, pk=delegation)
        _check_who(workspace, row.person_id, actor)
        if row.ended_at is not None or row.ends_at <= now:
            return row
        log.attribute(f"person:{actor}")
        row.ended_at = now
        row.save(update_fields=["ended_at"])
        _record(row, actor, now, {"ended": now.isoformat()}, {})
    return row


def effective(*, workspace: int, person: int, now: datetime) -> int | None:
    """Who gets what would come to `person` now; None where whoever stands in may not decide as much any more."""
    away = {row.person_id: row.stand_in_id for row in _in_force(workspace, now)}
    needed = strength(workspace, person)
    holder = person
    for _step in range(len(away) + 1):
        if holder not in away:
            return holder if holder == person or strength(workspace, holder) >= max(needed, 1) else None
        holder = away[holder]
    return None


def out(*, workspace: int, now: datetime) -> frozenset[int]:
    """Who is out of office now."""
    return frozenset(row.person_id for row in _in_force(workspace, now))


def ahead(*, workspace: int, now: datetime) -> list[Delegation]:
    """Every absence that is not over, the earliest first, with its people."""
    rows = Delegation.objects.filter(_ahead(now), workspace_id=workspace)
    return list(rows.select_related("person", "stand_in").order_by("starts_at", "pk")[:200])


def deciders(workspace: int) -> list[tuple[int, str]]:
    """Everybody who decides here, by name: who may be out of office, and who may stand in."""
    rows = Membership.objects.filter(
        workspace_id=workspace, active=True, person__is_active=True, role__in=[role for role in _STRENGTH if role]
    )
    return list(rows.order_by("person__name", "person_id").values_list("person_id", "person__name").distinct())


def strength(workspace: int, person: int) -> int:
    """How much a person may decide: 0 nothing, 1 as a reviewer, 2 as a manager."""
    return _STRENGTH[roles.deciding(roles.of(person, workspace))]


def _in_force(workspace: int, now: datetime) -> list[Delegation]:
    return list(Delegation.objects.filter(_ahead(now), workspace_id=workspace, starts_at__lte=now))


def _ahead(moment: datetime) -> Q:
    return Q(ended_at=None, ends_at__gt=moment)


def _lock(workspace: int) -> None:
    """Two absences set at once must not lead to each other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 4))", [f"{workspace}:delegations"])


def _check_who(workspace: int, person: int, actor: int) -> None:
    if actor != person and Role.MANAGER not in roles.of(actor, workspace):
        raise NotYours("person: " + _("only a manager says this of somebody else"))


def _check_when(starts: datetime, ends: datetime, now: datetime) -> None:
    if starts > now + FURTHEST_AHEAD:
        raise StandInError("starts: " + _("at most a year ahead"))
    if ends <= starts:
        raise StandInError("ends: " + _("must not lie before the first day, or in the past"))
    if ends - starts > LONGEST + CLOCK_CHANGE:
        most = _("at most %(days)s days; set it anew when it is still so then") % {"days": LONGEST.days}
        raise StandInError("ends: " + most)


def _check_stand_in(workspace: int, person: int, stand_in: int) -> None:
    if stand_in == person:
        raise StandInError("stand_in: " + _("nobody stands in for themselves"))
    needed = strength(workspace, person)
    if not needed:
        raise StandInError("person: " + _("decides nothing here, so there is nothing to stand in for"))
    if strength(workspace, stand_in) < needed:
        if needed == _STRENGTH[Role.MANAGER]:
            raise StandInError("stand_in: " + _("must be a manager here; standing in grants no role"))
        raise StandInError("stand_in: " + _("must be a reviewer or manager here; standing in grants no role"))


def _check_others(workspace: int, person: int, stand_in: int, starts: datetime, ends: datetime) -> None:
    """Against all that is planned for that time; the lock holds until the caller's transaction ends."""
    _lock(workspace)
    planned = list(Delegation.objects.filter(_ahead(starts), workspace_id=workspace, starts_at__lt=ends))
    if any(row.person_id == person for row in planned):
        raise StandInError("starts: " + _("this overlaps with another absence; end that one first"))
    if _leads_back(planned, stand_in, person, starts, ends):
        why = _("this person is away in that time, and it would come back to who is out")
        raise StandInError("stand_in: " + why)


def _leads_back(rows: Sequence[Delegation], at: int, to: int, starts: datetime, ends: datetime) -> bool:
    """Whether the chain from `at` reaches `to` at any moment of a time."""
    for row in rows:
        begins, stops = max(starts, row.starts_at), min(ends, row.ends_at)
        if row.person_id != at or begins >= stops:
            continue
        if row.stand_in_id == to or _leads_back(rows, row.stand_in_id, to, begins, stops):
            return True
    return False


def _record(row: Delegation, actor: int, now: datetime, body: dict[str, str], personal: dict[str, str]) -> None:
    log.record(
        workspace=row.workspace_id, subject=f"delegation:{row.pk}", event=Event.DELEGATION_SET, now=now,
        actor=f"person:{actor}", body={"person": row.person_id, "stand_in": row.stand_in_id, **body},
        personal={name: value for name, value in personal.items() if value},
    )  # fmt: skip
