"""When work is due, which marks its time has passed, and what ends at its breach. Pure.

Every length here is working time of the workspace, but `LINGERS`, which is days of the calendar. A breach never
approves anything.
"""

from datetime import UTC, datetime, timedelta

from portal.worktime import Hours

# How long a proposal of a tier, or what a person must do by hand, may wait for somebody.
DUE = {"high": timedelta(hours=4), "medium": timedelta(hours=8), "low": timedelta(hours=24)}
HANDOFF_DUE = timedelta(hours=8)
# Per cent of its time: its holder may be changed, its managers are called, it is in breach.
MARKS = (50, 75, 100)
# At its breach a proposal expires and a person gets the matter. Nobody waits for these, or for an undo: they
# expire so long after their breach, and nobody is called.
NOBODY_WAITS = frozenset({"contact.update", "contact.merge"})
LINGERS = timedelta(days=7)
# Hours may be set anew: what is open is looked at again at least so often.
LOOK_AGAIN = timedelta(hours=1)


def urgency(hours: Hours, now: datetime, length: timedelta) -> int:
    """The due time of what may wait so long, as the queue keeps it: whole seconds since 1970."""
    return int(hours.after(now, length).timestamp())


def again(hours: Hours, now: datetime, length: timedelta, created: datetime, waiting: datetime | None) -> int:
    """The due time of what has its whole time again.

    The clocks of its case may stand since `waiting`: what it waits is added once they go on, counted from there or from
    when it was `created`; so its time begins there.
    """
    return urgency(hours, max(waiting, created) if waiting else now, length)


def moment(seconds: int) -> datetime:
    """The due time (UTC) behind an urgency."""
    return datetime.fromtimestamp(seconds, UTC)


def allotted(hours: Hours, created: datetime, due: datetime, usual: timedelta) -> timedelta:
    """The time an item has in all, without what it was paused: the usual one, less where its due time was fixed so."""
    own = hours.between(created, due)
    return min(own, usual) if own > timedelta() else usual


def reached(hours: Hours, now: datetime, due: datetime, length: timedelta) -> tuple[int, ...]:
    """The marks that an item of so much time has passed, in order."""
    left = hours.between(now, due)
    return tuple(percent for percent in MARKS if now >= due or (percent < 100 and left <= _left_at(percent, length)))


def next_mark(hours: Hours, now: datetime, due: datetime, length: timedelta) -> datetime | None:
    """When the next mark will be passed, if nothing changes; None behind the last."""
    if now >= due:
        return None
    left = hours.between(now, due)
    ahead = [left - _left_at(percent, length) for percent in MARKS if percent < 100]
    later = [hours.after(now, one) for one in ahead if one > timedelta()]
    return min([*later, due])


def _left_at(percent: int, length: timedelta) -> timedelta:
    return length * (100 - percent) / 100


def expires_at(due: datetime, *, action: str, is_undo: bool) -> datetime:
    """When a proposal that nobody decided ends."""
    return due if waited_for(action=action, is_undo=is_undo) else due + LINGERS


def waited_for(*, action: str, is_undo: bool) -> bool:
    """Whether somebody waits for it, so that a person must get the matter when it expires."""
    return not is_undo and action not in NOBODY_WAITS
