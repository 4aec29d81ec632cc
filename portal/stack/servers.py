"""One PostgreSQL and one Redis in a folder: made, started in the background, asked, stopped.

Both listen on a unix socket in that folder and on no port. The caller holds the folder's lock.
"""

import os
import shutil
import signal
import socket
import time
from abc import ABC, abstractmethod
from pathlib import Path

import psycopg

from portal.stack import processes
from portal.stack.account import Account
from portal.stack.addresses import PG_PORT, REDIS_SOCKET, SUPERUSER
from portal.stack.errors import StackError
from portal.stack.programs import Programs

START_SECONDS = 60
POLL_SECONDS = 0.05
FIRM_WORDS = ("FATAL", "PANIC", "ERROR", "# ")

POSTGRES_SETTINGS = {
    "listen_addresses": "",
    "port": str(PG_PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Server(ABC):
    """A server of `folder`, known by its name; its data lies in a folder of that name."""

    name: str
    stop_signal: signal.Signals

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / self.name
        self.log = folder / f"{self.name}.log"

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """Where the server writes its process id."""

    @abstractmethod
    def create(self, programs: Programs, account: Account) -> None:
        """Make the data folder where there is none."""

    @abstractmethod
    def launch(self, programs: Programs, account: Account) -> str:
        """Put the server in the background; gives what it said instead of its log."""

    @abstractmethod
    def ask(self) -> None:
        """Return once the server answers; OperationalError, ConnectionError or TimeoutError until then."""

    def pid(self) -> int | None:
        """Process id of the running server."""
        return processes.living(self.pid_file, self.data)

    def start(self, programs: Programs, account: Account) -> None:
        """Attach to the running server, or make and start one; returns once it answers."""
        if self.pid() is None:
            offset = self.log.stat().st_size if self.log.exists() else 0
            self.create(programs, account)
            said = self.launch(programs, account)
            if self.pid() is None:
                raise StackError(f"{self.name} did not start: {self._complaint(offset, said)} ({self.log})")
        self._await_answer()

    def stop(self) -> None:
        """End the server cleanly; nothing where it does not run."""
        processes.end(self.pid_file, self.data, self.stop_signal)

    def _await_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return self.ask()
            except (psycopg.OperationalError, ConnectionError, TimeoutError) as error:
                if self.pid() is None or time.monotonic() > deadline:
                    raise StackError(f"{self.name} runs but does not answer: {_line(str(error))}") from error
            time.sleep(POLL_SECONDS)

    def _complaint(self, offset: int, said: str) -> str:
        lines = said.splitlines()
        if self.log.exists():
            lines += self.log.read_bytes()[offset:].decode(errors="replace").splitlines()
        firm = [line for line in lines if any(word in line for word in FIRM_WORDS)]
        return _line(*(firm or lines))


class Postgres(Server):
    """PostgreSQL 18. Everybody who reaches the socket is believed; the folder's mode says who that is."""

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast": sessions are cut, everything is written

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def create(self, programs: Programs, account: Account) -> None:
        if self.data.exists():
            return
        unfinished = self.folder / "postgres.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        made = account.run(
            programs.initdb, "-D", unfinished, "--username", SUPERUSER, "--auth-local=trust",
            "--auth-host=reject", "--encoding=UTF8", "--locale-provider=builtin", "--locale=C",
            "--builtin-locale=C.UTF-8", "--lc-messages=C",
        )  # fmt: skip
        if made.returncode:
            raise StackError(f"initdb failed in {self.folder}: {_line(made.stderr)}")
        # The name appears only once all of it is there: a killed initdb leaves no half data folder behind.
        unfinished.rename(self.data)

    def launch(self, programs: Programs, account: Account) -> str:
        self._disown_stale_locks()
        settings = POSTGRES_SETTINGS | {"unix_socket_directories": str(self.folder)}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        command = ("start", "-w", "-s", "-t", START_SECONDS, "-D", self.data, "-l", self.log, "-o", options)
        for _ in range(5):
            said = account.run(programs.pg_ctl, *map(str, command)).stderr
            if self.pid() or not self.log.exists() or b"still in use" not in self.log.read_bytes()[-2000:]:
                break
            time.sleep(1)  # backends of a killed server end by themselves
        return said

    def ask(self) -> None:
        with psycopg.connect(
            host=str(self.folder), port=PG_PORT, user=SUPERUSER, dbname="postgres", connect_timeout=5
        ) as connection:
            connection.execute("SELECT 1")

    def _disown_stale_locks(self) -> None:
        """Free the lock files whose pid another program carries now: PostgreSQL would believe them."""
        socket_lock = self.folder / f".s.PGSQL.{PG_PORT}.lock"
        if (pid := processes.recorded(socket_lock)) and processes.exists(pid):
            socket_lock.unlink()
        if (pid := processes.recorded(self.pid_file)) and processes.exists(pid):
            # PostgreSQL takes the pid of an ancestor for a stale one, and still looks at the rest of the
            # file: whether an orphaned backend holds the old shared memory.
            rest = self.pid_file.read_text().split("\n", 1)[1:]
            self.pid_file.write_text("\n".join([str(os.getpid()), *rest]))


class Redis(Server):
    """Redis 6.2, every write appended to a file that reaches the disk each second."""

    name = "redis"
    stop_signal = signal.SIGTERM

    @property
    def pid_file(self) -> Path:
        return self.folder / "redis.pid"

    def create(self, programs: Programs, account: Account) -> None:  # a folder is all it needs
        if not self.data.exists():
            made = account.run("mkdir", "-m", "700", self.data)
            if made.returncode:
                raise StackError(f"no folder for redis: {_line(made.stderr)}")

    def launch(self, programs: Programs, account: Account) -> str:
        done = account.run(
            programs.redis_server, "--port", "0", "--unixsocket", self.folder / REDIS_SOCKET,
            "--unixsocketperm", "700",
            "--dir", self.data, "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
            "--maxmemory-policy", "noeviction", "--pidfile", self.pid_file, "--logfile", self.log,
            "--set-proc-title", "no", "--daemonize", "yes",
        )  # fmt: skip
        deadline = time.monotonic() + 5  # it forks before it writes its pid
        while self.pid() is None and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        return done.stdout + done.stderr

    def ask(self) -> None:
        # By hand: importing the client library would take longer than all the rest of an attach.
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            client.connect(str(self.folder / REDIS_SOCKET))
            client.sendall(b"PING\r\n")
            answer = client.recv(64)
        if not answer.startswith(b"+PONG"):  # "-LOADING" while it reads its file
            raise ConnectionError(answer.decode(errors="replace"))


def _line(*texts: str) -> str:
    """The last line that says something."""
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
