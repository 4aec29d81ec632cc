"""Starts the processes of an installation, watches them, starts again what died, and ends them by their process ids."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from portal import log_key
from portal.stack import default_var_dir

STOP_SECONDS = 10
RESTARTS_SECONDS = 120
ROOT = Path(__file__).resolve().parents[2]


class ProcessError(Exception):
    """A process could not start or ended by itself; the message says which and where its output lies."""


@dataclass
class Processes:
    """Web, two workers, beat and sealer, each under its own role, writing to a file of its own below `logs`."""

    logs: Path
    port: int
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    threads: int = 2
    app: str = "portal"
    restarts: int = 8  # of one of them within two minutes; more, and it is given up
    _started_again: dict[str, list[float]] = field(default_factory=dict)

    def start(self) -> None:
        """Start them all; `stop` ends them."""
        for name in ("worker-agents", "worker-apply", "beat", "sealer", "web"):
            self.spawn(name)

    def spawn(self, name: str, **extra: str) -> None:
        """Start one of them, with `extra` in its environment.

        Raises:
            ProcessError: it runs already; a second one would be out of sight.
        """
        if name in self.running and self.running[name].poll() is None:
            raise ProcessError(f"{name} runs already")
        self.logs.mkdir(parents=True, exist_ok=True)
        role, command = self._command(name)
        with (self.logs / f"{name}.log").open("ab") as log:
            # A session of their own: Ctrl-C reaches this process alone, which then ends them in order.
            self.running[name] = subprocess.Popen(  # our own programs, from our own folder
                command, env={**self._environment(name), "PROCESS_ROLE": role, **extra}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True, cwd=ROOT,
            )  # fmt: skip

    def _environment(self, name: str) -> dict[str, str]:
        """Each key for who may use it: apply workers open credentials, agents the keys of models, web personal values;
        the sealer signs."""
        personal = ("DATA_PRIVATE_KEY", "VAULT_PRIVATE_KEY")
        secret = (*personal, "CREDENTIALS_PRIVATE_KEY", "MODELS_PRIVATE_KEY", "LOG_SIGNING_KEY", "LOG_SIGNING_KEY_OLD")
        given = {key: value for key, value in self.environment.items() if key not in secret}
        keys = default_var_dir(self.environment) / "keys"
        if name.startswith("worker-apply") and (keys / "private").exists():
            given["CREDENTIALS_PRIVATE_KEY"] = (keys / "private").read_text()
        if name.startswith("worker-agents") and (keys / "models" / "private").exists():
            given["MODELS_PRIVATE_KEY"] = (keys / "models" / "private").read_text()
        if name == "web":
            given |= {key: value for key, value in self.environment.items() if key in personal}
        if name.startswith("sealer") and (signing := log_key.kept(keys) or self.environment.get("LOG_SIGNING_KEY")):
            given["LOG_SIGNING_KEY"] = signing
            if old := log_key.kept_old(keys) or self.environment.get("LOG_SIGNING_KEY_OLD"):
                given["LOG_SIGNING_KEY_OLD"] = old
        return given

    def _command(self, name: str) -> tuple[str, list[str]]:
        """The database role and the command line of a process."""
        bin_dir = Path(sys.executable).parent
        celery = [str(bin_dir / "celery"), "-A", self.app]
        match name:
            case "web":
                gunicorn = [str(bin_dir / "gunicorn"), "portal.wsgi", "--bind", f"127.0.0.1:{self.port}"]
                return "web", [*gunicorn, "--threads", "8", "--worker-class", "gthread", "--log-level", "warning"]
            case "beat":
                schedule = str(self.logs / "beat-schedule")
                return "apply", [*celery, "beat", "--loglevel", "WARNING", "-s", schedule]
            case "sealer" | "sealer-b":  # a second one waits for the first to end
                return "sealer", [sys.executable, "manage.py", "audit_seal"]
            case _:
                role = name.removeprefix("worker-").partition("-")[0]
                worker = ["worker", "--pool", "threads", "--loglevel", "WARNING", "--without-gossip"]
                host = f"{name.removeprefix('worker-')}@%h"
                return role, [*celery, *worker, "--without-mingle", "-Q", role, "-c", str(self.threads), "-n", host]

    def revive(self) -> list[str]:
        """Start again what ended by itself; returns the names.

        Raises:
            ProcessError: one of them ends again and again.
        """
        ended = [name for name, process in self.running.items() if process.poll() is not None]
        for name in ended:
            now = time.monotonic()
            recent = [at for at in self._started_again.get(name, []) if at > now - RESTARTS_SECONDS]
            if len(recent) >= self.restarts:
                self.check()
            self._started_again[name] = [*recent, now]
            self.spawn(name)
        return ended

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
        self._started_again.clear()


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
    span = f"port {first} is taken" if tries == 1 else f"no free port between {first} and {first + tries - 1}"
    raise ProcessError(f"{span}; set PORT to one that is free")
