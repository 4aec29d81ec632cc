"""The clocks of open items: marks at 50, 75 and 100 per cent of their time, each said once, and expiry.

Every open item has a timer. A sweep takes those that are due, by their index: what it costs does not grow with the
queue but with what is due. Items are locked while they are looked at, and one that somebody else holds is left for the
next sweep: two sweepers at once, or one after hours of silence, say and do each thing once, in order.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction

from approvals import claims, deadlines, expiry, following
from approvals.models import Case, Claim, Handoff, Mark, Proposal, Timer
from audit import log, watch
from audit.events import Event
from portal import hours as working
from portal import standing_in
from portal import workspace as inside
from portal.worktime import Hours

logger = logging.getLogger(__name__)

# Looked at in one transaction, and said or ended in it: who decides waits for an item no longer than that takes.
BATCH, ACTS = 200, 25
# At most so many transactions a sweep and workspace: what is left is due in the next one, ten seconds later.
MOST_BATCHES = 20
# What cannot be looked at, because of a fault of ours, does not hold up the others.
AFTER_FAULT = timedelta(minutes=10)
Item = Proposal | Handoff


@dataclass(frozen=True, slots=True)
class Batch:
    """What one transaction knows: marks said (item, due, per cent), cases that wait, who holds, what it did."""

    now: datetime
    hours: Hours
    said: frozenset[tuple[str, int, int]]
    waiting: frozenset[int]
    held: Mapping[str, int]
    acted: set[str] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)


def due_in() -> list[int]:
    """Workspaces with a clock, a lease, an absence, money or a stray write to look at."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT workspace FROM approvals_to_sweep()")
        return [row[0] for row in cursor.fetchall()]


def visit(workspace: int) -> None:
    """All there is to look at in one workspace: stray writes, leases, absences, clocks, money on its way."""
    with inside.within(workspace) as now:
        watch.report(workspace=workspace, now=now)
        claims.free_expired(workspace=workspace, now=now)
        put_back_absent(workspace=workspace, now=now)
    sweep(workspace=workspace)
    following.follow(workspace=workspace)


def sweep(*, workspace: int) -> int:
    """Look at what is due, in short transactions; returns how many items were looked at."""
    looked = 0
    for _ in range(MOST_BATCHES):
        with inside.within(workspace) as now:
            done = look(workspace=workspace, now=now)
        looked += done
        if not done:
            break
    return looked


def put_back_absent(*, workspace: int, now: datetime) -> int:
    """Who is out of office has nothing in hand; returns how many items are free again."""
    away = standing_in.out(workspace=workspace, now=now)
    held = Claim.objects.filter(workspace_id=workspace, person_id__in=away).exclude(proposer="")
    return held.update(**claims.FREE) if away else 0


def look(*, workspace: int, now: datetime) -> int:
    """One batch, in the caller's transaction; returns how many of the items that are due nobody else held."""
    timers = Timer.objects.filter(workspace_id=workspace, look_at__lte=now).order_by("look_at", "pk")
    names = list(timers.values_list("item", flat=True)[:BATCH])
    items = _locked(workspace, names)
    batch = Batch(
        now, working.of(workspace), _said(workspace, items), _waiting(workspace, items), _held(workspace, items, now)
    )
    looks: dict[str, datetime | None] = {}
    for item in items:
        if len(batch.acted) < ACTS:
            looks[name_of(item)] = _safely(item, batch)
    _set_timers(workspace, looks)
    return len(looks)


def _locked(workspace: int, names: Sequence[str]) -> list[Item]:
    """The open items of these names that nobody else holds, the earliest due first."""
    keys = {kind: [int(n.partition(":")[2]) for n in names if n.startswith(kind)] for kind in ("proposal", "handoff")}
    proposed = Proposal.objects.select_for_update(skip_locked=True).filter(
        workspace_id=workspace, pk__in=keys["proposal"], state__in=expiry.WAITING
    )
    handed = Handoff.objects.select_for_update(skip_locked=True).filter(
        workspace_id=workspace, pk__in=keys["handoff"], state="open"
    )
    return sorted([*proposed, *handed], key=lambda item: (item.urgency, item.pk))


def name_of(item: Item) -> str:
    """Its name in the queue."""
    return f"{'handoff' if isinstance(item, Handoff) else 'proposal'}:{item.pk}"


def _said(workspace: int, items: Sequence[Item]) -> frozenset[tuple[str, int, int]]:
    rows = Mark.objects.filter(workspace_id=workspace, item__in=[name_of(item) for item in items])
    return frozenset(rows.values_list("item", "due", "percent"))


def _waiting(workspace: int, items: Sequence[Item]) -> frozenset[int]:
    rows = Case.objects.filter(workspace_id=workspace, pk__in={item.case_id for item in items})
    return frozenset(rows.exclude(waiting_since=None).values_list("pk", flat=True))


def _held(workspace: int, items: Sequence[Item], now: datetime) -> dict[str, int]:
    """Who has which of them in hand: what ends with its time is in nobody's any more."""
    rows = Claim.objects.filter(workspace_id=workspace, item__in=[name_of(item) for item in items], until__gt=now)
    return {item: person for item, person in rows.values_list("item", "person_id") if person}


def _safely(item: Item, batch: Batch) -> datetime | None:
    """Do what an item's time asks for; when to look again, None for not before it changes."""
    try:
        with transaction.atomic():
            return _act(item, batch)
    except OperationalError:
        raise  # the database went away or chose a victim: the whole batch comes again
    except Exception:
        logger.exception("the time of %s cannot be looked at", name_of(item))
        return batch.now + AFTER_FAULT


def _act(item: Item, batch: Batch) -> datetime | None:
    proposed = isinstance(item, Proposal)
    if proposed and item.pk in batch.ended:
        return None
    if item.case_id in batch.waiting:
        return batch.now + deadlines.LOOK_AGAIN
    due, length, name = deadlines.moment(item.urgency), time_of(item, batch.hours), name_of(item)
    for percent in deadlines.reached(batch.hours, batch.now, due, length) if length else ():
        if (name, item.urgency, percent) not in batch.said:
            _say(item, percent, batch)
            batch.acted.add(name)
    if isinstance(item, Proposal) and expiry.may_end(item, now=batch.now):
        batch.ended.update(one.pk for one in expiry.expire(item, now=batch.now))
        batch.acted.add(name)
        return None
    return _next(item, batch, due, length)


def time_of(item: Item, hours: Hours) -> timedelta:
    """The working time an item has in all; none for what was due when it came, which is late and has no marks."""
    due = deadlines.moment(item.urgency)
    if isinstance(item, Proposal):
        return deadlines.allotted(hours, item.created_at, due, deadlines.DUE[item.tier])
    if due <= item.created_at:
        return timedelta()
    return deadlines.allotted(hours, item.created_at, due, deadlines.HANDOFF_DUE)


def _say(item: Item, percent: int, batch: Batch) -> None:
    mark = Mark.objects.create(
        workspace_id=item.workspace_id, item=name_of(item), percent=percent, due=item.urgency, reached_at=batch.now
    )
    log.record(
        workspace=item.workspace_id, subject=f"mark:{mark.pk}", version=1, event=Event.MARK_REACHED,
        actor=expiry.SYSTEM, now=batch.now, case=f"case:{item.case_id}",
        body={
            "item": mark.item, "percent": percent, "due": deadlines.moment(item.urgency).isoformat(),
            "holder": batch.held.get(mark.item),
        },
    )  # fmt: skip


def _next(item: Item, batch: Batch, due: datetime, length: timedelta) -> datetime | None:
    soon = batch.now + deadlines.LOOK_AGAIN
    mark = deadlines.next_mark(batch.hours, batch.now, due, length) if length else None
    if mark is not None:
        return min(mark, soon)
    if isinstance(item, Handoff):
        return None  # it is late, and stays until a person resolves it
    return max(min(expiry.ends_at(item), soon), batch.now + timedelta(minutes=1))


def _set_timers(workspace: int, looks: dict[str, datetime | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE approvals_timer t SET look_at = n.look_at FROM unnest(%s::text[], %s::timestamptz[]) AS n"
            " (item, look_at) WHERE t.workspace_id = %s AND t.item = n.item",
            [list(looks), list(looks.values()), workspace],
        )
