"""Names to addresses for the way out: one look-up, every address judged. Refuses what is not public.

Metadata services and link-local addresses are refused whatever a connection allows; so is, in a test run, every
address but loopback.
"""

import ipaddress
import socket
import threading
from collections.abc import Callable, Sequence

from portal import checks
from portal.retold import kept
from portal.systems.outside import NotSent, Refused

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int, float], Sequence[str]]

# Services that hand out a machine's credentials at an address that is otherwise public.
METADATA = frozenset({"168.63.129.16", "192.0.0.192"})
# IPv6 prefixes that carry an IPv4 address: NAT64, its local form, 6to4. Mapped and Teredo have accessors.
NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")

# How a call can end, kept in English beside it.
NO_ADDRESS_WHY = kept("%(host)s has no address (%(why)s)")
LOOKED_TOO_LONG = kept("the look-up took too long")
NO_ADDRESS = kept("%(host)s has no address")
NEVER = kept("%(host)s leads to an address that is never called")
PRIVATE = kept("%(host)s leads to a private address; the connection's allow_private would have to be on")


def environment_allows(host: str) -> bool:
    """Whether this process may look up or call `host`: a test run reaches nothing but this machine."""
    if not checks.is_for_tests():
        return True
    try:
        return _parse(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def look_up(host: str, port: int, seconds: float) -> Sequence[str]:
    """Every address of a name, asked in a thread that may be left behind, since a look-up knows no time-out.

    Raises:
        NotSent: there is none, or none in time.
    """
    found: list[str] = []
    failure: list[str] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            failure.append(type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True, name="look-up")
    thread.start()
    thread.join(max(0.0, seconds))
    if not found or thread.is_alive():
        why = failure[0] if failure else LOOKED_TOO_LONG
        raise NotSent(NO_ADDRESS_WHY % {"host": host, "why": why})
    return tuple(found)


def addresses(host: str, port: int, *, allow_private: bool, seconds: float, resolver: Resolver) -> Sequence[str]:
    """The addresses to connect to, in order; one that may not be called refuses them all.

    Raises:
        Refused: an address is not public and the connection allows no private ones.
        NotSent: there is none.
    """
    if not environment_allows(host):
        raise Refused(f"a test run may not call {host}")
    found = [host] if _is_literal(host) else resolver(host, port, seconds)
    for address in found:
        judge(host, address, allow_private=allow_private)
    if not found:
        raise NotSent(NO_ADDRESS % {"host": host})
    return found


def judge(host: str, address: str, *, allow_private: bool) -> None:
    """Refuse an address that may not be called. The message names the host, never the address behind it.

    Raises:
        Refused.
    """
    parsed = _parse(address)
    if not environment_allows(address):
        raise Refused(f"a test run may not call {host}")
    if parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified or str(parsed) in METADATA:
        raise Refused(NEVER % {"host": host})
    if not allow_private and not parsed.is_global:
        raise Refused(PRIVATE % {"host": host})


def is_private(address: str) -> bool:
    """Whether an address is of this machine or a private network."""
    return not _parse(address).is_global


def _parse(text: str) -> Address:
    """The address that is really reached: IPv4 inside IPv6 is taken out. Raises ValueError for a name."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or (address.teredo[1] if address.teredo else None)
    if inner is None and any(address in network for network in NAT64):
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is None and address in SIX_TO_FOUR:
        inner = address.sixtofour
    return inner or address


def _is_literal(host: str) -> bool:
    try:
        _parse(host)
    except ValueError:
        return False
    return True
