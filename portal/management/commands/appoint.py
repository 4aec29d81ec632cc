"""`appoint`: gives a person a role in a workspace; a new person gets a password, printed once."""

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from portal import staff, workspace
from portal.models import Person, Role, Workspace


class Command(BaseCommand):
    """The first admin comes this way; admins appoint the others in the admin."""

    help = "Give a person a role in a workspace; a new person's password is printed once."

    def add_arguments(self, parser: CommandParser) -> None:
        """See `docs/operations.md`."""
        parser.add_argument("email")
        parser.add_argument("role", choices=[str(role) for role in Role])
        parser.add_argument("--workspace", default=None)
        parser.add_argument("--name", default="", help="how they are called (default: from the address)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Find or make the person, then the membership with its entry."""
        email = str(options["email"]).lower()
        try:
            validate_email(email)
            key = workspace.find(options["workspace"])
        except ValidationError as error:
            raise CommandError(f"email: {email!r} is not an address", returncode=2) from error
        except LookupError as error:
            raise CommandError(str(error), returncode=2) from error
        password = secrets.token_urlsafe(12)
        with transaction.atomic():
            now = workspace.enter(key)
            person, new = _person(email, options["name"], password)
            staff.appoint(
                workspace=Workspace.objects.get(pk=key), person=person, role=Role(options["role"]),
                actor="system:set-up", now=now,
            )  # fmt: skip
        self.stdout.write(f"{person.name} is {options['role']}" + (f"; password {password}" if new else ""))


def _person(email: str, name: str, password: str) -> tuple[Person, bool]:
    known = Person.objects.filter(email=email).first()
    if known is not None:
        return known, False
    name = name or email.partition("@")[0].replace(".", " ").title()
    return Person.objects.create_user(email, password, name=name), True
