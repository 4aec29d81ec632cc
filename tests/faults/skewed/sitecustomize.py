"""A wrong clock for a process of a fault test: on its path, this shifts what Python calls now by CLOCK_OFF seconds."""

import datetime
import os
import time

OFF = float(os.environ.get("CLOCK_OFF", "0"))
_time, _time_ns = time.time, time.time_ns
_real = datetime.datetime


class _Meta(type):
    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, _real)

    def __subclasscheck__(cls, other: type) -> bool:
        return issubclass(other, _real)


class Shifted(_real, metaclass=_Meta):
    """`datetime` with another idea of now."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
        return _real.now(tz) + datetime.timedelta(seconds=OFF)

    @classmethod
    def utcnow(cls) -> datetime.datetime:  # type: ignore[override]
        return _real.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(seconds=OFF)

    def __new__(cls, *args: object, **kwargs: object) -> datetime.datetime:  # type: ignore[misc]
        return _real(*args, **kwargs)  # type: ignore[arg-type]


if OFF:
    time.time = lambda: _time() + OFF
    time.time_ns = lambda: _time_ns() + int(OFF * 10**9)
    datetime.datetime = Shifted  # type: ignore[misc]
