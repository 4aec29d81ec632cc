"""What a log line holds: a message on one line, a traceback below it, and nobody's personal data in either.

Names cannot be known here: what is logged quotes no record. The rest is recognised by form.
"""

import logging
import re

from audit import redaction

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Scrubbed(logging.Formatter):
    """Time, level, logger and the message as a Python literal; a traceback indented, so that it forges no line."""

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname} {name} {message}", style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, its message scrubbed and quoted."""
        record.message = repr(redaction.scrub(record.message))
        return super().formatMessage(record)

    def formatException(self, ei: "logging._SysExcInfoType") -> str:
        """The traceback: an error may quote the value that broke it."""
        lines = redaction.scrub(super().formatException(ei)).split("\n")
        return "\n".join("    " + _CONTROL.sub(lambda c: ascii(c.group())[1:-1], line) for line in lines)
