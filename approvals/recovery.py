"""What may be done after a call to an outside system whose outcome nobody knows. Pure.

The rule of the design: nothing is sent again without a guarantee of the other side that it cannot happen twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.systems.outside import Capabilities

ATTEMPTS = 3
# A key is trusted until this share of its lifetime is over: clocks differ, and forgetting may begin early.
KEY_SHARE = 0.9


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
        return _ask(promise, "the system answered with a failure that it may replay")
    if not _key_holds(promise, calls, now):
        return _ask(promise, "its key is not safe any more" if promise.idempotency else "it knows no keys")
    if len(calls) >= ATTEMPTS:
        return _ask(promise, f"{ATTEMPTS} attempts were lost")
    return Plan(Step.SEND_AGAIN, "the same key and bytes have one effect")


def after_absence(promise: Capabilities, calls: Sequence[Call], now: datetime) -> Plan:
    """What to do when the system has never heard of it: only after its settling time is that a proof."""
    settled = max(call.sent_at for call in calls) + promise.settling
    if now < settled:
        return Plan(Step.WAIT, "an absence proves nothing yet", settled)
    if any(call.stored for call in calls):
        return Plan(Step.FAIL, "the system failed and holds nothing of it")
    if len(calls) >= ATTEMPTS:
        return Plan(Step.FAIL, f"nothing of it is there after {ATTEMPTS} attempts")
    return Plan(Step.SEND_AGAIN, "nothing of it is there")


def after_not_sent(calls: Sequence[Call], retry_seconds: float, now: datetime) -> Plan:
    """What to do when nothing left the house: the same again a little later, three times in all.

    An earlier call may have reached the system all the same: then its outcome is asked for first.
    """
    if len(calls) < ATTEMPTS:
        return Plan(Step.WAIT, "nothing was sent", now + timedelta(seconds=retry_seconds))
    if any(call.reached for call in calls):
        return Plan(Step.LOOK_UP, "an earlier attempt may have reached it")
    return Plan(Step.FAIL, f"nothing could be sent in {ATTEMPTS} attempts")


def _ask(promise: Capabilities, because: str) -> Plan:
    if promise.look_up:
        return Plan(Step.LOOK_UP, because)
    return Plan(Step.UNKNOWN, because)


def _key_holds(promise: Capabilities, calls: Sequence[Call], now: datetime) -> bool:
    if promise.idempotency is None:
        return False
    return now < min(call.sent_at for call in calls) + promise.idempotency * KEY_SHARE
