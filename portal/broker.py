"""Messages to workers, which only say "look at the table": one short try, and nobody waits for a broker that is away.

Also what a worker does with one before its task runs: a message of a newer version goes back to the queue for a
newer worker; work that the database broke off is left to its outbox row.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import celery
from celery.exceptions import Reject
from django.db import Error as DjangoDatabaseError
from kombu import pools
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from portal import outage
from portal.circuit import Circuit

# What a message means; a worker gives back what was written by a newer version.
VERSION = 1
SOCKET_SECONDS = 0.3
AWAY_SECONDS = 2.0
GIVEN_BACK_SECONDS = 1.0
MARK_MILLISECONDS = 1_000
# One try to connect and one to send: kombu would go on trying for as long as a page may take.
_SHORT = {
    "socket_timeout": SOCKET_SECONDS, "socket_connect_timeout": SOCKET_SECONDS, "connect_retries_timeout": 0.1,
    "interval_start": 0, "interval_step": 0,
}  # fmt: skip
_circuit = Circuit(AWAY_SECONDS)
logger = logging.getLogger(__name__)


def publish(task: str, args: Sequence[int], *, queue: str, headers: Mapping[str, Any], mark: str = "") -> bool:
    """Send one message; False where the broker is away, and then nobody tries again for two seconds.

    With a `mark` it is sent only where none of the same mark is under way or worked (`hold`, `let_go`); the mark lies
    beside the messages, and ends with them or after a second.
    """
    app = celery.current_app

    def send(producer: Any) -> None:
        if not mark or _marks(producer).set(mark, 1, nx=True, px=MARK_MILLISECONDS):
            app.send_task(
                task, args=list(args), queue=queue, retry=False, headers={**headers, "v": VERSION}, producer=producer
            )

    return _with_producer(app, send)


def hold(mark: str) -> None:
    """A worker is at it and will look again: for a second no message of this mark is worth sending."""
    _with_producer(celery.current_app, lambda producer: _marks(producer).set(mark, 1, px=MARK_MILLISECONDS))


def let_go(mark: str) -> None:
    """What is committed from here on is worth a message again; a worker then looks for the last time."""
    _with_producer(celery.current_app, lambda producer: _marks(producer).delete(mark))


class _NoMarks:
    """For a broker that keeps nothing beside its messages: each is sent."""

    def set(self, *_: Any, **__: Any) -> bool:
        """As if there had been none."""
        return True

    def delete(self, *_: Any) -> None:
        """There is none."""


def _marks(producer: Any) -> Any:
    """The client of the Redis that the messages lie in."""
    return getattr(producer.channel, "client", None) or _NoMarks()


def _with_producer(app: celery.Celery, act: Callable[[Any], object]) -> bool:
    if not _circuit.closed:
        return False
    try:
        link = app.connection_for_write(transport_options=_SHORT)
        with pools.producers[link].acquire(block=True, timeout=SOCKET_SECONDS) as producer:
            act(producer)
    except (KombuError, RedisError, OSError) as error:
        _circuit.broke()
        logger.warning("the broker does not answer, the relay will say it again: %s", error)
        return False
    return True


class Task(celery.Task):  # type: ignore[misc]  # celery ships no types
    """A task whose message is of a version this worker knows; a deadlock's victim is done once more.

    `least_pause` are the seconds in which a worker does a periodic task once, however many messages waited for it:
    messages never expire by a clock, since the clocks of two machines differ.
    """

    least_pause = 0.0
    _began = float("-inf")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, unless it is for a newer worker, or was just done."""
        if int(self.request.get("v") or 1) > VERSION:
            time.sleep(GIVEN_BACK_SECONDS)  # the oldest worker must not turn in circles over it
            raise Reject(f"a message of version {self.request.get('v')}", requeue=True)
        if time.monotonic() - self._began < self.least_pause:
            return None
        self._began = time.monotonic()
        try:
            return outage.once_more(lambda: self.run(*args, **kwargs))
        except DjangoDatabaseError as error:
            if not outage.is_outage(error):
                raise
            logger.warning("%s was broken off, its row says it again: %s", self.name, error)
            return None
