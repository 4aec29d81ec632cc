"""An installation of its own to break: servers, workers and beat in a temporary folder, ended by their pids."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from agents.demo.processes import Processes, free_port
from agents.demo.supervision import Supervisor
from portal.stack import Addresses, Stack, _locked, account, place, programs
from portal.stack.servers import Postgres, Redis
from tests.conftest import KEYS

ROOT = Path(__file__).resolve().parents[2]
WORKERS = ("worker-apply", "worker-apply-b")


def until(what: Callable[[], bool], seconds: float, *, pause: float = 0.05) -> float:
    """Wait for something the processes do; returns how long it took, in seconds."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        if what():
            return time.monotonic() - start
        time.sleep(pause)
    raise AssertionError(f"not within {seconds} s")


@dataclass
class Ground:
    """What a case may break, and what brings it up again."""

    var_dir: Path
    stack: Stack
    addresses: Addresses
    environment: dict[str, str]
    processes: Processes
    said: list[str] = field(default_factory=list)
    supervisor: Supervisor | None = None

    @property
    def folder(self) -> Path:
        """Where the servers' data lies."""
        return next(folder for folder in place.candidates(self.var_dir) if folder.is_dir())

    @property
    def base(self) -> str:
        """The web process."""
        return f"http://127.0.0.1:{self.processes.port}"

    def start(self, *names: str, threads: int = 2) -> None:
        """Start processes that nobody starts again."""
        self.processes.threads = threads
        for name in names:
            self.processes.spawn(name)

    def up(self, *names: str, threads: int = 2) -> None:
        """Have exactly these processes run, under a supervisor as in production."""
        self.down()
        self.said.clear()
        self.start(*names, threads=threads)
        if "web" in names:
            self.until_web_answers()
        self.supervise()

    @contextmanager
    def environment_of(self, **extra: str) -> Iterator[None]:
        """What is started meanwhile, also again, finds this in its environment."""
        before = dict(self.environment)
        self.environment.update(extra)
        try:
            yield
        finally:
            self.environment.clear()
            self.environment.update(before)

    @contextmanager
    def module_of(self, app: str) -> Iterator[None]:
        """Workers started meanwhile are of another module."""
        self.processes.app = app
        try:
            yield
        finally:
            self.processes.app = "portal"

    def until_web_answers(self) -> None:
        """It listens before it is ready; from here on it is."""
        self.processes.wait_for_web(120)
        no_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with no_proxy.open(f"{self.base}/healthz", timeout=120) as answer:
            assert answer.status == 200

    def supervise(self) -> None:
        """From now on what dies is started again."""
        self.supervisor = Supervisor(self.processes, self.stack, self.said.append)
        self.supervisor.start()

    def unwatched(self) -> None:
        """From now on what dies stays dead."""
        if self.supervisor is not None:
            self.supervisor.stop()
            self.supervisor = None

    def down(self) -> None:
        """No process but the servers."""
        self.unwatched()
        self.processes.stop()

    def pid(self, name: str) -> int:
        """A process by name."""
        return self.processes.running[name].pid

    def kill(self, *names: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Kill processes at once, with all they started."""
        for name in names:
            os.killpg(self.pid(name), number)
        for name in names:
            self.processes.running[name].wait()

    def marker(self) -> Path:
        """A file of its own that a failpoint makes."""
        return self.var_dir / f"marker-{secrets.token_hex(6)}"

    # Servers ---------------------------------------------------------------------------------------------

    def crash_postgres(self) -> None:
        """Stop PostgreSQL without letting it write anything more, as a power cut would."""
        server, runs_it = Postgres(self.folder), account.account_for(self.folder)
        with _locked(self.folder):
            command = ("stop", "-m", "immediate", "-D", str(server.data))
            runs_it.run(programs.find(runs_it).pg_ctl, *command)

    def crash_redis(self, *, keep: bool) -> None:
        """SIGKILL Redis; without `keep` its append-only file is gone too."""
        server = Redis(self.folder)
        with _locked(self.folder):
            self.signal_redis(signal.SIGKILL)
            until(lambda: server.pid() is None, 10)
            if not keep:
                shutil.rmtree(server.data)
                server.create(programs.find(account.account_for(self.folder)), account.account_for(self.folder))

    def signal_redis(self, number: signal.Signals) -> None:
        """SIGSTOP freezes it, SIGCONT thaws it."""
        pid = Redis(self.folder).pid()
        assert pid is not None, "Redis does not run"
        os.kill(pid, number)

    def revive(self) -> None:
        """Bring both servers up now."""
        self.stack.revive()


@contextmanager
def standing(inside: Path | None = None) -> Iterator[Ground]:
    """Servers, migrated and empty, in a folder of their own; everything is ended and removed after."""
    var_dir = Path(tempfile.mkdtemp(prefix="countersign-faults-", dir=inside))
    var_dir.chmod(0o755)
    outer = ("DATABASE_URL", "REDIS_URL", "PROCESS_ROLE", "FAILPOINTS")
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    environment |= {"VAR_DIR": str(var_dir), "SECRET_KEY": "only-for-tests"}
    stack = Stack(var_dir)
    try:
        addresses = stack.start()

        migrate = [sys.executable, str(ROOT / "manage.py"), "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        environment |= {"DATABASE_URL": addresses.database_url, "REDIS_URL": addresses.redis_url}
        shutil.copytree(KEYS, var_dir / "keys", dirs_exist_ok=True)  # the pair that this process seals with
        processes = Processes(var_dir / "log", free_port(8300), environment, restarts=100)
        ground = Ground(var_dir, stack, addresses, environment, processes)
        try:
            yield ground
        finally:
            ground.down()
    finally:
        stack.stop()
        shutil.rmtree(var_dir, ignore_errors=True)


class Background:
    """Something that goes on in a thread of its own until it is told to end; its error is raised then."""

    def __init__(self, act: Callable[[threading.Event], None]) -> None:
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(act,), daemon=True)
        self._error: BaseException | None = None

    def __enter__(self) -> "Background":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self, act: Callable[[threading.Event], None]) -> None:
        try:
            act(self._ends)
        except BaseException as error:  # raised again in the test's own thread
            self._error = error
        finally:
            connection.close()
