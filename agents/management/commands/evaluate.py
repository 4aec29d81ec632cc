"""`evaluate`: the real agents in dry-run over labelled rows, in a throwaway database, and their figures."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.evals import bars, history, measuring, throwaway
from agents.evals.measuring import Measured
from agents.evals.suites import SUITES, find
from agents.evals.suites.base import Suite, SuiteError
from agents.lines import LineError
from agents.triage.classifier import ModelError
from portal import workspace
from portal.imports import BooksRefused

BACKENDS = ("offline",)
ALL = "all"


class Command(BaseCommand):
    """Parse, measure, write the predictions, keep, print."""

    help = (
        "Runs the real agent over labelled rows as in service, in a throwaway database, and prints how well "
        "it did and what changed since the last time. Labels are looked at after all answers are in; what is "
        "left behind are figures and marks below VAR_DIR/evaluations."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which suite, on what."""
        parser.add_argument("suite", choices=[*(suite.name for suite in SUITES), ALL])
        parser.add_argument("--data", metavar="DIR", type=Path, required=True,
                            help="the suite's folder; for `all`, the folder that holds one of each name")  # fmt: skip
        parser.add_argument("--limit", metavar="N", type=int, help="only the first N rows of each file")
        parser.add_argument("--backend", choices=BACKENDS, default="offline", help="which model answers")
        parser.add_argument("--train", metavar="DIR", type=Path, help="fit on the messages of this folder")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--predictions", metavar="FILE", type=Path, help="write what the agent did here")
        parser.add_argument("--bars", metavar="FILE", type=Path,
                            help="what each figure must reach, as JSON; exit code 1 when one is missed")  # fmt: skip

    def handle(self, *_: Any, **options: Any) -> None:
        """Evaluate; exit code 2 and one line when the input is wrong, 1 when a bar is missed."""
        _check(options)
        # A termination unwinds like Ctrl-C, so that the database goes either way.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            wanted = bars.read(options["bars"]) if options["bars"] else {}
            if options["suite"] != ALL:
                wanted = {name: figures for name, figures in wanted.items() if name == options["suite"]}
            measured = list(self._measure(options))
        except (SuiteError, ModelError, BooksRefused, LineError, bars.BarsError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["predictions"]:
            lines = (json.dumps(line, ensure_ascii=False) + "\n" for one in measured for line in one.predictions)
            options["predictions"].write_text("".join(lines), encoding="utf-8")
        reports = [self._keep(one) for one in measured]
        held = bars.hold(reports, wanted)
        self._print(reports, held, options)
        if missed := [one.words for one in held if not one.met]:
            raise CommandError("missed: " + "; ".join(missed), returncode=1)

    def _measure(self, options: dict[str, Any]) -> Iterator[Measured]:
        """All in one database that goes."""
        rows = [(suite, data, suite.read(data, options["limit"])) for suite, data in _chosen(options)]
        with throwaway.database():
            for suite, data, some in rows:
                yield measuring.measure(
                    suite, some, data=data, train=options["train"], progress=lambda line: self.stderr.write(line, str)
                )

    def _keep(self, one: Measured) -> dict[str, Any]:
        """The report, and how it compares with the last one on the same rows."""
        if not one.marks:
            return one.report
        with workspace.within(None) as now:
            kept = history.keep(report=one.report, marks=one.marks, now=now)
        since = history.change(kept)
        if since is None:
            return one.report | {"since": None}
        compared = {"name": since.before.name, "better": since.better, "worse": since.worse, "figures": since.figures}
        return one.report | {"since": compared}

    def _print(self, reports: list[dict[str, Any]], held: list[bars.Held], options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(reports if options["suite"] == ALL else reports[0]))
        elif held:
            self.stdout.writelines(f"{one}\n" for one in held)
        for report in () if options["json"] or held else reports:
            for name, figure in report.items():
                self.stdout.write(f"{name:26} {json.dumps(figure) if isinstance(figure, dict | list) else figure}")


def _chosen(options: dict[str, Any]) -> list[tuple[Suite, Path]]:
    """The suite asked for, or each for which the folder holds one of its name.

    Raises:
        SuiteError.
    """
    data: Path = options["data"]
    if options["suite"] != ALL:
        return [(find(options["suite"]), data)]
    found = [(suite, data / suite.name) for suite in SUITES if (data / suite.name).is_dir()]
    if not found:
        raise SuiteError(f"{data}: holds no folder of the name of a suite")
    return found


def _check(options: dict[str, Any]) -> None:
    train, predictions = options["train"], options["predictions"]
    if train is not None and train.resolve() == options["data"].resolve():
        raise CommandError("--train: nothing is measured on what it was fitted on", returncode=2)
    if options["limit"] is not None and options["limit"] < 1:
        raise CommandError("--limit: at least one row", returncode=2)
    if predictions and not predictions.parent.is_dir():
        raise CommandError(f"--predictions: there is no folder {predictions.parent}", returncode=2)
