"""`migrate`, and then the walls: no schema stands without them."""

from typing import Any

from django.core.management.commands import migrate
from django.db import connections, transaction

from portal import walls


class Command(migrate.Command):
    """Django's own command, followed by `portal.walls.build` in one transaction."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate as owner, then build walls, triggers and grants."""
        super().handle(*args, **options)
        if options.get("app_label") or options.get("plan") or options.get("check_unapplied"):
            return
        connection = connections[options["database"]]
        with transaction.atomic(using=options["database"]):
            walls.build(connection)
        if options["verbosity"] >= 1:
            self.stdout.write("  Walls, triggers and grants built.")
