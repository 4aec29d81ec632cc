"""Where money stands after it was sent: asked again and again until it settled; a late failure reopens the case."""

import time
from datetime import datetime, timedelta

from approvals import handoffs, sending
from approvals.models import Attempt
from audit import log
from audit.events import Event
from portal import workspace as inside
from portal.retold import kept
from portal.systems import connections, outside

# One sweep asks no longer than this; a call may take 25 s, a task 45.
BUDGET_SECONDS = 10.0
# A refund is followed for so long; the time between two looks doubles up to the longest.
LONGEST = timedelta(hours=6)
GIVE_UP = timedelta(days=30)
CAME_BACK = kept("%(what)s: it came back after it was sent. The customer does not have the money.")


def follow(*, workspace: int) -> int:
    """Ask for what is due, one after the other and outside of transactions; returns how many were asked about."""
    asked, end = 0, time.monotonic() + BUDGET_SECONDS
    while time.monotonic() < end and (attempt := _take(workspace)) is not None:
        asked += 1
        _ask(attempt)
    return asked


def _take(workspace: int) -> Attempt | None:
    """The one that is due longest; whoever else looks now finds it not due: one question each."""
    with inside.within(workspace) as now:
        due = Attempt.objects.select_for_update(skip_locked=True).filter(
            workspace_id=workspace, follow="pending", look_at__lte=now
        )
        attempt = due.order_by("look_at").first()
        if attempt is not None:
            Attempt.objects.filter(pk=attempt.pk).update(look_at=_next(attempt, now))
        return attempt


def _next(attempt: Attempt, now: datetime) -> datetime | None:
    """As long again as it has waited; None where nobody will ever know."""
    waited = now - attempt.sent_at
    return None if waited > GIVE_UP else now + min(LONGEST, max(sending.FOLLOW_FIRST, waited))


def _ask(attempt: Attempt) -> None:
    try:
        system = connections.open_outside(attempt.workspace_id, attempt.part)
        if system is None or system.name != attempt.system:
            return
        status = system.status(sending.sending_of(attempt), attempt.outside_id)
    except outside.OutsideError:
        return
    if status in ("settled", "bounced"):
        with inside.within(attempt.workspace_id) as now:
            _note(attempt, status, now=now)


def _note(attempt: Attempt, status: str, *, now: datetime) -> None:
    changed = Attempt.objects.filter(pk=attempt.pk, follow="pending").update(follow=status, look_at=None)
    if not changed:
        return
    row = attempt.proposal
    log.record(
        workspace=attempt.workspace_id, subject=f"attempt:{attempt.pk}", actor=sending.SYSTEM, now=now,
        event=Event.EFFECT_SETTLED if status == "settled" else Event.EFFECT_BOUNCED, case=f"case:{row.case_id}",
        trace_id=row.submission.trace_id, body={"proposal": row.pk, "outside_id": attempt.outside_id},
    )  # fmt: skip
    if status == "bounced":
        handoffs.open_for(
            row, reason="bounced", now=now, found={"outside_id": attempt.outside_id, "system": attempt.system},
            summary=CAME_BACK % {"what": row.summary},
        )  # fmt: skip
