"""`benchmark`: what this machine does, in one run on a throwaway database; a rate a second beside a floor."""

import json
import signal
from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.benchmarks import auditing, claiming, crowd, filling, looking_back, paging, running

MEASURES: dict[str, Callable[..., dict[str, Any]]] = {
    "runs": running.measure, "claims": claiming.measure, "queue": paging.measure, "audit": auditing.measure,
    "backtest": looking_back.measure,
}  # fmt: skip
FAILURES = (
    crowd.CrowdError, filling.NotWatched, running.Slow, auditing.Broken, paging.Broken, looking_back.Differs,
)  # fmt: skip


class Command(BaseCommand):
    """Measure, print."""

    help = (
        "Measures runs, claims, pages of the queue or entries of the log a second beside a floor, or how long a"
        " backtest takes and whether the gate agrees; in one run, in a throwaway database. Nothing is left behind."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        parser.add_argument("which", choices=list(MEASURES))
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--size", metavar="N", type=int, help="how many runs, items, entries or proposals; for a quick look"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Exit code 1 where a measure could not be taken to its end."""
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the database goes either way
        size = {"items": options["size"]} if options["size"] else {}
        try:
            report = MEASURES[options["which"]](**size, say=lambda line: self.stderr.write(line, str))
        except FAILURES as error:
            raise CommandError(str(error), returncode=1) from error
        if options["json"]:
            self.stdout.write(json.dumps(report))
            return
        for name, figure in report.items():
            self.stdout.write(f"{name:16} {figure}")
