"""How fast a part's system is called, over all workers: one conditional UPDATE gives the next turn, in the database.

Runs as apply, each in a short transaction of its own. Refuses to wait longer than two seconds, or inside a
transaction, whose locks would be held through a call.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.db import Error, connection

from portal import workspace as inside
from portal.retold import kept
from portal.systems.outside import NotSent

PATIENCE_SECONDS = 2.0
logger = logging.getLogger(__name__)

_TURN = """
    INSERT INTO portal_pace AS pace (workspace_id, part, next_at)
    VALUES (%(workspace)s, %(part)s, clock_timestamp() + %(step)s * interval '1 second')
    ON CONFLICT (workspace_id, part) DO UPDATE
    SET next_at = greatest(pace.next_at, clock_timestamp()) + %(step)s * interval '1 second'
    WHERE pace.next_at <= clock_timestamp() + %(patience)s * interval '1 second'
    RETURNING next_at - %(step)s * interval '1 second', clock_timestamp()
"""
_REST = """
    INSERT INTO portal_pace AS pace (workspace_id, part, next_at)
    VALUES (%(workspace)s, %(part)s, clock_timestamp() + %(seconds)s * interval '1 second')
    ON CONFLICT (workspace_id, part) DO UPDATE SET next_at = greatest(pace.next_at, excluded.next_at)
"""
_NEXT = """
    SELECT extract(epoch FROM next_at - clock_timestamp())::float FROM portal_pace
    WHERE workspace_id = %(workspace)s AND part = %(part)s
"""

# How a call can end, kept in English beside it.
NO_TURN = kept("no turn could be taken (%(error)s)")
TOO_OFTEN = kept("%(part)s is called as often as its system allows")


class CalledInTransaction(RuntimeError):
    """A call to an outside system was about to be made with a transaction open: a mistake of the program."""


@dataclass(frozen=True, slots=True)
class SharedPace:
    """At most `calls_per_second` calls a second for one workspace's part."""

    workspace: int
    part: str
    calls_per_second: float

    def turn(self) -> datetime:
        """Take the next turn and wait for it; returns the database's clock at that moment.

        Raises:
            NotSent: it would be more than two seconds away, or the database does not answer.
            CalledInTransaction.
        """
        if connection.in_atomic_block:
            raise CalledInTransaction("call outside systems between transactions, not inside one")
        try:
            at, now = self._take()
        except Error as error:
            raise NotSent(NO_TURN % {"error": type(error).__name__}) from error
        time.sleep(max(0.0, (at - now).total_seconds()))
        return max(at, now)

    def rest(self, seconds: float) -> None:
        """No turn for anybody before `seconds` are over."""
        try:
            with inside.within(self.workspace), connection.cursor() as cursor:
                cursor.execute(_REST, {"workspace": self.workspace, "part": self.part, "seconds": seconds})
        except Error:  # the caller is told to wait all the same
            logger.exception("the pause of %s s that %s asked for is not shared", seconds, self.part)

    def _take(self) -> tuple[datetime, datetime]:
        values: dict[str, int | str | float] = {
            "workspace": self.workspace, "part": self.part, "step": 1 / self.calls_per_second,
            "patience": PATIENCE_SECONDS,
        }  # fmt: skip
        with inside.within(self.workspace), connection.cursor() as cursor:
            cursor.execute(_TURN, values)
            if row := cursor.fetchone():
                return row[0], row[1]
            cursor.execute(_NEXT, values)
            away = float(cursor.fetchone()[0])
        raise NotSent(TOO_OFTEN % {"part": self.part}, retry_seconds=max(1.0, away))
