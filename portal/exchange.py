"""One request over one connection to one pinned address, used by `portal.egress` alone. Knows no policy.

Ends in time whatever the other side does, follows nothing, takes no compressed answer and none over 1 MiB.
"""

import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Timer
from typing import Any
from urllib.parse import SplitResult

import httpx2

from portal.retold import kept
from portal.systems.outside import Lost, NotSent

LARGEST_ANSWER = 1024 * 1024
Headers = Mapping[str, str]

# How a call can end, kept in English beside it.
LATE = kept("%(host)s did not finish its answer in time")
ENCODED = kept("%(host)s answered in an encoding nobody asked for")
TOO_LARGE = kept("%(host)s answered with more than %(most)s bytes")
TOO_LONG = kept("took too long")
NO_ANSWER = kept("no answer came from %(host)s (%(kind)s)")
NO_CONNECTION = kept("no connection to %(host)s (%(kind)s)")


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; `headers` are found whatever their case."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(slots=True)
class Exchange:
    """`seconds` are what is left of the operation. `sent`: a byte of the request may have left."""

    url: SplitResult
    address: str
    connect_seconds: float
    read_seconds: float
    seconds: float
    tls: ssl.SSLContext | None = None
    sent: bool = False
    over: bool = False
    stream: Any = None

    def run(self, method: str, body: bytes, headers: Headers) -> Reply:
        """Send and read.

        Raises:
            NotSent: there was no connection.
            Lost: it was sent, and no whole answer came.
        """
        timer = Timer(self.seconds, self._cut)
        timer.daemon = True
        timer.start()
        ending: Lost | NotSent | None
        try:
            reply = self._exchange(method, body, headers)
            ending = Lost(LATE % {"host": self.url.hostname}) if self.over else None
        except (httpx2.HTTPError, httpx2.StreamError, OSError, ValueError) as error:
            ending = self._ending(error)
        finally:
            timer.cancel()
        if ending is not None:
            raise ending  # out here: raised while the other is handled, it would carry the request along
        return reply

    def _exchange(self, method: str, body: bytes, headers: Headers) -> Reply:
        timeout = httpx2.Timeout(
            connect=self.connect_seconds, read=self.read_seconds, write=self.read_seconds, pool=1.0
        )  # fmt: skip
        with httpx2.Client(verify=self.tls or _tls(), trust_env=False, follow_redirects=False) as client:
            request = httpx2.Request(
                method, self._pinned(), content=body or None, headers=self._headers(headers),
                extensions={
                    "trace": self._trace, "sni_hostname": self.url.hostname, "timeout": timeout.as_dict()
                },
            )  # fmt: skip
            response = client.send(request, stream=True)
            try:
                return Reply(response.status_code, response.headers, self._read(response))
            finally:
                response.close()

    def _pinned(self) -> str:
        """The address instead of the name: what was judged is what is called, whatever the name says by then."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        query = f"?{self.url.query}" if self.url.query else ""
        port = f":{self.url.port}" if self.url.port else ""
        return f"{self.url.scheme}://{host}{port}{self.url.path or '/'}{query}"

    def _headers(self, headers: Headers) -> dict[str, str]:
        own = {"Accept-Encoding": "identity", "Connection": "close", "User-Agent": "countersign"}
        return {**headers, **own, "Host": self.url.netloc}

    def _read(self, response: httpx2.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Lost(ENCODED % {"host": self.url.hostname})
        body = bytearray()
        for chunk in response.iter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise Lost(TOO_LARGE % {"host": self.url.hostname, "most": LARGEST_ANSWER})
        return bytes(body)

    def _trace(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.stream = info["return_value"]
        elif event == "http11.send_request_headers.started":
            if self.over:
                raise TimeoutError
            self.sent = True

    def _cut(self) -> None:
        """Wake the thread that reads; by the plain socket, since that of TLS is not for two threads."""
        self.over = True
        found = self.stream.get_extra_info("socket") if self.stream is not None else None
        if isinstance(found, socket.socket):
            try:
                socket.socket.shutdown(found, socket.SHUT_RDWR)
            except OSError:
                return  # closed by itself meanwhile

    def _ending(self, error: Exception) -> Lost | NotSent:
        """In words of our own: the library's may quote what was sent or received."""
        late = self.over or isinstance(error, httpx2.TimeoutException)
        kind = TOO_LONG if late else type(error).__name__
        if self.sent:
            return Lost(NO_ANSWER % {"host": self.url.hostname, "kind": kind})
        return NotSent(NO_CONNECTION % {"host": self.url.hostname, "kind": kind})


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """This machine's certificates, read once."""
    return httpx2.create_ssl_context(trust_env=False)
