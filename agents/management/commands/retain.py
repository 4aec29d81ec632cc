"""`retain`: what the hourly job does, now."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import retention
from portal import workspace


class Command(BaseCommand):
    """Takes away what was kept long enough; may be killed and run again."""

    help = "Take away transcripts, steps and tool calls that were kept long enough, as the hourly job does."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("--workspace", default=None)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Batch by batch, until nothing is left or the most that one run takes."""
        try:
            key = workspace.find(options["workspace"])
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from error
        taken = retention.run(workspace=key)
        words = ", ".join(f"{count} of {table}" for table, count in taken.items()) or "nothing is over its time"
        self.stdout.write(json.dumps({"taken": taken}) if options["json"] else words)
