"""`erase`: the operator's hand on erasing a person, and on legal holds that forbid it."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import erasing
from audit import holds
from portal import workspace

OPERATOR = "system:operator"


class Command(BaseCommand):
    """Erases one customer or contact; nothing is half done."""

    help = "Erase a customer or a contact with everything that is theirs; the log keeps its entries and still verifies."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("subject", help="customer:ID or contact:ID, by the id in the books")
        parser.add_argument("--workspace", default=None)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """One transaction."""
        try:
            key = workspace.find(options["workspace"])
            with workspace.within(key) as now:
                subject = erasing.find(workspace=key, name=options["subject"])
                done = erasing.erase(workspace=key, subject=subject, actor=OPERATOR, now=now)
        except (LookupError, erasing.ErasingError, holds.HoldError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            found = {"subject": done.subject, "counts": dict(done.counts)}
            self.stdout.write(json.dumps({**found, "withdrawn": done.withdrawn, "resolved": done.resolved}))
            return
        for table, count in done.counts.items():
            self.stdout.write(f"{count:>8}  {table}")
        self.stdout.write(
            f"{done.subject} is erased: {done.withdrawn} proposals withdrawn, {done.resolved} hand-offs ended"
        )
