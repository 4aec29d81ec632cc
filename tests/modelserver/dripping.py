"""Stands before a server and lets its answer through one byte at a time, each in time for any read time-out."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

PAUSE_SECONDS = 0.3


class Dripping:
    """A relay on a port of 127.0.0.1; each connection carries one request."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._ends = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.2)
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> "Dripping":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ends.set()
        self._thread.join()
        self._listening.close()

    def _serve(self) -> None:
        while not self._ends.is_set():
            try:
                caller, _ = self._listening.accept()
            except TimeoutError:
                continue
            with caller, socket.create_connection(("127.0.0.1", self._to)) as server:
                self._relay(caller, server)

    def _relay(self, caller: socket.socket, server: socket.socket) -> None:
        caller.settimeout(PAUSE_SECONDS)
        server.settimeout(PAUSE_SECONDS)
        while not self._ends.is_set():
            try:
                if not (more := caller.recv(1_000_000)):
                    return
                server.sendall(more)
            except TimeoutError:
                pass
            except OSError:
                return
            with suppress(TimeoutError):
                caller.sendall(server.recv(1))
