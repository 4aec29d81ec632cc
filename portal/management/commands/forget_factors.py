"""`forget_factors`: lets somebody in again who has lost their second factors; they set up new ones."""

from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit import log
from audit.events import Event
from portal import workspace
from portal.models import Person, Workspace


class Command(BaseCommand):
    """For the operator, who has made sure in some other way that it is them."""

    help = "Take away a person's one-time codes, passkeys and recovery codes; the password alone signs in then."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose."""
        parser.add_argument("email")

    def handle(self, *_: Any, **options: Any) -> None:
        """Delete them, with an entry in each workspace the person belongs to."""
        person = Person.objects.filter(email=str(options["email"]).lower()).first()
        if person is None:
            raise CommandError(f"email: nobody has the address {options['email']!r}", returncode=2)
        with transaction.atomic():
            workspace.enter(None, person.pk)
            mine = list(Workspace.objects.values_list("pk", flat=True))
            kinds = sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))
            Authenticator.objects.filter(user=person).delete()
            for key in mine if kinds else ():
                now = workspace.enter(key)
                log.record(
                    workspace=key, subject=f"person:{person.pk}", event=Event.FACTORS_FORGOTTEN,
                    actor="system:operator", now=now, body={"person": person.pk, "kinds": kinds},
                )  # fmt: skip
        self.stdout.write(f"{person.name}: {', '.join(kinds) or 'nothing was set up'}")
