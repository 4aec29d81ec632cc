"""Starts and stops a provider by its pid, orders its faults, and reads its ledger. What other tests use.

with Provider(tmp_path / "ledger.jsonl") as provider:
    provider.pay("pay_1", 5_000, "EUR")
    provider.fault("drop_after_effect", times=1)
    ...
    assert [effect["reference"] for effect in provider.effects()] == [str(key)]
"""

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from tests.provider import ledger as books
from tests.provider.stripe_wire import STRIPE_KEY

__all__ = ["SECRET", "STRIPE_KEY", "Provider"]

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the-secret-of-the-provider-in-tests"
START_SECONDS = 20
_open = build_opener(ProxyHandler({})).open


@dataclass
class Provider:
    """One provider process on a port of 127.0.0.1 that stays the same over restarts."""

    ledger: Path
    port: int = 0
    secret: str = SECRET
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.port = self.port or _free_port()

    @property
    def url(self) -> str:
        """Its address, for `base_url` and `api_base`."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> "Provider":
        """Start it and wait until it answers."""
        command = [sys.executable, "-m", "tests.provider", "--port", str(self.port), "--ledger", str(self.ledger)]
        self.process = subprocess.Popen([*command, "--secret", self.secret], cwd=ROOT)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.order("health")
            except (URLError, ConnectionError):
                if time.monotonic() > until or self.process.poll() is not None:
                    self.stop()
                    raise
                time.sleep(0.05)
            else:
                return self

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(with_signal)
        if self.process is not None:
            self.process.wait(10)
        self.process = None

    def restart(self, with_signal: signal.Signals = signal.SIGKILL) -> None:
        """Kill it and start it on the same ledger and port; faults that stood are forgotten."""
        self.stop(with_signal)
        self.start()

    def __enter__(self) -> "Provider":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def effects(self) -> list[dict[str, Any]]:
        """Every effect ever made: `id, reference, operation, status` and what was sent; read from the file."""
        return books.effects(self.ledger)

    def pay(self, payment: str, amount_minor: int, currency: str = "EUR") -> None:
        """Make a payment known that can be refunded."""
        self.pay_many([(payment, amount_minor, currency)])

    def pay_many(self, payments: list[tuple[str, int, str]]) -> None:
        """The same for many at once."""
        rows = [{"id": p, "amount_minor": amount, "currency": currency} for p, amount, currency in payments]
        self.order("payments", payments=rows)

    def fault(self, mode: str, times: int = 1, *, on: str = "send", **options: Any) -> None:
        """Arm a fault of `tests.provider.faults.MODES` for the next `times` requests (`on="find"`: readings)."""
        self.order("fault", mode=mode, times=times, on=on, **options)

    def clear(self) -> None:
        """Take back every fault that still stands."""
        self.order("clear")

    def settle(self, of: str) -> None:
        """The money of an effect (its id or reference) has arrived."""
        self.order("status", of=of, status="settled")

    def bounce(self, of: str) -> None:
        """It came back."""
        self.order("status", of=of, status="bounced")

    def clock(self, hours: float) -> None:
        """Set the provider's clock `hours` off the real one: keys grow old."""
        self.order("clock", hours=hours)

    def lifetime(self, hours: float) -> None:
        """How long the provider remembers a key; 24 h unless told."""
        self.order("lifetime", hours=hours)

    def seen(self) -> list[dict[str, Any]]:
        """Every request since its start, `{method, path}`."""
        return list(self.order("seen"))

    def order(self, what: str, **asked: Any) -> Any:
        """Anything of `/control/...`."""
        request = Request(f"{self.url}/control/{what}", json.dumps(asked).encode(), method="POST")
        with _open(request, timeout=10) as answer:
            return json.loads(answer.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
