"""Places outside the database where checkpoints are kept: a directory that is only added to, a git remote.

Whoever rewrites the database does not reach them, and is found out by them. Knows no tables; refuses to overwrite.
"""

import os
import re
import secrets
import signal
import subprocess  # nosec B404  # git alone, with arguments of our own
import time
from collections.abc import Sequence
from pathlib import Path

from audit import notes

BRANCH = "anchors"
GIT_SECONDS = 20.0
SAID_MOST = 200
_NAME = re.compile(r"(0|[1-9][0-9]{0,17})\.note", re.ASCII)


class AnchorError(Exception):
    """Base of what can be wrong with an anchor."""


class Fork(AnchorError):
    """An anchor has seen another history than the database holds. Nobody but a person can tell why."""


class NotKept(AnchorError):
    """The place does not take it now; it is tried again."""


class Directory:
    """Files `SIZE.note`, each written whole and once."""

    def __init__(self, folder: Path, trusted: Sequence[notes.Verifier]) -> None:
        self._folder, self._trusted = folder, trusted

    @property
    def name(self) -> str:
        """How `audit_anchor` calls it."""
        return f"directory:{self._folder}"

    def newest(self) -> tuple[notes.Head, Path] | None:
        """The largest checkpoint that lies here, and where; None where none does.

        Raises:
            Fork: it is none that this log's key signed. NotKept: it cannot be read now.
        """
        try:
            sizes = [int(name[1]) for name in map(_NAME.fullmatch, os.listdir(self._folder)) if name]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise NotKept(f"{self._folder}: {error.strerror or error}") from error
        if not sizes:
            return None
        path = self._folder / f"{max(sizes)}.note"
        return self._read(path), path

    def keep(self, note: str) -> None:
        """Add a checkpoint. One of the same tree that lies there already is enough.

        Raises:
            Fork: another tree of this size lies there. NotKept: the file system does not take it.
        """
        head = notes.head(notes.read(note, self._trusted))
        path = self._folder / f"{head.size}.note"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write_once(path, note)
        except OSError as error:
            raise NotKept(f"{path}: {error.strerror or error}") from error
        if self._read(path) != head:
            raise Fork(f"{path} holds another tree of {head.size} entries than the database; it is left as it is")

    def _read(self, path: Path) -> notes.Head:
        try:
            return notes.head(notes.read(path.read_text(encoding="utf-8"), self._trusted))
        except (notes.NoteError, UnicodeDecodeError) as error:
            raise Fork(f"{path} is no checkpoint of this log: {error}") from error
        except OSError as error:
            raise NotKept(f"{path}: {error.strerror or error}") from error


def _write_once(path: Path, text: str) -> None:
    """All of it or nothing, and never over another."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444), "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.link(beside, path)  # refuses what is there already
    except FileExistsError:
        return
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class GitRemote:
    """The same files as commits on the branch `anchors` of a remote, never forced; `folder` holds a clone."""

    def __init__(self, url: str, folder: Path, trusted: Sequence[notes.Verifier]) -> None:
        self._url, self._folder = url, folder
        self._files = Directory(folder, trusted)
        self._running: subprocess.Popen[str] | None = None

    @property
    def name(self) -> str:
        """How `audit_anchor` calls it: without what may be a secret in the address."""
        return "git:" + re.sub(r"//[^/@]*@", "//", self._url)

    def newest(self) -> tuple[notes.Head, Path] | None:
        """The largest checkpoint that was there when it was last asked."""
        return self._files.newest()

    def keep(self, note: str, *, seconds: float = GIT_SECONDS) -> None:
        """Commit and push, upon what others have pushed; within so many seconds in all.

        Raises:
            Fork, NotKept.
        """
        until = time.monotonic() + seconds
        if not (self._folder / ".git").exists():
            self._git(until, "init", "--quiet", f"--initial-branch={BRANCH}", str(self._folder), inside=False)
        if self._git(until, "ls-remote", "--", self._url, f"refs/heads/{BRANCH}"):
            self._git(until, "fetch", "--quiet", "--no-tags", "--depth=1", "--", self._url, f"refs/heads/{BRANCH}")
            self._git(until, "reset", "--quiet", "--hard", "FETCH_HEAD")
        self._files.keep(note)
        size = note.split("\n", 2)[1]
        self._git(until, "add", "--", f"{size}.note")
        if self._git(until, "status", "--porcelain", "--untracked-files=no"):
            self._git(until, "commit", "--quiet", "--no-gpg-sign", "--message", f"Checkpoint of {size}")
        self._git(until, "push", "--quiet", "--", self._url, f"HEAD:refs/heads/{BRANCH}")

    def stop(self) -> None:
        """End what is under way."""
        if (running := self._running) is not None and running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)

    def _git(self, until: float, *words: str, inside: bool = True) -> str:
        """What it printed. In a session of its own, so that its helpers end with it."""
        where = ["-C", str(self._folder)] if inside else []
        who = ["-c", "user.name=Countersign sealer", "-c", "user.email=sealer@countersign.invalid"]
        quiet = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes", "LC_ALL": "C"}
        try:
            with subprocess.Popen(  # nosec B603 B607  # no shell; git is found by the operator's PATH
                ["git", *where, *who, *words], env={**quiet, **os.environ, "GIT_TERMINAL_PROMPT": "0"}, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            ) as running:  # fmt: skip
                self._running = running
                said, wrong = self._hear(running, words[0], until)
        except OSError as error:
            raise NotKept(f"git: {error.strerror or error}") from error
        if running.returncode:
            last = (wrong.strip().splitlines() or ["no word why"])[-1].replace(self._url, self.name)
            raise NotKept(f"git {words[0]}: {last[:SAID_MOST]}")
        return said

    def _hear(self, running: "subprocess.Popen[str]", word: str, until: float) -> tuple[str, str]:
        try:
            return running.communicate(timeout=max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.stop()
            raise NotKept(f"git {word} took too long") from None
