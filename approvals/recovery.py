"""What may be done after a call to an outside system whose outcome nobody knows. Pure.

The rule of the design: nothing is sent again without a guarantee of the other side that it cannot happen twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.retold import kept
from portal.systems.outside import Capabilities

ATTEMPTS = 3
# A key is trusted until this share of its lifetime is over: clocks differ, and forgetting may begin early.
KEY_SHARE = 0.9

# Why, as it is kept.
REPLAYS = kept("the system answered with a failure that it may replay")
KEY_UNSAFE, NO_KEYS = kept("its key is not safe any more"), kept("it knows no keys")
ATTEMPTS_LOST = kept("%(count)s attempts were lost")
ONE_EFFECT = kept("the same key and bytes have one effect")
NO_PROOF = kept("an absence proves nothing yet")
HOLDS_NOTHING = kept("the system failed and holds nothing of it")
NOT_THERE_AFTER = kept("nothing of it is there after %(count)s attempts")
NOT_THERE = kept("nothing of it is there")
NOTHING_SENT = kept("nothing was sent")
MAY_HAVE_REACHED = kept("an earlier attempt may have reached it")
COULD_NOT_SEND = kept("nothing could be sent in %(count)s attempts")


class Step(StrEnum):
    """The next step; `WAIT` asks again at `Plan.at`."""

    SEND_AGAIN = "send_again"
    LOOK_UP = "look_up"
    WAIT = "wait"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Call:
    """One attempt: `reached` is False where nothing left the house; `stored` where a failure may be replayed."""

    sent_at: datetime
    reached: bool
    stored: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A step and the reason for it, in words."""

    step: Step
    because: str
    at: datetime | None = None


def after_loss(promise: Capabilities, calls: Sequence[Call], now: datetime) -> Plan:
    """What to do when the last of `calls`, oldest first, was lost."""
    if any(call.stored for call in calls):
        return _ask(promise, REPLAYS)
    if not _key_holds(promise, calls, now):
        return _ask(promise, KEY_UNSAFE if promise.idempotency else NO_KEYS)
    if len(calls) >= ATTEMPTS:
        return _ask(promise, ATTEMPTS_LOST % {"count": ATTEMPTS})
    return Plan(Step.SEND_AGAIN, ONE_EFFECT)


def after_absence(promise: Capabilities, calls: Sequence[Call], now: datetime) -> Plan:
    """What to do when the system has never heard of it: only after its settling time is that a proof."""
    settled = max(call.sent_at for call in calls) + promise.settling
    if now < settled:
        return Plan(Step.WAIT, NO_PROOF, settled)
    if any(call.stored for call in calls):
        return Plan(Step.FAIL, HOLDS_NOTHING)
    if len(calls) >= ATTEMPTS:
        return Plan(Step.FAIL, NOT_THERE_AFTER % {"count": ATTEMPTS})
    return Plan(Step.SEND_AGAIN, NOT_THERE)


def after_not_sent(calls: Sequence[Call], retry_seconds: float, now: datetime) -> Plan:
    """What to do when nothing left the house: the same again a little later, three times in all.

    An earlier call may have reached the system all the same: then its outcome is asked for first.
    """
    if len(calls) < ATTEMPTS:
        return Plan(Step.WAIT, NOTHING_SENT, now + timedelta(seconds=retry_seconds))
    if any(call.reached for call in calls):
        return Plan(Step.LOOK_UP, MAY_HAVE_REACHED)
    return Plan(Step.FAIL, COULD_NOT_SEND % {"count": ATTEMPTS})


def _ask(promise: Capabilities, because: str) -> Plan:
    if promise.look_up:
        return Plan(Step.LOOK_UP, because)
    return Plan(Step.UNKNOWN, because)


def _key_holds(promise: Capabilities, calls: Sequence[Call], now: datetime) -> bool:
    if promise.idempotency is None:
        return False
    return now < min(call.sent_at for call in calls) + promise.idempotency * KEY_SHARE
