"""`audit_export`: the sealed log as a folder that outsiders can verify."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit import export, notes, verifications, verify


class Command(BaseCommand):
    """Entries of every workspace, every checkpoint, the anchors, and the keys that this installation verifies with."""

    help = (
        "Write the sealed log as a bundle: entries.jsonl, checkpoints/SIZE.note, anchors.jsonl, log.vkey."
        " Each export is on the log."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/audit.md`."""
        parser.add_argument("--out", type=Path, required=True, help="a folder that is new or empty")
        parser.add_argument(
            "--payloads", action="store_true",
            help="add payloads.jsonl to a bundle: personal values in the open, for who may open them",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it and say how much there is."""
        out = options["out"]
        try:
            if options["payloads"]:
                self.stdout.write(f"{export.write_values(out)} values in {out}")
                return
            try:
                keys = verifications.trusted()
            except verifications.NoKeys:
                keys = []
            self.stdout.write(f"{export.write(out, keys)} entries in {out}")
        except (export.ExportError, notes.BadKey, OSError) as error:
            raise CommandError(str(error), returncode=2) from error
        except verify.Finding as finding:
            raise CommandError(str(finding), returncode=finding.code) from finding
