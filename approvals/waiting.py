"""While we wait for a customer, no clock of the case runs: no mark is reached and nothing expires.

A case pauses when a reply that asks something was sent, or by hand, and goes on with the customer's next message, or
by hand. What of working time passed meanwhile is added to the due times of its open items, in the `apply` process.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals import deadlines, expiry, outbox, proposals, sweeper
from approvals.models import Case, Handoff, Mark, Proposal, Receipt, Timer
from audit import log
from audit.events import Event
from audit.models import Entry
from portal import hours as working
from portal import workspace as inside
from portal.models import Message
from portal.retold import kept
from portal.worktime import Hours

WE_ASKED = kept("we asked")


class WaitingError(Exception):
    """Base of what pausing refuses; the message is for the person."""


class JustAnswered(WaitingError):
    """The case goes on this very moment."""


def pause(*, workspace: int, case: int, actor: str, now: datetime, because: str) -> Case:
    """Stop the clocks of a case from `now` on; one that waits already is left as it is.

    Raises:
        Case.DoesNotExist, JustAnswered.
    """
    row = _locked(workspace, case)
    if row.waiting_since is not None:
        if _resumed(row) is not None:
            raise JustAnswered(_("The customer has just answered; look again."))
        return row
    log.record(
        workspace=workspace, subject=f"case:{case}", event=Event.CASE_PAUSED, actor=actor, now=now,
        case=f"case:{case}", body={"because": because},
    )  # fmt: skip
    row.waiting_since = now
    row.save(update_fields=["waiting_since"])
    return row


def end(*, workspace: int, case: int, actor: str, now: datetime, because: str) -> None:
    """Say that a case no longer waits; the `apply` process moves its due times. One that does not wait is left.

    Raises:
        Case.DoesNotExist.
    """
    row = _locked(workspace, case)
    if row.waiting_since is None or _resumed(row) is not None:
        return
    entry = log.record(
        workspace=workspace, subject=f"case:{case}", event=Event.CASE_RESUMED, actor=actor, now=now,
        case=f"case:{case}", body={"because": because, "since": row.waiting_since.isoformat()},
    )  # fmt: skip
    outbox.put(workspace=workspace, task=proposals.RESUME, queue="apply", object_id=entry.pk, not_before=now, now=now)


def resume(*, workspace: int, entry: int) -> None:
    """Let the clocks of a case go on from the moment that the entry names. Safe to run twice."""
    with inside.within(workspace) as now:
        outbox.done(workspace=workspace, task=proposals.RESUME, object_id=entry)
        said = Entry.objects.get(workspace_id=workspace, pk=entry, event=Event.CASE_RESUMED)
        row = _locked(workspace, int(said.subject.removeprefix("case:")))
        last = _resumed(row)
        if row.waiting_since is None or last is None or last.pk != entry:
            return
        _go_on(row, row.waiting_since, said.at, now=now)


def begin(*, workspace: int, proposal: int) -> None:
    """Pause the case of a reply that was sent and asks something, unless the customer has written since."""
    with inside.within(workspace) as now:
        outbox.done(workspace=workspace, task=proposals.PAUSE, object_id=proposal)
        row = Proposal.objects.select_related("case", "submission").get(workspace_id=workspace, pk=proposal)
        sent = Receipt.objects.filter(workspace_id=workspace, proposal=row).first()
        if sent is None or not proposals.asks(row):
            return
        case = _locked(workspace, row.case_id)
        if case.waiting_since is not None and (said := _resumed(case)) is not None:
            _go_on(case, case.waiting_since, said.at, now=now)
        if not _written_since(case, sent.applied_at):
            pause(workspace=workspace, case=case.pk, actor=expiry.SYSTEM, now=sent.applied_at, because=WE_ASKED)


def _locked(workspace: int, case: int) -> Case:
    return Case.objects.select_for_update(no_key=True).get(workspace_id=workspace, pk=case)


def _resumed(row: Case) -> Entry | None:
    """The entry that ended the waiting, where it is the last word on a case."""
    last = Entry.objects.filter(
        workspace_id=row.workspace_id, subject=f"case:{row.pk}", event__in=[Event.CASE_PAUSED, Event.CASE_RESUMED]
    ).order_by("-version").first()  # fmt: skip
    return last if last is not None and last.event == Event.CASE_RESUMED else None


def _written_since(case: Case, moment: datetime) -> bool:
    ticket = case.subject.removeprefix("ticket:")
    return Message.objects.filter(
        workspace_id=case.workspace_id, ticket__ticket_id=ticket, sender="customer", created_at__gt=moment
    ).exists()


def _go_on(row: Case, since: datetime, until: datetime, *, now: datetime) -> None:
    """Move the due time of each open item by the working time it waited, and wake its timer."""
    hours = working.of(row.workspace_id)
    proposed = Proposal.objects.select_for_update().filter(
        workspace_id=row.workspace_id, case=row, state__in=expiry.WAITING
    )
    handed = Handoff.objects.select_for_update().filter(workspace_id=row.workspace_id, case=row, state="open")
    items: list[sweeper.Item] = [*proposed.order_by("pk"), *handed.order_by("pk")]
    for item in items:
        shift = hours.between(max(since, item.created_at), until)
        if shift > timedelta() and sweeper.time_of(item, hours):
            _move(item, hours, shift, now=now)
    names = [sweeper.name_of(item) for item in items]
    Timer.objects.filter(workspace_id=row.workspace_id, item__in=names).update(look_at=now)
    row.waiting_since = None
    row.save(update_fields=["waiting_since"])


def _move(item: sweeper.Item, hours: Hours, shift: timedelta, *, now: datetime) -> None:
    before = item.urgency
    after = deadlines.urgency(hours, deadlines.moment(before), shift)
    body = {"due": deadlines.moment(after).isoformat(), "waited_minutes": int(shift.total_seconds()) // 60}
    if isinstance(item, Proposal):
        proposals.transition(item, Event.PROPOSAL_RESCHEDULED, actor=expiry.SYSTEM, now=now, body=body, urgency=after)
    else:
        log.record(
            workspace=item.workspace_id, subject=f"handoff:{item.pk}", version=item.version + 1, now=now, body=body,
            event=Event.HANDOFF_RESCHEDULED, actor=expiry.SYSTEM, case=f"case:{item.case_id}",
        )  # fmt: skip
        item.version, item.urgency = item.version + 1, after
        item.save(update_fields=["version", "urgency"])
    _carry(item, before)


def _carry(item: sweeper.Item, before: int) -> None:
    """A mark that was said is not said again: the clock only stood still."""
    rows = Mark.objects.filter(workspace_id=item.workspace_id, item=sweeper.name_of(item), due=before)
    Mark.objects.bulk_create(
        Mark(
            workspace_id=row.workspace_id, item=row.item, percent=row.percent, due=item.urgency,
            reached_at=row.reached_at,
        )
        for row in rows
    )  # fmt: skip
