"""The HTTP side: the generic wire, a subset of Stripe's, and `/control/...` for tests. Plain `http.server`."""

import json
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.provider import control, signing, stripe_wire
from tests.provider.effects import Business, Cut, No, Said
from tests.provider.faults import FOUND, Fault

DRIP_BYTES = 4_000


@dataclass
class Reply:
    """Status, JSON and headers on their way out."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)
    fault: Fault | None = None


class Server(ThreadingHTTPServer):
    """One provider; threads are daemons, so that a stop waits for nobody."""

    daemon_threads = True
    request_queue_size = 256
    allow_reuse_address = True

    def __init__(self, port: int, business: Business, secret: str) -> None:
        self.business, self.secret = business, secret
        self.seen: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", port), Handler)


class Handler(BaseHTTPRequestHandler):
    """Routes one request and garbles the answer where a fault says so."""

    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """A reading."""
        self._serve()

    def do_POST(self) -> None:
        """An effect, or an order of a test."""
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the ledger is the log."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            reply = self._answer(body)
        except Cut:
            self._cut()
            return
        try:
            self._send(reply)
        except OSError:
            self.close_connection = True  # the caller is gone

    def _answer(self, body: bytes) -> Reply:
        path = urlsplit(self.path).path
        if path.startswith("/control/"):
            return Reply(*control.answer(self.server, self.command, path, json.loads(body or b"{}")))
        self.server.seen.append({"method": self.command, "path": self.path})
        stripe = path.startswith("/v1/")
        try:
            if self.command == "GET":
                return self._reading(stripe, path)
            return self._effect(stripe, path, body)
        except No as no:
            return _refusal(no, stripe)

    def _reading(self, stripe: bool, path: str) -> Reply:
        fault = self.server.business.faults.next(FOUND)
        _reading_fault(fault)
        if stripe:
            query = dict(parse_qsl(urlsplit(self.path).query))
            return Reply(200, stripe_wire.read(self.server.business, self.headers, path, query), fault=fault)
        self._believe(b"")
        if not path.startswith("/effects/"):
            raise No(404, "no_such_page", "There is nothing here.")
        with self.server.business.ledger.lock:
            effect = self.server.business.ledger.by_reference(path.removeprefix("/effects/"))
        if effect is None:
            raise No(404, "no_such_effect", "Never heard of it.")
        return Reply(200, shown(effect), fault=fault)

    def _effect(self, stripe: bool, path: str, body: bytes) -> Reply:
        if stripe:
            said, answer = stripe_wire.refund(self.server.business, self.headers, path, body)
            return Reply(said.status, answer, _replayed(said, "Idempotent-Replayed"), said.fault)
        self._believe(body)
        if path != "/effects":
            raise No(404, "no_such_page", "There is nothing here.")
        sent = json.loads(body)
        key, reference = self.headers.get("Idempotency-Key", ""), sent.pop("reference")
        if key != reference:
            raise No(400, "key_and_reference_differ", "The key is not the reference.")
        said = self.server.business.effect(key, reference, sent.pop("operation"), sent, "http")
        return Reply(said.status, self._said(said), _replayed(said, "Idempotency-Replayed"), said.fault)

    def _said(self, said: Said) -> Mapping[str, Any]:
        if "effect" not in said.answer:
            return said.answer
        with self.server.business.ledger.lock:
            return shown(next(e for e in self.server.business.ledger.effects if e["id"] == said.answer["effect"]))

    def _believe(self, body: bytes) -> None:
        if fault := signing.fault_of(self.server.secret, self.command, self.path, self.headers, body):
            raise No(401, "not_believed", fault)

    def _send(self, reply: Reply) -> None:
        raw = json.dumps(reply.body).encode()
        mode = reply.fault.mode if reply.fault else ""
        if mode == "malformed":
            raw = raw[: len(raw) // 2]
        elif mode == "oversized":
            raw = b"[" + b" " * reply.fault.options["bytes"] + b"]"
        elif mode == "drip":
            raw += b" " * DRIP_BYTES
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        if mode == "drip_headers":
            self._drip(b"".join(b"X-Drip-%d: drop\r\n" % n for n in range(DRIP_BYTES)), reply.fault)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self._drip(raw, reply.fault) if mode == "drip" else self.wfile.write(raw)

    def _drip(self, raw: bytes, fault: Fault) -> None:
        self.flush_headers()
        size = 1 if fault.mode == "drip" else 17
        for start in range(0, len(raw), size):
            self.wfile.write(raw[start : start + size])
            time.sleep(fault.options["seconds"])

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def shown(effect: Mapping[str, Any]) -> dict[str, Any]:
    """An effect on the generic wire."""
    return {name: effect[name] for name in ("id", "reference", "operation", "status")}


def _replayed(said: Said, header: str) -> dict[str, str]:
    return {header: "true"} if said.replayed else {}


def _reading_fault(fault: Fault | None) -> None:
    match fault.mode if fault else "":
        case "slow" | "timeout_after_effect":
            time.sleep(fault.options["seconds"])
        case "error_after_effect" | "error_before_effect" | "unavailable":
            raise No(503, "unavailable", "Down for maintenance.")
        case "drop_after_effect" | "drop_before_effect":
            raise Cut
        case "busy":
            refusal = No(429, "busy", "Too many requests.")
            refusal.retry_after = fault.options["retry_after"]  # type: ignore[attr-defined]
            raise refusal
        case "redirect":
            refusal = No(302, "moved", "It is over there.")
            refusal.location = fault.options["location"]  # type: ignore[attr-defined]
            raise refusal


def _refusal(no: No, stripe: bool) -> Reply:
    headers = {}
    if hasattr(no, "retry_after"):
        headers["Retry-After"] = no.retry_after
    if hasattr(no, "location"):
        headers["Location"] = no.location
    body = stripe_wire.error(no) if stripe else {"error": {"code": no.code, "message": no.message}}
    status = stripe_wire.status(no) if stripe else no.status
    return Reply(status, body, headers)
