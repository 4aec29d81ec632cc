"""Servers that never end: one lets an answer through a byte at a time, one sends without end. Each byte in time."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

PAUSE_SECONDS = 0.3


class Endless:
    """Answers every request on a port of 127.0.0.1 with JSON that does not end."""

    def __init__(self) -> None:
        self._ends = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(0.2)
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
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
            with caller:
                self._answer(caller)

    def _answer(self, caller: socket.socket) -> None:
        caller.recv(1_000_000)
        piece = b"4000\r\n" + b" " * 0x4000 + b"\r\n"
        with suppress(OSError):
            caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not self._ends.is_set():
                caller.sendall(piece)


class Dripping(Endless):
    """A relay to a server; each connection carries one request."""

    def __init__(self, to: int) -> None:
        super().__init__()
        self._to = to

    def _answer(self, caller: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", self._to)) as server:
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
