"""`take_in`: tickets, refund requests or contacts of a JSONL file into a workspace, from the command line."""

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import intake, line_files, queries, roster
from agents.intake import Taken
from portal import workspace

BATCH = 50
PATIENCE = 120.0
PAUSE = 0.25


class Command(BaseCommand):
    """Parse, take in, wait, print; everything else is `agents.intake`."""

    help = (
        "Takes lines of a JSONL file in for an agent: all, or none if a line is broken. A line whose id is "
        "known is a no-op. Lines: refunds id, from_customer_id, from_email, text; triage id, text; contacts "
        "id, record, locked_fields; anything else on a line is dropped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What, for whom, where to."""
        parser.add_argument("file", metavar="FILE.jsonl", type=Path, help="one JSON object a line")
        parser.add_argument("--agent", required=True, choices=roster.NAMES, help="who works on them")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")
        parser.add_argument("--wait", action="store_true", help="until all runs have ended and are gated")
        parser.add_argument("--json", action="store_true", help="print what came of each line")

    def handle(self, *_: Any, **options: Any) -> None:
        """Take in; exit code 2 and one line when the input is wrong, 1 when no worker answers."""
        try:
            key = workspace.find(options["workspace"])
            lines = line_files.read(options["file"], roster.find(options["agent"]).line)
        except (LookupError, line_files.FileRefused) as error:
            raise CommandError(str(error), returncode=2) from error
        taken = list(self._take(key, options["agent"], lines))
        if options["wait"]:
            self._wait(key, [one.case for one in taken])
        new = sum(one.new for one in taken)
        if options["json"]:
            self.stdout.write(json.dumps({"taken": new, "rows": _rows(key, taken)}))
        else:
            self.stdout.write(f"{len(taken)} lines, {new} of them new")

    def _take(self, key: int, agent: str, lines: Sequence[dict[str, object]]) -> Iterator[Taken]:
        for start in range(0, len(lines), BATCH):
            with workspace.within(key) as now:
                for line in lines[start : start + BATCH]:
                    yield intake.take_in(workspace=key, agent=agent, line=line, actor="system:take_in", now=now)
            self.stderr.write(f"{min(start + BATCH, len(lines))} of {len(lines)} taken in", str)

    def _wait(self, key: int, cases: Sequence[int]) -> None:
        left, since = -1, time.monotonic()
        while True:
            with workspace.within(key):
                now_left = queries.count_unsettled(workspace=key, cases=cases)
            if now_left != left:
                left, since = now_left, time.monotonic()
                self.stderr.write(f"{left} not settled yet", str)
            if not left:
                return
            if time.monotonic() - since > PATIENCE:
                raise CommandError(
                    f"{left} runs or submissions made no progress for {PATIENCE:.0f} s: no worker answers; "
                    "is `manage.py demo` running?"
                )
            time.sleep(PAUSE)


def _rows(key: int, taken: Sequence[Taken]) -> list[dict[str, Any]]:
    with workspace.within(key):
        came = queries.results(workspace=key, cases=[one.case for one in taken])
    return [{"id": one.id, **row} for one, row in zip(taken, came, strict=True)]
