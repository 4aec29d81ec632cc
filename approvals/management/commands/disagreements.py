"""`disagreements`: where people said otherwise than an agent, or than who decided first, as cases to evaluate on."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from approvals.blind import cases
from portal import workspace

OPERATOR = "system:operator"
EXPORTS = {"second-looks": cases.export, "decisions": cases.export_overruled}


class Command(BaseCommand):
    """One JSON object a line. They hold what customers wrote: keep them where such data may lie."""

    help = "Print where people disagreed as cases, one JSON object a line; it is put on the log."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("--workspace", default=None)
        parser.add_argument(
            "--of", choices=sorted(EXPORTS), default="second-looks",
            help="second-looks: those that came out otherwise; decisions: what was rejected or edited of an agent's",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        """All there are, oldest first."""
        try:
            key = workspace.find(options["workspace"])
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from error
        with workspace.within(key) as now:
            for case in EXPORTS[options["of"]](workspace=key, actor=OPERATOR, now=now):
                self.stdout.write(json.dumps(case, ensure_ascii=False, sort_keys=True))
