"""`sweep`: go over all contacts of a workspace now, for people who are there twice and for repairs."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.models import Sweep
from agents.sweeps import planning
from portal import workspace

PAUSE_SECONDS = 0.5
SHOWN = ("state", "total", "found", "known", "proposed", "repairs", "left", "because")


class Command(BaseCommand):
    """Begin one, and with --wait follow it to its end."""

    help = (
        "Begins a sweep of a workspace's contacts; workers of the agents queue do it. "
        "What it finds comes before people as proposals, no more than the plan's caps allow."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, and whether to wait."""
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")
        parser.add_argument("--wait", action="store_true", help="until it has ended")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Exit code 2 and one line when the input is wrong, 1 when the sweep failed."""
        try:
            key = workspace.find(options["workspace"])
            with workspace.within(key) as now:
                row = planning.begin(workspace=key, actor="system:sweep", now=now)
        except (LookupError, planning.UnderWay) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["wait"]:
            row = self._follow(key, row)
        said = {"sweep": row.pk, **{name: getattr(row, name) for name in SHOWN}}
        self.stdout.write(json.dumps(said) if options["json"] else "\n".join(f"{k:10} {v}" for k, v in said.items()))
        if row.state == Sweep.State.FAILED:
            raise CommandError(row.because, returncode=1)
        if row.state == Sweep.State.STOPPED:
            raise CommandError(f"{row.stopped_by} stopped it", returncode=1)

    def _follow(self, key: int, row: Sweep) -> Sweep:
        before = ""
        while row.finished_at is None:
            time.sleep(PAUSE_SECONDS)
            with workspace.within(key):
                row = Sweep.objects.get(pk=row.pk)
            line = f"{row.state}: {row.total} contacts, {row.found} pairs found, {row.proposed} proposed"
            if line != before:
                self.stderr.write(line, str)
                before = line
        return row
