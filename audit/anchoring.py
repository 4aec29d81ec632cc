"""Anchors the log: the newest checkpoint goes to each place once a minute, by the sealer, which notes how it went.

Looks at each place before anything is signed: a sealer whose tables are not what was anchored refuses to go on. A
place that does not answer never holds up sealing.
"""

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from audit import anchors, tree
from audit.models import Anchor, Checkpoint
from audit.tiles import Tiles

EVERY_SECONDS = 60.0
MOST = 300
logger = logging.getLogger(__name__)


class RolledBack(anchors.AnchorError):
    """An anchor has seen more than the database holds: it was rolled back, or is another one."""


@dataclass
class _Errand:
    """One attempt at the remote, in a thread of its own; `error` is there once it has ended."""

    checkpoint: int
    thread: threading.Thread
    error: anchors.AnchorError | None = None


class Anchoring:
    """All places of one log. `look` before signing, `step` after; both on the sealer's thread and connection."""

    def __init__(
        self, directory: anchors.Directory, remote: anchors.GitRemote | None = None, *, every: float = EVERY_SECONDS
    ) -> None:
        self._directory, self._remote, self._every = directory, remote, every
        self._next = 0.0
        self._errand: _Errand | None = None
        self._kept: dict[str, int] = {}

    def look(self, size: int) -> None:
        """Compare what lies in each place with the tables, which hold `size` leaves.

        Raises:
            RolledBack, anchors.Fork: the message names the file.
        """
        places: Sequence[anchors.Directory | anchors.GitRemote] = [
            self._directory, *([self._remote] if self._remote else [])
        ]  # fmt: skip
        for place in places:
            try:
                found = place.newest()
            except anchors.NotKept as error:
                logger.warning("an anchor cannot be read now: %s", error)
                continue
            if found is None:
                continue
            head, path = found
            if head.size > size:
                raise RolledBack(
                    f"{path} has seen {head.size} entries, the database holds {size} sealed ones: it was rolled back,"
                    " or is another one. Bring the newer one back; a new log needs a key and a folder of its own"
                )
            if tree.frontier(head.size, Tiles()).root() != head.root:
                raise anchors.Fork(f"{path} has seen other first {head.size} entries than the database holds")

    def step(self) -> None:
        """Once a minute, where something is new: keep the newest checkpoint everywhere. Waits for no remote.

        Raises:
            RolledBack, anchors.Fork.
        """
        self._collect()
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self._every
        last = Checkpoint.objects.order_by("-pk").first()
        if last is not None:
            self.look(last.size)
            self._keep(last)

    def finish(self, seconds: float) -> None:
        """Keep what is newest now, and give the remote so long to take it."""
        self._next = 0.0
        self.step()
        if self._errand is not None:
            self._errand.thread.join(seconds)
            connection.close()  # the server ends a sealer's session that stood still for so long
        self._collect()

    def stop(self) -> None:
        """Leave what is under way; it is tried again another time."""
        if self._remote is not None:
            self._remote.stop()

    def _keep(self, last: Checkpoint) -> None:
        if self._kept.get(self._directory.name) != last.pk:
            try:
                self._directory.keep(last.note)
            except anchors.NotKept as error:
                self._note(self._directory.name, last.pk, error)
            else:
                self._note(self._directory.name, last.pk, None)
        if self._remote is not None and self._errand is None and self._kept.get(self._remote.name) != last.pk:
            thread = threading.Thread(target=self._send, args=(self._remote, last.note), daemon=True)
            self._errand = _Errand(last.pk, thread)
            thread.start()

    def _send(self, remote: anchors.GitRemote, note: str) -> None:
        errand = self._errand
        try:
            remote.keep(note)
        except anchors.AnchorError as error:
            if errand is not None:
                errand.error = error

    def _collect(self) -> None:
        """Note how the last errand ended, once it has."""
        errand, remote = self._errand, self._remote
        if errand is None or remote is None or errand.thread.is_alive():
            return
        self._errand = None
        if isinstance(errand.error, anchors.Fork):
            self._note(remote.name, errand.checkpoint, errand.error)
            raise errand.error
        self._note(remote.name, errand.checkpoint, errand.error)

    def _note(self, where: str, checkpoint: int, error: anchors.AnchorError | None) -> None:
        if error is None:
            self._kept[where] = checkpoint
        else:
            logger.warning("not anchored in %s: %s", where, error)
        outcome = Anchor.Outcome.FAILED if error else Anchor.Outcome.KEPT
        with connection.cursor() as cursor:  # the time is the database's own to say
            cursor.execute(
                'INSERT INTO audit_anchor (checkpoint_id, "where", outcome, because) VALUES (%s, %s, %s, %s)',
                [checkpoint, where[:MOST], outcome, str(error or "")[:MOST]],
            )
