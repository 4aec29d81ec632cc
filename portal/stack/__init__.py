"""The servers that come with the program: PostgreSQL and Redis in one folder, on unix sockets, no port.

Used before anything else on a ticket's path, where no `DATABASE_URL` and `REDIS_URL` name others. Imports
no Django. Refuses to touch a process or a folder that is not its own.
"""

import atexit
import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from portal.stack import addresses, place, programs
from portal.stack.account import account_for
from portal.stack.addresses import Addresses
from portal.stack.errors import StackError
from portal.stack.place import default_var_dir
from portal.stack.servers import Postgres, Redis, Server

__all__ = ["Addresses", "Stack", "StackError", "default_var_dir", "own", "resolve"]


class Stack:
    """The servers of one VAR_DIR. Several processes may use them; the last one to release them stops them.

    A killed process releases nothing and its servers stay: the next start attaches to them.
    """

    def __init__(self, var_dir: Path) -> None:
        self._var_dir = var_dir
        self._use: int | None = None
        self._user = os.getpid()

    def start(self, *, keep: bool = False) -> Addresses:
        """Attach to the servers, or start them. With `keep` they run until `stop`, whoever releases them.

        Raises `StackError`.
        """
        with _as_stack_error():
            settled = place.settle(self._var_dir)
            with _locked(settled.folder):
                found = programs.find(settled.account)
                for server in _servers(settled.folder):
                    server.start(found, settled.account)
                if keep:
                    (settled.folder / "keep").touch()
                self._hold(settled.folder)
            return addresses.embedded(settled.folder)

    def stop(self) -> None:
        """Stop what runs, also under the hands of other processes. Raises `StackError`."""
        with _as_stack_error():
            for folder in self._folders():
                with _locked(folder):
                    (folder / "keep").unlink(missing_ok=True)
                    _stop(folder)
            self._let_go()

    def release(self) -> None:
        """Stop the servers unless another process uses them or they were started to be kept."""
        if self._use is None or self._user != os.getpid():  # a forked worker inherits this object
            return
        with _as_stack_error():
            for folder in self._folders():
                with _locked(folder):
                    if not (folder / "keep").exists() and self._is_last():
                        _stop(folder)
            self._let_go()

    def pids(self) -> dict[str, int]:
        """Name and process id of each server that runs: `postgres`, `redis`. Raises `StackError`."""
        with _as_stack_error():
            servers = [server for folder in self._folders() for server in _servers(folder)]
            return {server.name: pid for server in servers if (pid := server.pid())}

    def revive(self) -> list[str]:
        """Start again the servers that ended by themselves; returns their names. Raises `StackError`."""
        revived = []
        with _as_stack_error():
            for folder in self._folders():
                with _locked(folder):
                    for server in _servers(folder):
                        if server.data.exists() and server.pid() is None:
                            runs_it = account_for(folder)
                            server.start(programs.find(runs_it), runs_it)
                            revived.append(server.name)
        return revived

    def running(self) -> bool:
        """Whether both servers run."""
        return self.pids().keys() == {Postgres.name, Redis.name}

    def __enter__(self) -> Addresses:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _folders(self) -> list[Path]:
        return [folder for folder in place.candidates(self._var_dir) if folder.is_dir()]

    def _hold(self, folder: Path) -> None:
        if self._use is None or self._user != os.getpid():
            self._use, self._user = os.open(folder / "users", os.O_RDWR | os.O_CREAT, 0o600), os.getpid()
            fcntl.flock(self._use, fcntl.LOCK_SH)

    def _is_last(self) -> bool:
        if self._use is None:
            return False
        try:
            fcntl.flock(self._use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _let_go(self) -> None:
        if self._use is not None and self._user == os.getpid():
            os.close(self._use)
        self._use = None


def resolve(env: Mapping[str, str], var_dir: Path) -> Addresses:
    """The servers that `env` names, else the embedded ones of `var_dir`, released when this process ends.

    Raises `StackError`, also where `env` names only one of the two.
    """
    if named := addresses.external(env):
        return named
    stack = Stack(var_dir)
    atexit.register(stack.release)
    return stack.start()


def own(env: Mapping[str, str], var_dir: Path) -> "Stack | None":
    """The embedded servers of `var_dir` where they are the ones that `env` names; None where others are."""
    named = env.get("DATABASE_URL", "")
    folders = place.candidates(var_dir)
    return Stack(var_dir) if named in {addresses.embedded(folder).database_url for folder in folders} else None


def _servers(folder: Path) -> tuple[Server, ...]:
    return Postgres(folder), Redis(folder)


def _stop(folder: Path) -> None:
    for server in reversed(_servers(folder)):
        server.stop()


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """One process at a time starts or stops the servers of `folder`; the kernel frees a dead one's lock."""
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _as_stack_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StackError(f"{error.filename or 'embedded servers'}: {error.strerror or error}") from error
