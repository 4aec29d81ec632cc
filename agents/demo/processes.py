"""Starts the processes of an installation, watches them, and ends them by their process ids."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 10


class ProcessError(Exception):
    """A process could not start or ended by itself; the message says which and where its output lies."""


@dataclass
class Processes:
    """Web, two workers and beat, each under its own role, writing to a file of its own below `logs`."""

    logs: Path
    port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self) -> None:
        """Start them all; they end with `stop`, or with this process where the system can tell them."""
        self.logs.mkdir(parents=True, exist_ok=True)
        bin_dir = Path(sys.executable).parent
        celery = [str(bin_dir / "celery"), "-A", "portal"]
        worker = ["worker", "--pool", "threads", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"]
        for role in ("agents", "apply"):
            name = f"worker-{role}"
            self._spawn(name, role, [*celery, *worker, "-Q", role, "-c", "2", "-n", f"{role}@%h"])
        schedule = str(self.logs / "beat-schedule")
        self._spawn("beat", "apply", [*celery, "beat", "--loglevel", "WARNING", "-s", schedule])
        gunicorn = [str(bin_dir / "gunicorn"), "portal.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "8"]
        self._spawn("web", "web", [*gunicorn, "--worker-class", "gthread", "--log-level", "warning"])

    def _spawn(self, name: str, role: str, command: list[str]) -> None:
        environment: Mapping[str, str] = {**os.environ, "PROCESS_ROLE": role}
        with (self.logs / f"{name}.log").open("ab") as log:
            # A session of their own: Ctrl-C reaches this process alone, which then ends them in order.
            self.running[name] = subprocess.Popen(  # noqa: S603  # our own programs, from our own folder
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def check(self) -> None:
        """Raise ProcessError for one that ended by itself."""
        for name, process in self.running.items():
            if (code := process.poll()) is not None:
                raise ProcessError(f"{name} ended with code {code}; see {self.logs / (name + '.log')}")

    def wait_for_web(self, seconds: float = 30) -> None:
        """Until the web process takes connections.

        Raises:
            ProcessError: it ended, or did not within the time.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.check()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise ProcessError(f"web does not answer on port {self.port}; see {self.logs / 'web.log'}")

    def stop(self) -> None:
        """End them: asked first, then made to."""
        for process in self.running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        until = time.monotonic() + STOP_SECONDS
        for process in self.running.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.running.clear()


def free_port(first: int = 8000, tries: int = 50) -> int:
    """The first port of 127.0.0.1 that is free.

    Raises:
        ProcessError: none of them is.
    """
    for port in range(first, first + tries):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ProcessError(f"no free port between {first} and {first + tries - 1}; set PORT")
