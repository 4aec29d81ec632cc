"""The one way out: where it leads, what it refuses, how it ends; against sockets of this machine alone."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import checks, resolving
from portal.egress import Egress
from portal.exchange import LARGEST_ANSWER
from portal.systems.outside import Lost, NotSent, Refused
from tests.portal.systems import FreePace
from tests.provider.process import Provider

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
PRIVATE = [
    "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.9", "100.64.0.1", "::1", "fd12::1", "::ffff:10.0.0.1",
    "64:ff9b::10.0.0.1", "2002:0a00:0001::", "192.0.2.1", "240.0.0.1",
]  # fmt: skip
NEVER = [
    "169.254.169.254", "fe80::1", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "168.63.129.16",
    "192.0.0.192", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::",
]  # fmt: skip


@dataclass
class Served:
    """Where it listens, and what it read."""

    port: int
    seen: list[bytes] = field(default_factory=list)


@contextmanager
def server(answer: bytes | Callable[[socket.socket], None]) -> Iterator[Served]:
    """Answers each connection with the same bytes, or by a function."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    served = Served(int(listening.getsockname()[1]))
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    if callable(answer):
                        answer(connection)
                        continue
                    served.seen.append(connection.recv(65536))
                    connection.sendall(answer)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        over.set()
        thread.join()
        listening.close()


def egress(port: int, host: str = "127.0.0.1", *, allow_private: bool = True, **more: Any) -> Egress:
    return Egress(frozenset({f"{host}:{port}"}), FreePace(), allow_private=allow_private, **more)


def get(way: Egress, url: str, **headers: str) -> Any:
    return way.talk(2).call("GET", url, headers=headers)


def knows(*answers: Sequence[str]) -> Any:
    """A resolver that gives these answers, one after the other, and counts."""
    left = list(answers)
    asked: list[str] = []

    def resolver(host: str, port: int, seconds: float) -> Sequence[str]:
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    resolver.asked = asked  # type: ignore[attr-defined]
    return resolver


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is refused before anything is sent: the guard of test runs would refuse it first."""
    monkeypatch.setattr(checks, "is_for_tests", lambda: False)


def test_a_call_reaches_its_host_with_what_it_says() -> None:
    with server(OK) as served:
        reply = get(egress(served.port), f"http://127.0.0.1:{served.port}/a?b=c", Accept="x/y")
    assert (reply.status, reply.body) == (200, b"{}")
    assert served.seen[0].startswith(b"GET /a?b=c HTTP/1.1\r\n")
    assert f"\r\nHost: 127.0.0.1:{served.port}\r\n".lower().encode() in served.seen[0].lower()
    assert b"x/y" in served.seen[0]


@pytest.mark.parametrize("address", [*PRIVATE, *NEVER])
def test_an_address_that_is_not_public_is_refused(as_in_production: None, address: str) -> None:
    with pytest.raises(Refused) as refused:
        get(
            egress(443, "desk.example.com", allow_private=False, resolver=knows([address])), "https://desk.example.com/"
        )
    assert address not in str(refused.value)
    assert "desk.example.com" in str(refused.value)


@pytest.mark.parametrize("address", NEVER)
def test_link_local_and_metadata_are_refused_even_where_private_ones_are_allowed(
    as_in_production: None, address: str
) -> None:
    resolving.judge("desk", "10.0.0.1", allow_private=True)
    resolving.judge("desk", "8.8.8.8", allow_private=False)
    with pytest.raises(Refused, match="never"):
        resolving.judge("desk", address, allow_private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.1.2.3"])
def test_an_address_in_place_of_a_name_is_judged_the_same(as_in_production: None, host: str) -> None:
    with pytest.raises(Refused, match="private"):
        get(egress(443, host.strip("[]"), allow_private=False), f"https://{host}/")


def test_one_private_address_among_public_ones_refuses_them_all(as_in_production: None) -> None:
    with pytest.raises(Refused):
        get(
            egress(443, "desk.example.com", allow_private=False, resolver=knows(["8.8.8.8", "10.0.0.1"])),
            "https://desk.example.com/",
        )


def test_a_test_run_reaches_this_machine_alone() -> None:
    for address in ("8.8.8.8", "10.0.0.1"):
        with pytest.raises(Refused, match="test run"):
            get(egress(443, "desk.localhost", resolver=knows([address])), "https://desk.localhost/")
        with pytest.raises(Refused, match="test run"):
            get(egress(443, address), f"https://{address}/")
    resolver = knows(["127.0.0.1"])
    with pytest.raises(Refused, match="test run"):
        get(egress(443, "desk.example.com", resolver=resolver), "https://desk.example.com/")
    assert resolver.asked == []


def test_a_name_that_changes_its_mind_reaches_only_what_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def changed(host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.66" if host in ("desk.localhost", b"desk.localhost") else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", changed)  # whoever asked again would be led elsewhere
    with server(OK) as served:
        resolver = knows(["127.0.0.1"], ["10.0.0.1"])
        way = egress(served.port, "desk.localhost", resolver=resolver)
        assert get(way, f"http://desk.localhost:{served.port}/").status == 200
        assert resolver.asked == ["desk.localhost"]
        assert b"desk.localhost" in served.seen[0]
        with pytest.raises(Refused):
            get(way, f"http://desk.localhost:{served.port}/")
        assert len(served.seen) == 1


@pytest.mark.parametrize(
    "url",
    [
        "https://other.example.com/", "https://desk.example.com:8443/", "https://user:pw@desk.example.com/",
        "https://desk.example.com@evil.example/", "https://desk.example.com.evil.example/", "ftp://desk.example.com/",
        "file:///etc/passwd", "http://desk.example.com/", "//desk.example.com/", "desk.example.com",
    ],
)  # fmt: skip
def test_only_the_connection_s_own_host_and_scheme_are_called(as_in_production: None, url: str) -> None:
    resolver = knows(["10.0.0.1"])
    with pytest.raises(Refused, match="not where this connection leads"):
        get(egress(443, "desk.example.com", resolver=resolver), url)
    assert resolver.asked == []


def test_plain_http_goes_to_private_addresses_alone(as_in_production: None) -> None:
    with pytest.raises(Refused, match="https only"):
        get(egress(80, "desk.example.com", resolver=knows(["8.8.8.8"])), "http://desk.example.com/")


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("/a\r\nX-Injected: yes", {}), ("/a b", {}), ("/ä", {}), ("/", {"Idempotency-Key": "a\r\nX-Injected: yes"}),
        ("/", {"Idempotency-Key": "a\nb"}), ("/", {"X\r\nY": "z"}), ("/", {"Idempotency-Key": "ä"}),
        ("/", {"Idempotency-Key": "a\x00"}),
    ],
)  # fmt: skip
def test_nothing_can_end_a_line(url: str, headers: dict[str, str]) -> None:
    with server(OK) as served:
        way, root = egress(served.port), f"http://127.0.0.1:{served.port}"
        with pytest.raises(Refused, match="characters"):
            get(way, root + url, **headers)
        assert served.seen == []
        assert get(way, f"{root}/", **{"Idempotency-Key": "a"}).status == 200


def test_a_redirect_is_not_followed_and_only_its_host_is_named(tmp_path: Path) -> None:
    with Provider(tmp_path / "one.jsonl") as target:
        for location, named in (
            (f"{target.url}/v1/refunds?key=hidden", "127.0.0.1"), ("/elsewhere", "same host"),
            ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"), ("http://[", "none"),
            ("http://a<script>/", "none"),
        ):  # fmt: skip
            answer = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
            with server(answer) as served, pytest.raises(Lost) as lost:
                get(egress(served.port), f"http://127.0.0.1:{served.port}/")
            assert str(lost.value) in {
                f"the system answered with a redirect to {named}",
                "the system answered with a redirect to a place on the same host",
                "the system answered with a redirect to an address that is none",
            }
            assert named in str(lost.value)
        assert target.seen() == []


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LARGEST_ANSWER + b" " * LARGEST_ANSWER, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2**20 + 1) + b" " * (2**20 + 1), Lost),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (2**20 + 1), Lost),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", Lost),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}", Lost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Lost),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000, Lost),
        (b"not http at all\r\n\r\n", Lost), (b"", Lost), (b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\n\r\n", Lost),
        (b"HTTP/1.1 408 Slow\r\nContent-Length: 0\r\n\r\n", Lost),
        (b"HTTP/1.1 304 Same\r\n\r\n", Lost), (b"HTTP/1.1 429 Wait\r\nContent-Length: 0\r\n\r\n", NotSent),
        (b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 409 No\r\nContent-Length: 0\r\n\r\n", None),
    ],
)  # fmt: skip
def test_every_answer_ends_in_one_of_ours(answer: bytes, ending: type[Exception] | None) -> None:
    with server(answer) as served:
        way, url = egress(served.port), f"http://127.0.0.1:{served.port}/"
        if ending is None:
            assert get(way, url).status in (200, 404, 409)
        else:
            with pytest.raises(ending):
                get(way, url)


def drip(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.1)


def hold(connection: socket.socket) -> None:
    time.sleep(2)


@pytest.mark.parametrize(("serve", "ending"), [(drip, Lost), (hold, Lost)])
def test_an_operation_ends_in_its_time(serve: Callable[[socket.socket], None], ending: type[Exception]) -> None:
    with server(serve) as served:
        began = time.monotonic()
        with pytest.raises(ending, match=r"in time|too long"):
            get(egress(served.port, total_seconds=0.8), f"http://127.0.0.1:{served.port}/")
        assert time.monotonic() - began < 2


def test_a_handshake_that_never_ends_was_not_sent() -> None:
    with server(hold) as served:
        began = time.monotonic()
        with pytest.raises(NotSent, match="too long"):
            get(egress(served.port, connect_seconds=0.5), f"https://127.0.0.1:{served.port}/")
        assert time.monotonic() - began < 2


def test_where_one_address_is_closed_the_next_is_tried() -> None:
    with server(OK) as served:
        port = served.port
        resolver = knows(["127.0.0.9", "127.0.0.1"])
        assert get(egress(port, "desk.localhost", resolver=resolver), f"http://desk.localhost:{port}/").status == 200
    with pytest.raises(NotSent):
        get(egress(port, "desk.localhost", resolver=resolver), f"http://desk.localhost:{port}/")


def test_a_look_up_that_fails_or_hangs_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    def hangs(*_: Any, **__: Any) -> Any:
        time.sleep(1)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80))]

    for broken in (fails, hangs):
        monkeypatch.setattr(socket, "getaddrinfo", broken)
        with pytest.raises(NotSent, match="no address"):
            get(egress(80, "desk.localhost", connect_seconds=0.3), "http://desk.localhost:80/")


def test_no_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with server(OK) as served:
        assert get(egress(served.port), f"http://127.0.0.1:{served.port}/").status == 200


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of desk.localhost, by itself; key and certificate in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "desk.localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("desk.localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "desk.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def tls_server(certificate: Path, answer: Callable[[ssl.SSLSocket], None]) -> Iterator[Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            answer(secured)

    with server(serve) as served:
        yield served


def answer_ok(secured: ssl.SSLSocket) -> None:
    secured.recv(65536)
    secured.sendall(OK)


def drip_tls(secured: ssl.SSLSocket) -> None:
    drip(secured)


def test_the_certificate_must_be_the_name_s_though_an_address_is_called(certificate: Path) -> None:
    assert ip_address("127.0.0.1").is_loopback
    trusting = ssl.create_default_context(cafile=str(certificate))
    with tls_server(certificate, answer_ok) as served:
        port = served.port
        for host, tls, fine in (
            ("desk.localhost", trusting, True), ("other.localhost", trusting, False), ("desk.localhost", None, False),
        ):  # fmt: skip
            way = egress(port, host, resolver=knows(["127.0.0.1"]), tls=tls)
            if fine:
                assert get(way, f"https://{host}:{port}/").body == b"{}"
            else:
                with pytest.raises(NotSent):
                    get(way, f"https://{host}:{port}/")


def test_a_dripping_answer_ends_in_time_over_tls_too(certificate: Path) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate))
    with tls_server(certificate, drip_tls) as served:
        way = egress(served.port, "desk.localhost", resolver=knows(["127.0.0.1"]), tls=trusting, total_seconds=0.8)
        began = time.monotonic()
        with pytest.raises(Lost):
            get(way, f"https://desk.localhost:{served.port}/")
        assert time.monotonic() - began < 3
