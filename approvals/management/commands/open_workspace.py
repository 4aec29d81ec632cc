"""`open_workspace`: a new workspace with its queues and the default thresholds; autonomy is off."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_slug
from django.db import transaction

from approvals import thresholds
from portal import staff, workspace

QUEUES = "general_inquiry,refunds_returns,orders_delivery,payments_disputes,complaints_escalation"


class Command(BaseCommand):
    """Makes a workspace; people come with `appoint`, records with `import_books`."""

    help = "Make a workspace with its queues, the default thresholds and daily caps."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("slug", help="its address: letters, digits and hyphens")
        parser.add_argument("--name", default="", help="how people call it (default: the slug)")
        parser.add_argument("--currency", default="EUR", help="ISO 4217 code its people count in")
        parser.add_argument("--queues", default=QUEUES, help="comma-separated names of the team queues")
        parser.add_argument("--no-caps", action="store_true", help="leave the daily caps out")
        parser.add_argument("--refund-hold", type=int, default=thresholds.REFUND_HOLD_SECONDS, metavar="SECONDS")

    def handle(self, *args: Any, **options: Any) -> None:
        """One transaction: all of it or nothing."""
        slug = str(options["slug"]).lower()
        _refuse(slug, options)
        names = [name.strip() for name in options["queues"].split(",") if name.strip()]
        with transaction.atomic():
            made = staff.open_workspace(
                slug=slug, name=options["name"] or slug, currency=options["currency"],
                queues={name: name.replace("_", " ").capitalize() for name in names},
            )  # fmt: skip
            now = workspace.enter(made.pk)
            thresholds.install(
                workspace=made.pk, actor="system:set-up", now=now, refund_hold_seconds=options["refund_hold"],
                with_caps=not options["no_caps"],
            )  # fmt: skip
        self.stdout.write(f"workspace {slug} is open; add people with: manage.py appoint EMAIL ROLE --workspace {slug}")


def _refuse(slug: str, options: dict[str, Any]) -> None:
    """One clear line for what cannot be."""
    try:
        validate_slug(slug)
    except ValidationError as error:
        raise CommandError("slug: letters, digits and hyphens only", returncode=2) from error
    if len(options["currency"]) != 3 or not options["currency"].isupper():
        raise CommandError("--currency: an ISO 4217 code such as EUR", returncode=2)
    if options["refund_hold"] < 0:
        raise CommandError("--refund-hold: seconds, not negative", returncode=2)
    try:
        workspace.find(slug)
    except LookupError:
        return
    raise CommandError(f"slug: there is a workspace {slug!r} already", returncode=2)
