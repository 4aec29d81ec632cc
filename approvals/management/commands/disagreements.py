"""`disagreements`: second looks that came out otherwise than what was decided, as cases to evaluate agents on."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.blind import cases
from portal import workspace

OPERATOR = "system:operator"


class Command(BaseCommand):
    """One JSON object a line. They hold what customers wrote: keep them where such data may lie."""

    help = "Print disagreements of second looks as cases, one JSON object a line; it is put on the log."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("--workspace", default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        """All there are, oldest first."""
        try:
            key = workspace.find(options["workspace"])
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from error
        with workspace.within(key) as now:
            for case in cases.export(workspace=key, actor=OPERATOR, now=now):
                self.stdout.write(json.dumps(case, ensure_ascii=False, sort_keys=True))
