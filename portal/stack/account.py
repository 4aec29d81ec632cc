"""The system account that runs the servers. PostgreSQL refuses root, so root hands over to another one.

Refuses to widen anybody's permissions: what the account cannot reach is moved or copied elsewhere.
"""

import os
import pwd
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from portal.stack.errors import StackError

NAME = "countersign"
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group of the operating system."""

    uid: int
    gid: int

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run `command` to its end as this account, from `/`, with an environment of its own.

        The caller's PG* variables, locale and working folder would change what the servers do.
        """
        other = is_root()
        try:
            return subprocess.run(
                [str(word) for word in command],
                cwd="/",
                env={"PATH": SEARCH_PATH, "LC_ALL": "C", "TZ": "UTC"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                user=self.uid if other else None,
                group=self.gid if other else None,
                extra_groups=[] if other else None,
            )
        except subprocess.TimeoutExpired as error:
            raise StackError(f"{command[0]} did not end within {TIMEOUT_SECONDS} s") from error
        except OSError as error:
            raise StackError(f"cannot run {command[0]} as user {self.uid}: {error.strerror}") from error

    def may(self, permission: str, path: Path) -> bool:
        """Whether the account has `permission` (`-r`, `-w` or `-x` of test(1)) on `path`."""
        return self.run("test", permission, path).returncode == 0


def is_root() -> bool:
    """Whether this process may, and must, hand the servers to another account."""
    return os.geteuid() == 0


def account_for(folder: Path) -> Account:
    """Who runs the servers of `folder`: this user; for root the folder's owner, or the account NAME."""
    if not is_root():
        return Account(os.geteuid(), os.getegid())
    if folder.exists() and folder.stat().st_uid != 0:
        return Account(folder.stat().st_uid, folder.stat().st_gid)
    entry = _find() or _create()
    return Account(entry.pw_uid, entry.pw_gid)


def _find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    for pause in (0.5, 1.0, 0.0):  # the password file may be locked by another useradd
        try:
            made = subprocess.run(command, capture_output=True, text=True, env={"PATH": SEARCH_PATH})
        except OSError as error:
            raise StackError(f"cannot run useradd: {error.strerror}. {_ADVICE}") from error
        if entry := _find():
            return entry
        time.sleep(pause)
    raise StackError(f"useradd failed: {made.stderr.strip().splitlines()[-1:]}. {_ADVICE}")


_ADVICE = f"PostgreSQL refuses to run as root: start as another user, or add a system user {NAME!r}"
