"""`one_time_code`: what the authenticator app of a sample person shows now. Knows nobody else's secret."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents.demo import staging
from agents.demo.cast import CAST
from portal import factors


class Command(BaseCommand):
    """Reads the secrets that `demo` keeps, and no database."""

    help = "Prints the one-time code of one of the sample people of this installation's demo."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("email", help="like mara@kestrel.example")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        """The code; how long it is good for on standard error."""
        known = staging.secrets_of_codes()
        wanted = {staging.address(member): known[member.key] for member in CAST if member.key in known}
        secret = wanted.get(options["email"].lower())
        if secret is None:
            there = ", ".join(wanted) or "none; `demo` makes them"
            raise CommandError(
                f"email: no sample person with codes has this address (there are: {there})", returncode=2
            )
        now = datetime.fromtimestamp(time.time(), UTC)
        code = factors.code_of(secret, factors.step_of(now))
        left = factors.STEP_SECONDS - int(now.timestamp()) % factors.STEP_SECONDS
        if options["json"]:
            self.stdout.write(json.dumps({"code": code, "seconds_left": left}))
            return
        self.stdout.write(code)
        self.stderr.write(f"the next one comes in {left} s; each counts once", str)
