"""`import_books`: the books of a folder into a workspace, from the command line."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import imports, workspace


class Command(BaseCommand):
    """Parse, one call, print; everything else is `portal.imports`."""

    help = (
        "Brings customers, payment methods, orders, items, payments and policy clauses (CSV and JSONL tables "
        "of one folder) into a workspace: all, or none if a line is broken. The same folder again is a no-op."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder, and where to."""
        parser.add_argument("folder", metavar="DIR", type=Path, help="the folder that holds the six tables")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")
        parser.add_argument("--json", action="store_true", help="print one JSON object of counts")

    def handle(self, *_: Any, **options: Any) -> None:
        """Import; exit code 2 and one line when the input is wrong."""
        key = _workspace(options["workspace"])
        try:
            with workspace.within(key) as now:
                counts = imports.load(
                    options["folder"], workspace=key, actor="system:import", now=now,
                    progress=lambda line: self.stderr.write(line, str),
                )  # fmt: skip
        except imports.BooksRefused as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps({**counts.read, "new": counts.new}))
        else:
            self.stdout.write(f"{sum(counts.read.values())} rows, {sum(counts.new.values())} of them new")


def _workspace(slug: str | None) -> int:
    try:
        return workspace.find(slug)
    except LookupError as error:
        raise CommandError(str(error), returncode=2) from error
