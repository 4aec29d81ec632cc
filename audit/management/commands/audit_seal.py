"""`audit_seal`: the sealer, a process of its own and the only one that holds the key of the log."""

import logging
import signal
import time
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error, connection

from audit import anchors, notes, sealing
from audit.anchoring import Anchoring

EVERY_SECONDS, AWAY_SECONDS = 0.25, 1.0
logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Seals every quarter of a second until SIGTERM or Ctrl-C; waits while another one does."""

    help = "Seal the log: give entries their leaves and sign the tree. One at a time; a second one waits."
    _ends = False
    _leads: bool | None = None

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("--once", action="store_true", help="seal all that is there now, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Check that this process is fit, then seal."""
        signer, old = _signer("LOG_SIGNING_KEY"), _signer("LOG_SIGNING_KEY_OLD")
        if signer is None:
            raise CommandError(
                "LOG_SIGNING_KEY is not set: nothing can be signed; docs/operations.md tells how", returncode=2
            )
        anchoring = _anchoring([signer.verifier, *([old.verifier] if old else [])])
        try:
            sealer = sealing.Sealer(signer, old=old, look=anchoring.look)
            if options["once"]:
                self._once(sealer, anchoring)
                return
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, self._end)
            self._forever(sealer, anchoring)
        except (sealing.SealingError, anchors.AnchorError) as error:
            raise CommandError(f"nothing is signed any more: {error}", returncode=1) from error
        finally:
            anchoring.stop()

    def _once(self, sealer: sealing.Sealer, anchoring: Anchoring) -> None:
        total = 0
        while made := sealer.step():
            total += made
        if made is None:
            raise CommandError("another sealer leads; it seals them", returncode=1)
        anchoring.finish(anchors.GIT_SECONDS)
        self.stdout.write(f"sealed {total}")

    def _forever(self, sealer: sealing.Sealer, anchoring: Anchoring) -> None:
        """A database that is away is asked again for as long as it takes."""
        fit = False
        while not self._ends:
            try:
                if not fit:
                    self.check(databases=["default"])
                    fit = True
                made = sealer.step()
                if made is not None:
                    anchoring.step()
            except Error as error:
                logger.warning("the log is not sealed now: %s", error)
                connection.close()
                time.sleep(AWAY_SECONDS)
                continue
            self._say_who_leads(leads=made is not None)
            if made != sealing.BATCH:
                time.sleep(EVERY_SECONDS)

    def _say_who_leads(self, *, leads: bool) -> None:
        if leads is not self._leads:
            logger.info("sealing" if leads else "another sealer leads; waiting")
            self._leads = leads

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._ends = True


def _signer(name: str) -> notes.Signer | None:
    given = getattr(settings, name)
    try:
        return notes.Signer.parse(given.get_secret_value()) if given is not None else None
    except notes.BadKey as error:
        raise CommandError(f"{name}: {error}", returncode=2) from error


def _anchoring(trusted: list[notes.Verifier]) -> Anchoring:
    remote = anchors.GitRemote(settings.ANCHOR_GIT, settings.ANCHOR_CLONE, trusted) if settings.ANCHOR_GIT else None
    return Anchoring(anchors.Directory(settings.ANCHOR_DIR, trusted), remote)
