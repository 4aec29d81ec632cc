"""`benchmark`: what this machine does a second, ours beside a floor, in one run on a throwaway database."""

import json
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.benchmarks import auditing, claiming, crowd, filling, running


class Command(BaseCommand):
    """Measure, print."""

    help = (
        "Measures runs, claims or entries of the log a second beside a floor, in one run, in a throwaway database with"
        " fsync on."
        " Nothing is left behind."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        parser.add_argument("which", choices=["runs", "claims", "audit"])
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--size", metavar="N", type=int, help="how many runs, items or entries; for a quick look")

    def handle(self, *_: Any, **options: Any) -> None:
        """Exit code 1 where a measure could not be taken to its end."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the database goes either way
        size = {"items": options["size"]} if options["size"] else {}
        try:
            measures = {"claims": claiming.measure, "runs": running.measure, "audit": auditing.measure}
            report = measures[options["which"]](**size, say=lambda line: self.stderr.write(line, str))
        except (crowd.CrowdError, filling.NotWatched, running.Slow, auditing.Broken) as error:
            raise CommandError(str(error), returncode=1) from error
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        for name, figure in report.items():
            self.stdout.write(f"{name:16} {figure}")
