"""Laying an open item aside until later, and calling a manager to it. Both stand at its place in the queue.

What is laid aside is so for everybody, never beyond its due time, and comes back by itself. Whoever decides may do
both, and end both; each is on the log.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from approvals import abouts, calling, claims, deadlines, matters
from approvals.actions.base import clean_text
from approvals.models import Claim, Handoff, Proposal
from audit import log
from audit.events import Event
from portal import retold, roles

LONGEST = 300


class AsideError(Exception):
    """Base of what is refused; the message names the field, or is for the person."""


class NotWaiting(AsideError):
    """Nothing of that name waits here, or somebody else has it in hand."""


class NotYours(AsideError):
    """Only reviewers and managers do this."""


class BadInput(AsideError):
    """The time or the reason cannot be taken; the message names the field."""


def place(*, workspace: int, item: str) -> Claim | None:
    """Where an open item stands, None once it has ended."""
    return Claim.objects.filter(workspace_id=workspace, item=item).exclude(proposer="").first()


def snooze(*, workspace: int, item: str, until: datetime, person: int, now: datetime) -> None:
    """Lay it aside until then; whoever has it in hand puts it back by that.

    Raises:
        NotWaiting, NotYours, BadInput.
    """
    row = _locked(workspace, item, person, now)
    if until <= now:
        raise BadInput(f"until: {_('choose a time that is still to come')}")
    if until > deadlines.moment(row.urgency):
        raise BadInput(f"until: {_('it is due before that; nothing is laid aside beyond its due time')}")
    _record(row, Event.ITEM_SNOOZED, person, now, {"until": until.isoformat()})
    Claim.objects.filter(pk=row.pk).update(snoozed_until=until, **claims.FREE)


def wake(*, workspace: int, item: str, person: int, now: datetime) -> None:
    """Bring it back before its time; nothing happens where it is back.

    Raises:
        NotWaiting, NotYours.
    """
    row = _locked(workspace, item, person, now)
    if row.snoozed_until is not None and row.snoozed_until > now:
        _record(row, Event.ITEM_WOKEN, person, now, {})
        Claim.objects.filter(pk=row.pk).update(snoozed_until=None)


def escalate(
    *, workspace: int, item: str, reason: str, person: int, now: datetime, matter: str = matters.UNCLEAR
) -> None:
    """Call a manager to it, in one's own words and by what it is a matter of; it comes back where it was laid aside.

    Raises:
        NotWaiting, NotYours, BadInput.
    """
    row = _locked(workspace, item, person, now)
    if matter not in matters.CHOSEN:
        raise BadInput(f"matter: {_('choose what it is a matter of')}")
    said = reason.strip()
    if not said:
        raise BadInput(f"why: {_('say why a manager should look at it')}")
    if len(said) > LONGEST:
        words = _("%(count)s characters; at most %(most)s are kept")
        raise BadInput(f"why: {words % {'count': len(said), 'most': LONGEST}}")
    try:
        said = clean_text(said)
    except ValueError as error:
        raise BadInput(f"why: {retold.say(str(error))}") from error
    _record(row, Event.ITEM_ESCALATED, person, now, {"matter": matter}, why=said)
    calling.call(workspace=workspace, text=said, item=item, person=person, now=now)
    Claim.objects.filter(pk=row.pk).update(escalated=said, matter=matter, snoozed_until=None)


def settle(*, workspace: int, item: str, person: int, now: datetime) -> None:
    """It needs no manager any more; nothing happens where none was called.

    Raises:
        NotWaiting, NotYours.
    """
    row = _locked(workspace, item, person, now)
    if row.escalated:
        _record(row, Event.ITEM_SETTLED, person, now, {})
        Claim.objects.filter(pk=row.pk).update(escalated="", matter="")


def _locked(workspace: int, item: str, person: int, now: datetime) -> Claim:
    if not roles.deciding(roles.of(person, workspace)):
        raise NotYours(_("Only reviewers and managers do this."))
    row = Claim.objects.select_for_update().filter(workspace_id=workspace, item=item).exclude(proposer="").first()
    if row is None:
        raise NotWaiting(_("This does not wait any more."))
    if row.person_id not in (None, person) and row.until is not None and row.until > now:
        raise NotWaiting(_("Somebody else has this in hand; ask them, or wait until the lease ends."))
    return row


def _record(row: Claim, event: Event, person: int, now: datetime, body: dict[str, str], *, why: str = "") -> None:
    kind, _colon, key = row.item.partition(":")
    models: dict[str, type[Proposal] | type[Handoff]] = {"proposal": Proposal, "handoff": Handoff}
    about = models[kind]._default_manager.select_related("case").get(workspace_id=row.workspace_id, pk=int(key))
    log.record(
        workspace=row.workspace_id, subject=f"claim:{row.item}", event=event, actor=f"person:{person}", now=now,
        case=f"case:{about.case_id}", body={"item": row.item, **body}, personal={"why": why} if why else None,
        about=abouts.of_case(about.case) if why else "",
    )  # fmt: skip
