"""Faults by order: each is armed for a number of requests and then over."""

import threading
from dataclasses import dataclass, field
from typing import Any

# What may be ordered, with its options and their defaults.
MODES: dict[str, dict[str, Any]] = {
    "slow": {"seconds": 2.0},  # waits, then does all as ever
    "error_after_effect": {},  # the effect is made; a 500 is stored and replayed
    "error_before_effect": {},  # no effect; a 500 is stored and replayed
    "unavailable": {},  # 503, nothing made and nothing stored
    "drop_after_effect": {},  # the effect and its good answer are stored; the connection is cut
    "drop_before_effect": {},  # the connection is cut, nothing was done
    "timeout_after_effect": {"seconds": 30.0},  # as drop_after_effect, but silent instead of cut
    "conflict": {},  # 409 as if the same key were in progress
    "busy": {"retry_after": "1"},  # 429; retry_after is what stands in the header
    "malformed": {},  # the effect is made; 200 with half a JSON
    "oversized": {"bytes": 3_000_000},  # the effect is made; 200 with more than anybody asked for
    "redirect": {"location": "http://169.254.169.254/latest/meta-data/"},  # 302, nothing done
    "drip": {"seconds": 0.5},  # the effect is made; one byte of the body at a time
    "drip_headers": {"seconds": 0.5},  # the effect is made; one header at a time, without an end
}
FOUND, SENT = "find", "send"


@dataclass
class Fault:
    """One order; `on` is `send` (an effect is asked for) or `find` (any reading)."""

    mode: str
    times: int
    on: str
    options: dict[str, Any]


@dataclass
class Faults:
    """The orders that stand, oldest first."""

    orders: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, mode: str, times: int = 1, on: str = SENT, **options: Any) -> None:
        """Arm a fault.

        Raises:
            ValueError: there is no such mode, option or place.
        """
        if mode not in MODES or on not in (SENT, FOUND) or set(options) - set(MODES[mode]):
            raise ValueError(f"no such fault: {mode} on {on} with {options}; there are {MODES}")
        with self.lock:
            self.orders.append(Fault(mode, times, on, {**MODES[mode], **options}))

    def next(self, on: str) -> Fault | None:
        """Take one turn of the oldest order for this place."""
        with self.lock:
            for fault in self.orders:
                if fault.on == on and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def clear(self) -> None:
        """None stands any more."""
        with self.lock:
            self.orders.clear()
