"""Where the servers of a VAR_DIR keep data, sockets and logs: one folder, owned by who runs them.

Refuses a path that a unix socket or PostgreSQL's options cannot carry, and takes a state folder instead.
"""

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from portal.stack.account import Account, account_for, is_root
from portal.stack.errors import StackError

# sun_path holds 104 bytes on BSD and macOS, 108 on Linux, the closing zero included.
SOCKET_BYTES = 100
LONGEST_SOCKET = ".s.PGSQL.5432"
PLAIN = re.compile(r"[A-Za-z0-9_./@+~-]+")
ROOT_STATE = Path("/var/lib/countersign")


@dataclass(frozen=True, slots=True)
class Place:
    """`folder` holds everything; `account` owns and runs it."""

    folder: Path
    account: Account


def default_var_dir(env: Mapping[str, str]) -> Path:
    """`VAR_DIR` of `env`, else `var/` in the checkout."""
    return Path(env.get("VAR_DIR") or Path(__file__).parents[2] / "var")


def candidates(var_dir: Path) -> tuple[Path, Path]:
    """The folder inside `var_dir`, and the state folder that takes its place where that one cannot serve."""
    var_dir = var_dir.expanduser().resolve()
    name = hashlib.sha256(os.fsencode(var_dir)).hexdigest()[:16]
    return var_dir / "servers", _state_base() / name


def settle(var_dir: Path) -> Place:
    """Choose and make the folder. A state folder once taken stays the one; stderr says so at each start.

    Raises `StackError` when neither folder can serve.
    """
    inside, state = candidates(var_dir)
    fault = _fault(inside)
    if not fault and not state.is_dir():
        return _make(inside)
    if state_fault := _fault(state):
        raise StackError(f"{inside}: {fault}; {state}: {state_fault}; set VAR_DIR to another folder")
    sys.stderr.write(f"servers of {var_dir} lie in {state}: {fault or 'they lay there before'}\n")
    return _make(state)


def make_parent(folder: Path) -> None:
    """Make a folder that root's account can pass through, and nobody else where no root is involved."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711 if is_root() else 0o700)


def _state_base() -> Path:
    if is_root():
        return ROOT_STATE
    stated = Path(os.environ.get("XDG_STATE_HOME", ""))
    # The XDG specification has a relative path ignored.
    return (stated if stated.is_absolute() else Path.home() / ".local" / "state") / "countersign"


def _fault(folder: Path) -> str:
    """Why `folder` cannot serve; empty when it can."""
    if not PLAIN.fullmatch(str(folder)):
        return "the path holds a space or another character that a socket's address cannot carry"
    if len(os.fsencode(folder / LONGEST_SOCKET)) > SOCKET_BYTES:
        return f"a socket path would be over {SOCKET_BYTES} bytes"
    nearest = next(parent for parent in folder.parents if parent.exists())
    if is_root() and not account_for(folder).may("-x", nearest):
        return f"{nearest} is closed to the account that runs PostgreSQL in root's place"
    return ""


def _make(folder: Path) -> Place:
    make_parent(folder.parent)
    account = account_for(folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_root():
        os.chown(folder, account.uid, account.gid)
    elif folder.stat().st_uid != account.uid:
        raise StackError(f"{folder} belongs to another user: set VAR_DIR to another folder")
    return Place(folder, account)
