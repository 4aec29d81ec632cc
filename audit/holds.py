"""Legal holds: while one stands, nothing of whom it is about is erased and retention leaves it alone. Insert-only.

A subject is named by its row (`customer:12`, `contact:5`), never by a value; "" is the whole workspace.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import dateformat
from django.utils.translation import gettext as _

from audit import log
from audit.events import Event
from audit.models import Hold

LONGEST = 300


class HoldError(Exception):
    """Base of what a hold refuses; the message names the field."""


class AlreadySo(HoldError):
    """It stands already, or there is none to lift."""


class OnHold(HoldError):
    """A hold keeps what would be taken away."""


def place(*, workspace: int, about: str, reason: str, actor: str, now: datetime) -> Hold:
    """Nothing about the subject is taken away from now on.

    Raises:
        AlreadySo, HoldError.
    """
    return _set(workspace, about, placed=True, reason=reason, actor=actor, now=now)


def lift(*, workspace: int, about: str, reason: str, actor: str, now: datetime) -> Hold:
    """End it.

    Raises:
        AlreadySo, HoldError.
    """
    return _set(workspace, about, placed=False, reason=reason, actor=actor, now=now)


def standing(workspace: int) -> list[Hold]:
    """Those in force, newest first."""
    newest: dict[str, Hold] = {}
    for row in Hold.objects.filter(workspace_id=workspace).order_by("about", "-pk").distinct("about"):
        newest[row.about] = row
    return sorted((row for row in newest.values() if row.placed), key=lambda row: -row.pk)


def refuse(workspace: int, abouts: Collection[str]) -> None:
    """Stop where any of the subjects is on hold, or everything is.

    Raises:
        OnHold: saying since when.
    """
    for row in standing(workspace):
        if row.about in ("", *abouts):
            what = row.about or _("everything in this workspace")
            words = _("A legal hold on %(what)s stands since %(day)s; an admin lifts it first.")
            raise OnHold(words % {"what": what, "day": dateformat.format(row.created_at, _("d M Y"))})


def _set(workspace: int, about: str, *, placed: bool, reason: str, actor: str, now: datetime) -> Hold:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        words = _("reason: say why, in at most %(most)s characters and without naming the person")
        raise HoldError(words % {"most": LONGEST})
    if placed == any(row.about == about for row in standing(workspace)):
        raise AlreadySo(_("subject: on hold already") if placed else _("subject: there is no hold to lift"))
    with transaction.atomic():
        log.attribute(f"hold:{about}")
        row = Hold.objects.create(
            workspace_id=workspace, about=about, placed=placed, reason=reason, made_by=actor, created_at=now
        )
        log.record(
            workspace=workspace, subject=f"hold:{about or 'all'}", actor=actor, now=now,
            event=Event.HOLD_PLACED if placed else Event.HOLD_LIFTED, body={"about": about or "all"},
            personal={"reason": reason},
        )  # fmt: skip
    return row
