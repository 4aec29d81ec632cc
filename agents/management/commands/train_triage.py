"""`train_triage`: fits the triage classifier on labelled tickets and puts it in force in a workspace."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import triage_models
from agents.triage import classifier
from portal import workspace


class Command(BaseCommand):
    """Parse, fit, print."""

    help = (
        "Fits the triage classifier on the messages_*.jsonl of a folder (a line: text, queue, priority, "
        "perhaps intent), stores it by its hash below VAR_DIR/models and puts it in force. Without --data it "
        "learns from the messages that come with the program."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What from, where to."""
        parser.add_argument("--data", metavar="DIR", type=Path, help="folder with messages_*.jsonl")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Fit; exit code 2 and one line when the input is wrong."""
        try:
            key = workspace.find(options["workspace"])
            rows = triage_models.read_folder(options["data"]) if options["data"] else classifier.read_seeds()
            self.stderr.write(f"fitting on {len(rows)} messages", str)
            digest = triage_models.fit(rows)
        except (LookupError, classifier.ModelError) as error:
            raise CommandError(str(error), returncode=2) from error
        with workspace.within(key) as now:
            triage_models.put_in_force(
                workspace=key, digest=digest, rows=len(rows), actor="system:train_triage", now=now
            )
        if options["json"]:
            self.stdout.write(json.dumps({"model": digest, "rows": len(rows)}))
        else:
            self.stdout.write(f"model {digest} is in force")
