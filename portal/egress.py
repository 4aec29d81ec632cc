"""The one way out. One `Egress` per connection: its hosts and no others, addresses, times, sizes, its pace.

Every ending is an error of `portal.systems.outside` that says whether something may have happened. Asks no proxy;
what it raises holds no header, no body and no credential.
"""

import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from portal import resolving
from portal.exchange import Exchange, Headers, Reply
from portal.retold import kept
from portal.systems.outside import Lost, NotSent, Refused

CONNECT_SECONDS, TOTAL_SECONDS, LONGEST_READ_SECONDS = 3.0, 25.0, 20.0
LONGEST_RETRY_SECONDS, SOME_SECONDS = 3600.0, 30.0
MOST_ADDRESSES = 4
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_HEADER_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")
_ADDRESS = re.compile(r"[\x21-\x7e]{1,4000}")
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,100}")

# How a call can end, kept in English beside it.
OTHER_HOST = kept("%(host)s:%(port)s is not where this connection leads")
HTTPS_ONLY = kept("%(host)s is called over https only")
NO_TIME = kept("no time was left to send it")
WAIT = kept("the system asked to wait (429)")
FAILED = kept("the system failed (%(status)s)")
NO_PLACE, SAME_HOST = kept("an address that is none"), kept("a place on the same host")
REDIRECTED = kept("the system answered with a redirect to %(host)s")
UNCLEAR = kept("the system gave no clear answer (%(status)s)")


class Pace(Protocol):
    """Who gives turns, over all processes that call the same system."""

    def turn(self) -> datetime:
        """Wait for the next turn; returns the database's clock. Raises NotSent."""
        ...

    def rest(self, seconds: float) -> None:
        """The system said to wait: no turn for anybody before that."""
        ...


@dataclass(frozen=True, slots=True)
class Egress:
    """`hosts` are the `name:port` that may be called. Plain http goes to private addresses alone.

    `resolver` and `tls` are for tests: who looks names up, and which certificates are believed.
    """

    hosts: frozenset[str]
    pace: Pace
    allow_private: bool = False
    resolver: resolving.Resolver = resolving.look_up
    tls: ssl.SSLContext | None = None
    connect_seconds: float = CONNECT_SECONDS
    total_seconds: float = TOTAL_SECONDS
    longest_read_seconds: float = LONGEST_READ_SECONDS

    def talk(self, read_seconds: float) -> "Talk":
        """One operation: all calls of it share 25 seconds, the waiting for turns included."""
        return Talk(self, min(read_seconds, self.longest_read_seconds), time.monotonic() + self.total_seconds)

    def addresses(self, url: SplitResult, seconds: float) -> list[str]:
        """Where a call may connect to.

        Raises:
            Refused: not to this host, scheme or address.
            NotSent: the name has no address now.
        """
        host, port = url.hostname or "", port_of(url)
        if url.scheme not in ("https", "http") or f"{host}:{port}" not in self.hosts or "@" in url.netloc:
            raise Refused(OTHER_HOST % {"host": host, "port": port})
        found = resolving.addresses(
            host, port, allow_private=self.allow_private, seconds=seconds, resolver=self.resolver
        )  # fmt: skip
        if url.scheme == "http" and not all(resolving.is_private(address) for address in found):
            raise Refused(HTTPS_ONLY % {"host": host})
        return list(found[:MOST_ADDRESSES])


@dataclass(slots=True)
class Talk:
    """The calls of one operation."""

    egress: Egress
    read_seconds: float
    until: float

    def call(
        self, method: str, url: str, *, headers: Headers, body: bytes = b"",
        sign: Callable[[datetime], Headers] | None = None,
    ) -> Reply:  # fmt: skip
        """One request; its answer if that is 2xx or a 4xx whose meaning is the system's own.

        `sign` gets the database's clock, since a worker's own may be off.

        Raises:
            Refused: it may not be sent.
            NotSent: not a byte of it was, or the system told to wait (429).
            Lost: it was sent, and no clear answer came.
        """
        now = self.egress.pace.turn()
        return self._judge(self.fetch(method, url, headers={**headers, **(sign(now) if sign else {})}, body=body), now)

    def fetch(self, method: str, url: str, *, headers: Headers, body: bytes = b"") -> Reply:
        """One request without a turn; its answer whatever its status, for who knows what each status means.

        Raises:
            Refused, NotSent, Lost: as `call`.
        """
        target = _clean(url)
        _refuse_unclean(headers)
        addresses = self.egress.addresses(target, min(self.egress.connect_seconds, self.left()))
        return self._first_that_answers(method, target, addresses, body, headers)

    def left(self) -> float:
        """Seconds until the operation is over. Raises NotSent when it is."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise NotSent(NO_TIME)
        return left

    def _first_that_answers(
        self, method: str, url: SplitResult, addresses: list[str], body: bytes, headers: Headers
    ) -> Reply:
        """Nothing is sent where there is no connection, so the next address may be tried."""
        until = time.monotonic() + self.egress.connect_seconds
        for address in addresses[:-1]:
            try:
                return self._exchange(url, address, until).run(method, body, headers)
            except NotSent:
                continue
        return self._exchange(url, addresses[-1], until).run(method, body, headers)

    def _exchange(self, url: SplitResult, address: str, until: float) -> Exchange:
        connect = min(max(0.1, until - time.monotonic()), self.left())
        return Exchange(url, address, connect, self.read_seconds, self.left(), self.egress.tls)

    def _judge(self, reply: Reply, now: datetime) -> Reply:
        """Statuses that mean the same everywhere."""
        status = reply.status
        if status == 429:
            seconds = retry_seconds(reply.headers, now)
            self.egress.pace.rest(seconds)
            raise NotSent(WAIT, retry_seconds=seconds)
        if status >= 500:
            raise Lost(FAILED % {"status": status}, stored=True)
        if 300 <= status < 400:
            raise Lost(REDIRECTED % {"host": _host_of(reply.headers.get("Location", ""))})
        if status < 200 or status == 408:
            raise Lost(UNCLEAR % {"status": status})
        return reply


def retry_seconds(headers: Headers, now: datetime) -> float:
    """`Retry-After` in seconds, given as such or as a date by the system's own clock; 1 second to 1 hour."""
    value = headers.get("Retry-After", "").strip()
    seconds = SOME_SECONDS
    if re.fullmatch(r"[0-9]{1,9}", value):
        seconds = float(value)
    elif until := _date(value):
        seconds = (until - (_date(headers.get("Date", "")) or now)).total_seconds()
    return max(1.0, min(seconds, LONGEST_RETRY_SECONDS))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


def port_of(url: SplitResult) -> int:
    """The port, or the scheme's own."""
    return url.port or (443 if url.scheme == "https" else 80)


def host_and_port(address: str) -> str:
    """`name:port` of an address, as `Egress.hosts` holds it."""
    url = urlsplit(address)
    return f"{url.hostname}:{port_of(url)}"


def _clean(address: str) -> SplitResult:
    """Nothing that could end a line gets on the wire."""
    if not _ADDRESS.fullmatch(address):
        raise Refused("the address of the call holds characters that no address has")
    return urlsplit(address)


def _refuse_unclean(headers: Headers) -> None:
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise Refused(f"the header {name[:60]!r} holds characters that no header has")


def _host_of(location: str) -> str:
    """The host of a redirect and nothing else of it."""
    try:
        host = urlsplit(location).hostname
    except ValueError:
        return NO_PLACE
    if host is None:
        return SAME_HOST
    return host if _HOST.fullmatch(host) else NO_PLACE
