"""Legal holds: while one stands, nothing of whom it is about is erased and retention leaves it alone. Insert-only.

A subject is named by its row (`customer:12`, `contact:5`), never by a value; "" is the whole workspace.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

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
            what = row.about or "everything in this workspace"
            raise OnHold(f"A legal hold on {what} stands since {row.created_at:%d %b %Y}; an admin lifts it first.")


def _set(workspace: int, about: str, *, placed: bool, reason: str, actor: str, now: datetime) -> Hold:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise HoldError(f"reason: say why, in at most {LONGEST} characters and without naming the person")
    if placed == any(row.about == about for row in standing(workspace)):
        raise AlreadySo(f"subject: {'on hold already' if placed else 'there is no hold to lift'}")
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
