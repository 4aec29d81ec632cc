"""What a log line holds: a message on one line, a traceback below it, and nobody's personal data in either.

Numbers, addresses and keys are recognised by form; names only of who a piece of work is about, where it says so.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from audit import redaction
from audit.recognisers import Known

_about: ContextVar[tuple[Known, ...]] = ContextVar("about", default=())

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@contextmanager
def about(known: Sequence[Known]) -> Iterator[None]:
    """What is logged meanwhile loses these values too."""
    token = _about.set(tuple(known))
    try:
        yield
    finally:
        _about.reset(token)


class Scrubbed(logging.Formatter):
    """Time, level, logger and the message as a Python literal; a traceback indented, so that it forges no line."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, its message scrubbed and quoted."""
        record.message = repr(redaction.scrub(record.message, _about.get()))
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:
        """The traceback: an error may quote the value that broke it."""
        lines = redaction.scrub(super().formatException(ei), _about.get()).split("\n")
        return "\n".join("    " + _CONTROL.sub(lambda c: ascii(c.group())[1:-1], line) for line in lines)
