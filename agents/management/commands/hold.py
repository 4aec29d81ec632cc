"""`hold`: places, lifts and lists legal holds."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from agents import erasing
from audit import holds
from portal import workspace

OPERATOR = "system:operator"


class Command(BaseCommand):
    """While a hold stands nothing of whom it is about is erased or over its time."""

    help = "Place, lift or list legal holds on a customer, a contact or the whole workspace."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("what", choices=["place", "lift", "list"])
        parser.add_argument("subject", nargs="?", default="", help="customer:ID, contact:ID, or nothing for all")
        parser.add_argument("--reason", default="", help="why, without naming the person")
        parser.add_argument("--workspace", default=None)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """One hold, or the list of those that stand."""
        try:
            key = workspace.find(options["workspace"])
            with workspace.within(key) as now:
                if options["what"] != "list":
                    about = erasing.find(workspace=key, name=options["subject"]) if options["subject"] else ""
                    act = holds.place if options["what"] == "place" else holds.lift
                    act(workspace=key, about=about, reason=options["reason"], actor=OPERATOR, now=now)
                standing = holds.standing(key)
        except (LookupError, erasing.ErasingError, holds.HoldError) as error:
            raise CommandError(str(error), returncode=2) from error
        rows = [
            {"about": row.about or "all", "since": row.created_at.isoformat(), "by": row.made_by} for row in standing
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"holds": rows}))
            return
        for row in rows:
            self.stdout.write(f"{row['about']}, since {row['since']}, by {row['by']}")
        if not rows:
            self.stdout.write("no hold stands")
