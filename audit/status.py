"""How the log stands, for the line at the foot of every page: its head, the age of that, the last verification."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

# The sealer signs every ten minutes even when nothing happens.
OLD = timedelta(minutes=15)
_NOW = """
    SELECT c.size, c.root, c.at, v.at, v.code, v.message
    FROM (VALUES (1)) AS one
    LEFT JOIN (SELECT size, root, at FROM audit_checkpoint ORDER BY id DESC LIMIT 1) AS c ON true
    LEFT JOIN (SELECT at, code, message FROM audit_verification ORDER BY id DESC LIMIT 1) AS v ON true
"""


@dataclass(frozen=True, slots=True)
class Status:
    """The newest checkpoint (`size` None where there is none) and what the last verification came to; times UTC."""

    size: int | None
    root: str
    sealed_at: datetime | None
    verified_at: datetime | None
    code: int
    message: str
    is_old: bool

    @property
    def is_bad(self) -> bool:
        """Whether somebody must look."""
        return self.is_old or self.code != 0


def now(clock: datetime) -> Status:
    """One statement; `clock` is the database's."""
    with connection.cursor() as cursor:
        cursor.execute(_NOW)
        size, root, sealed_at, verified_at, code, message = cursor.fetchone()
    is_old = sealed_at is None or clock - sealed_at > OLD
    head = base64.b64encode(root).decode() if root is not None else ""
    return Status(size, head, sealed_at, verified_at, code or 0, message or "", is_old)
