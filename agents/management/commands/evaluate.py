"""`evaluate`: the real agents in dry-run over labelled rows, in a throwaway database, and their figures."""

import json
import signal
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import roster
from agents.evals import figures, throwaway
from agents.evals.fitting import Fitting, Part, fitted
from agents.evals.stage import Stage
from agents.evals.suites import SUITES, find
from agents.evals.suites.base import Prediction, Row, Suite, SuiteError
from agents.lines import LineError
from agents.triage.classifier import ModelError
from approvals import policy
from portal.imports import BooksRefused

BACKENDS = ("offline",)


class Command(BaseCommand):
    """Parse, play, write the predictions, score, print."""

    help = (
        "Runs the real agent over labelled rows as in service, in a throwaway database, and prints how well "
        "it did. Labels are looked at after all answers are in; nothing is left behind."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which suite, on what."""
        parser.add_argument("suite", choices=[suite.name for suite in SUITES])
        parser.add_argument("--data", metavar="DIR", type=Path, required=True, help="the suite's folder")
        parser.add_argument("--limit", metavar="N", type=int, help="only the first N rows of each file")
        parser.add_argument("--backend", choices=BACKENDS, default="offline", help="which model answers")
        parser.add_argument("--train", metavar="DIR", type=Path, help="fit on the messages of this folder")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--predictions", metavar="FILE", type=Path, help="write what the agent did here")

    def handle(self, *_: Any, **options: Any) -> None:
        """Evaluate; exit code 2 and one line when the input is wrong."""
        _check(options)
        suite = find(options["suite"])
        # A termination unwinds like Ctrl-C, so that the database goes either way.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            rows = suite.read(options["data"], options["limit"])
            report, predictions = self._measure(suite, rows, options["data"], options["train"])
        except (SuiteError, ModelError, BooksRefused, LineError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["predictions"]:
            lines = (json.dumps(line, ensure_ascii=False) + "\n" for line in predictions)
            options["predictions"].write_text("".join(lines), encoding="utf-8")
        self._print(report | _score(suite, rows, predictions), options["json"])

    def _measure(
        self, suite: Suite, rows: Sequence[Row], data: Path, train: Path | None
    ) -> tuple[dict[str, Any], list[Prediction]]:
        started = time.monotonic()
        stage = Stage(data=data, progress=lambda line: self.stderr.write(line, str))
        given = [row.given for row in rows]
        fitting_of = (
            fitted(given, [row.labels for row in rows], train)
            if suite.fitted
            else nullcontext(Fitting(parts=[Part(given)]))
        )
        with fitting_of as fitting, throwaway.database():
            stage.progress(f"{len(rows)} rows; {fitting.how}")
            by_id = {str(line["id"]): line for line in suite.play(stage, fitting.parts)}
        predictions = [by_id[row.id] for row in rows]
        return {
            "suite": suite.name,
            "rows": len(rows),
            "seconds": round(time.monotonic() - started, 2),
            "p50_ms": figures.percentile(stage.milliseconds, 50),
            "p95_ms": figures.percentile(stage.milliseconds, 95),
            "cost_micros": stage.cost_micros,
            "versions": {
                "agents": {agent.name: agent.version for agent in roster.AGENTS},
                "model": fitting.how,
                "policy": policy.load().version,
            },
        }, predictions

    def _print(self, report: dict[str, Any], as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(report))
            return
        for name, figure in report.items():
            self.stdout.write(f"{name:24} {json.dumps(figure) if isinstance(figure, dict | list) else figure}")


def _check(options: dict[str, Any]) -> None:
    train, predictions = options["train"], options["predictions"]
    if train is not None and train.resolve() == options["data"].resolve():
        raise CommandError("--train: nothing is measured on what it was fitted on", returncode=2)
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError("--limit: at least one row", returncode=2)
    if predictions and not predictions.parent.is_dir():
        raise CommandError(f"--predictions: there is no folder {predictions.parent}", returncode=2)


def _score(suite: Suite, rows: Sequence[Row], predictions: Sequence[Prediction]) -> dict[str, Any]:
    """The suite's figures; none where the rows carry no labels."""
    try:
        return suite.score(rows, predictions)
    except KeyError as error:
        return {"unscored": f"the rows carry no label {error.args[0]!r}"}
