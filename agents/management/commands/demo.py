"""`demo`: everything at once, with a sample shop at work; Ctrl-C stops all of it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import triage_models
from agents.demo import processes, staffing, staging
from agents.demo.cast import CAST, SHOP
from agents.demo.supervision import Supervisor
from portal import env, stack

HOW_TO_CODE = (
    "  Signing in with a one-time secret, and deciding on high tier, asks for a code: put the secret into any\n"
    "  authenticator app, or run  .venv/bin/python manage.py one_time_code mara@kestrel.example"
)
WAITING, AT_ONCE, EVERY_SECONDS, SLOW_SECONDS, FAST_ARRIVALS, SWEPT_AFTER = 20, 5, 5, 60, 60, 15
SETTLE_SECONDS = 180
ENDED = {"applied", "rejected", "denied", "expired", "withdrawn", "failed"}


class Command(BaseCommand):
    """Brings the sample shop up and keeps it going."""

    help = "Start web, workers, beat and sealer on a sample shop; Ctrl-C stops all of it."

    def add_arguments(self, parser: CommandParser) -> None:
        """See the README."""
        parser.add_argument("--tickets", type=int, default=None, help="take in this many arrivals and no more")
        parser.add_argument("--decide", action="store_true", help="the sample staff decide by themselves")
        parser.add_argument("--exit", action="store_true", help="end when everything taken in is worked to its end")
        parser.add_argument("--json", action="store_true", help="print one JSON object of counts at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate, stage, start, feed, until Ctrl-C or the end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _interrupt)
        wanted = env.read().port
        try:
            port = processes.free_port(wanted, tries=1) if wanted else processes.free_port()
        except processes.ProcessError as error:
            raise CommandError(str(error), returncode=2) from error
        self._migrate()
        shop = staging.stage(self._say)
        self._say("fitting the offline classifier, where it is not there yet")
        triage_models.ensure_default()
        running = processes.Processes(Path(settings.VAR_DIR) / "log", port)
        watch = Supervisor(running, stack.own(os.environ, settings.VAR_DIR), self._say)
        try:
            running.start()
            running.wait_for_web()
            watch.start()
            self._run(watch, port, shop, options)
        except KeyboardInterrupt:
            self._say("stopping")
        except processes.ProcessError as error:
            raise CommandError(str(error), returncode=1) from error
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            watch.stop()
            running.stop()

    def _say(self, text: str) -> None:
        self.stderr.write(f"  {text}")

    def _migrate(self) -> None:
        self._say("bringing the database up to date")
        manage = str(Path(settings.BASE_DIR) / "manage.py")
        environment = {**os.environ, "PROCESS_ROLE": "owner"}
        done = subprocess.run(  # our own program
            [sys.executable, manage, "migrate", "--verbosity", "0"], env=environment, check=False
        )
        if done.returncode:
            raise CommandError("the database could not be brought up to date; see above", returncode=done.returncode)

    def _run(self, watch: Supervisor, port: int, shop: int, options: dict[str, Any]) -> None:
        rest = staging.arrivals()[: options["tickets"]]
        self._say("taking in the first tickets")
        new = self._fill(watch, shop, rest, decide=options["decide"])
        if new and watch.patiently(lambda: staffing.change_meanwhile(shop)):
            self._settle(watch, shop, decide=False)
            watch.patiently(lambda: staffing.decide_by_hand(shop))
        if options["exit"]:
            for arrival in rest:
                self._receive(watch, shop, arrival)
            self._settle(watch, shop, decide=options["decide"])
            watch.patiently(lambda: staging.sweep(shop))
            self._settle(watch, shop, decide=options["decide"], to_the_end=options["decide"])
            self._report(shop, as_json=options["json"])
            return
        self._print_address(port)
        self._trickle(watch, shop, rest, decide=options["decide"])

    def _fill(self, watch: Supervisor, shop: int, rest: list[staging.Arrival], *, decide: bool) -> bool:
        """Take in until about twenty proposals wait, unless the staff decide; whether anything was new."""
        new = False
        while rest and (decide or watch.patiently(lambda: staffing.counts(shop)).get("pending", 0) < WAITING):
            new |= sum(self._receive(watch, shop, rest.pop(0)) for _ in range(min(AT_ONCE, len(rest)))) > 0
            self._settle(watch, shop, decide=decide)
        return new

    def _trickle(self, watch: Supervisor, shop: int, rest: list[staging.Arrival], *, decide: bool) -> None:
        taken = 0
        while True:
            time.sleep(EVERY_SECONDS if taken < FAST_ARRIVALS else SLOW_SECONDS)
            watch.check()
            while rest and not self._receive(watch, shop, rest.pop(0)):
                pass
            taken += 1
            if taken == SWEPT_AFTER:
                watch.patiently(lambda: staging.sweep(shop))
            if decide:
                watch.patiently(lambda: staffing.decide_all(shop))

    def _receive(self, watch: Supervisor, shop: int, arrival: staging.Arrival) -> bool:
        """Take one in, which is safe to do twice; whether it was new."""
        return bool(watch.patiently(lambda: staging.receive(shop, arrival)).new)

    def _settle(self, watch: Supervisor, shop: int, *, decide: bool, to_the_end: bool = False) -> None:
        """Until every run ended and every submission is gated; with `to_the_end` until nothing is open at all."""
        until = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < until:
            watch.check()
            if decide:
                watch.patiently(lambda: staffing.decide_all(shop))
            now = watch.patiently(lambda: staffing.counts(shop))
            busy = now["runs_open"] + now["sweeps_open"] + now["submissions_open"]
            still_open = sum(n for state, n in now.items() if not _ended(state)) if to_the_end else 0
            if not busy and not still_open:
                return
            time.sleep(0.3)
        raise CommandError(f"not done after {SETTLE_SECONDS} s: {staffing.counts(shop)}", returncode=1)

    def _report(self, shop: int, *, as_json: bool) -> None:
        now = staffing.counts(shop)
        if as_json:
            self.stdout.write(json.dumps(now, sort_keys=True))
            return
        for state, number in sorted(now.items()):
            self.stdout.write(f"{state:<20} {number}")

    def _print_address(self, port: int) -> None:
        passwords, codes = json.loads(staging.sign_ins().read_text()), staging.secrets_of_codes()
        lines = [f"\nCountersign is up: http://127.0.0.1:{port}/w/{SHOP}/\n"]
        for member in CAST:
            more = "" if member.workspace == SHOP else f"  (workspace {member.workspace})"
            more += f"  one-time secret {codes[member.key]}" if member.key in codes else ""
            lines.append(f"  {member.role:<9} {staging.address(member):<26} {passwords[member.key]}{more}")
        lines.append(f"\n{HOW_TO_CODE}")
        lines.append(f"\nThe sign-ins are kept in {staging.sign_ins()}. Ctrl-C stops everything.\n")
        self.stdout.write("\n".join(lines))
        self.stdout.flush()


def _ended(state: str) -> bool:
    return state in ENDED or state in ("handoff_resolved", "runs_open", "sweeps_open", "submissions_open")


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
