"""`replay`: a run once more, in dry-run, beside the original."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import anew, replay
from agents.replay import Compared, Replay
from agents.templatetags.measures import dollars
from portal import workspace


class Command(BaseCommand):
    """Parse, one call, print; everything else is `agents.replay`."""

    help = (
        "Works a run's case again with the code that is here, hands nothing in, and names what differs: step by step"
        " by digest, and in what was handed in field by field. Records are read as they are now. Models are asked only"
        " where another one or another prompt is named; that is paid for, within the caps of a run. Exit code 0: equal,"
        " 1: different, 2: wrong input."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which run, with what."""
        parser.add_argument("run", metavar="RUN", type=int, help="the number of the run")
        parser.add_argument("--workspace", metavar="SLUG", help="needed where there are several")
        parser.add_argument("--agent-version", metavar="V", default="", help="refuse to replay with another one")
        parser.add_argument(
            "--model",
            metavar="M",
            default="",
            help="another fitted model, by its digest, or a language model to ask anew",
        )
        parser.add_argument(
            "--prompt", metavar="V", action="append", default=[], help="ask anew with this version, such as classify.2"
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """Replay, print, and say by the exit code whether it is the same."""
        if not 0 < options["run"] < 2**63:
            raise CommandError("RUN: the number of a run", returncode=2)
        try:
            found = replay.replay(
                workspace=workspace.find(options["workspace"]), run=options["run"],
                agent_version=options["agent_version"], model=options["model"], prompts=options["prompt"],
            )  # fmt: skip
        except (replay.ReplayError, anew.AnewError, LookupError) as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(found.as_json(), ensure_ascii=False))
        else:
            self._print(found)
        if not found.equal:
            raise SystemExit(1)

    def _print(self, found: Replay) -> None:
        versions = ", ".join(
            f"{name} {_short(pair['then'])} then, {_short(pair['now'])} now" for name, pair in found.versions.items()
        )
        self.stdout.write(f"run {found.run} of {found.agent}: {'equal' if found.equal else 'different'} ({versions})")
        if found.asked_anew:
            self.stdout.write(f"  asked anew: {len(found.said)} calls of models, {dollars(found.cost)}")
        for call in found.said:
            ended = f"{call.outcome}: {call.error}" if call.error else call.outcome
            self.stdout.write(f"    {call.step}, {call.prompt}: {call.model} {ended}, {dollars(call.cost_micros)}")
        for step, words in found.unanswered.items():
            self.stdout.write(f"  no answer, {step}: {words}")
        for one in found.moved:
            self.stdout.write(f"  records changed since: reading {one.seq}, {one.name}: {_pair(one)}")
        for kind, rows in (("step", found.steps), ("reading", found.reads)):
            for one in rows:
                if one.difference and one not in found.moved:
                    self.stdout.write(f"  {kind} {one.seq}, {one.name}: {one.difference}{_pair(one)}")
        for field in found.fields:
            then, now = (json.dumps(value, ensure_ascii=False) for value in (field.then, field.now))
            self.stdout.write(f"  {field.paper}: {field.field}: {then} then, {now} now")


def _pair(one: Compared) -> str:
    return f" {one.then[:12]} then, {one.now[:12]} now" if one.then or one.now else ""


def _short(names: str) -> str:
    """Names of versions; a digest by its beginning."""
    return " ".join(name[:12] if len(name) == 64 else name for name in names.split()) or "none"
