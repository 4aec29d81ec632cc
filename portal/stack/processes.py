"""Which process a pid file means. A pid alone proves nothing: after a crash another program may carry it."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from portal.stack.account import SEARCH_PATH
from portal.stack.errors import StackError

STOP_SECONDS = 60
POLL_SECONDS = 0.02


def living(pid_file: Path, data: Path) -> int | None:
    """The pid on the first line of `pid_file`, if that process was started with `data` as an argument."""
    pid = recorded(pid_file)
    return pid if pid and str(data) in _arguments(pid) else None


def recorded(pid_file: Path) -> int | None:
    """The pid on the first line of `pid_file`, whoever that is now; None without one."""
    try:
        return int(pid_file.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):  # a crash may leave an empty file
        return None


def exists(pid: int) -> bool:
    """Whether any process carries `pid`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(pid_file: Path, data: Path, with_signal: signal.Signals) -> None:
    """Signal the process of `data` and wait until it is gone. Raises `StackError` after STOP_SECONDS."""
    deadline = time.monotonic() + STOP_SECONDS
    if pid := living(pid_file, data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, with_signal)
        while str(data) in _arguments(pid):
            if time.monotonic() > deadline:
                raise StackError(f"process {pid} of {data} did not stop within {STOP_SECONDS} s")
            time.sleep(POLL_SECONDS)


def _arguments(pid: int) -> list[str]:
    """The command line of `pid`; empty once it has ended, also while nobody has collected its status."""
    if not Path("/proc/self/cmdline").exists():
        listing = ["ps", "-o", "command=", "-p", str(pid)]
        shown = subprocess.run(listing, capture_output=True, text=True, env={"PATH": SEARCH_PATH})
        return shown.stdout.split()
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return []
