"""`audit_export`: the sealed log as a folder that outsiders can verify."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import export, notes


class Command(BaseCommand):
    """Entries of every workspace, every checkpoint, and the key to verify with where this process knows it."""

    help = "Write the sealed log as a bundle: entries.jsonl, checkpoints/SIZE.note, log.vkey."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("--out", type=Path, required=True, help="a folder that is new or empty")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it and say how much there is."""
        key = settings.LOG_SIGNING_KEY
        try:
            verifier = notes.Signer.parse(key.get_secret_value()).verifier if key is not None else None
            count = export.write(options["out"], verifier)
        except (export.ExportError, notes.BadKey, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write(f"{count} entries in {options['out']}")
