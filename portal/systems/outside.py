"""The protocol in front of systems that are not our own: what they promise, one call, one look-up, one status.

A call never raises anything but an `OutsideError`; which one it is says what may be done next. What a system
promises is declared per operation, and a system that leaves a promise out is not registered. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal, Protocol
from uuid import UUID

from portal.systems.base import Reversibility

Operation = Literal["refund", "reply", "update_ticket", "update_contact", "merge_contacts", "split_contacts"]
Settled = Literal["", "pending", "settled", "bounced"]


class OutsideError(Exception):
    """Base of what a call can end in instead of an answer; the message is for the page and the log."""


class Refused(OutsideError):
    """The system said no and nothing happened; trying again would not help."""


class NotSent(OutsideError):
    """Nothing happened and it may be tried again after `retry_seconds`: no connection, or told to wait."""

    def __init__(self, message: str, *, retry_seconds: float = 5.0) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class Lost(OutsideError):
    """It was sent and nobody knows what became of it. `stored`: the other side answered with a failure that it may
    replay under the same key, so that it must be looked up before anything else.
    """

    def __init__(self, message: str, *, stored: bool = False) -> None:
        super().__init__(message)
        self.stored = stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a system promises about one operation; all must be said.

    `idempotency`: how long the same key has one effect, None where keys mean nothing. `look_up`: whether it can be
    found by our reference; `settling`: how long after a call an absence proves that it never happened.
    """

    reversibility: Reversibility
    idempotency: timedelta | None
    look_up: bool
    settling: timedelta
    read_seconds: float
    calls_per_second: float


@dataclass(frozen=True, slots=True)
class Sending:
    """One outward effect: the same key and the same body at every attempt. Money in minor units."""

    key: UUID
    operation: Operation
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the system says of one effect; `evidence` holds no secret and no personal data."""

    outside_id: str
    settled: Settled = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)


class Outside(Protocol):
    """One workspace's account at a system."""

    name: ClassVar[str]

    @property
    def capabilities(self) -> Mapping[str, Capabilities]:
        """What is promised about each operation; for this account it may be less than the class declares."""
        ...

    def send(self, sending: Sending) -> Answer:
        """Make the effect, once per key.

        Raises:
            Refused, NotSent, Lost.
        """
        ...

    def find(self, sending: Sending) -> Answer | None:
        """What became of an effect, by our reference; None where the system has never heard of it.

        Raises:
            Lost: nobody can say now. Never Refused or NotSent, which would be read as news of the effect.
        """
        ...

    def status(self, sending: Sending, outside_id: str) -> Settled:
        """Where the money stands by now; "" where the system does not tell.

        Raises:
            Lost: nobody can say now.
        """
        ...
