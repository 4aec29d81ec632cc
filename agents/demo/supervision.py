"""Keeps an installation of one machine up, as a service manager would: servers and processes that died start again.

Bounded: what ends again and again is given up, and the message says where its output lies.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import Error, connection

from agents.demo.processes import ProcessError, Processes
from portal import outage
from portal.stack import Stack, StackError

EVERY_SECONDS = 0.5
# A server that does not start is tried this often, with growing pauses of at most so many seconds.
TRIES, LONGEST_PAUSE = 30, 5.0
PATIENCE_SECONDS = 60
T = TypeVar("T")


class Supervisor:
    """A thread that looks twice a second. `servers` is None where they are somebody else's."""

    def __init__(self, processes: Processes, servers: Stack | None, say: Callable[[str], None]) -> None:
        self._processes, self._servers, self._say = processes, servers, say
        self._failures = 0
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self.given_up: Exception | None = None

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; call it before anything is ended on purpose."""
        self._ends.set()
        if self._thread.is_alive():
            self._thread.join()

    def check(self) -> None:
        """Raise ProcessError when something could not be kept up."""
        if self.given_up is not None:
            raise ProcessError(str(self.given_up))

    def patiently(self, act: Callable[[], T]) -> T:
        """Do something with the database; where it is away wait until it is back, a minute at most."""
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return act()
            except Error as error:
                if not outage.is_outage(error):
                    raise
                connection.close()
                self.check()
                if time.monotonic() > until:
                    raise
                time.sleep(EVERY_SECONDS)

    def _run(self) -> None:
        while not self._ends.wait(min(LONGEST_PAUSE, EVERY_SECONDS * 2**self._failures)) and self.given_up is None:
            try:
                for name in [*(self._servers.revive() if self._servers else []), *self._processes.revive()]:
                    self._say(f"{name} had ended and was started again")
                self._failures = 0
            except ProcessError as error:
                self.given_up = error
            except StackError as error:
                self._failures += 1
                self._say(f"could not be started again: {error}")
                self.given_up = error if self._failures >= TRIES else None
