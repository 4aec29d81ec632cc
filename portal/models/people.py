"""People, workspaces and roles; the base of every row that belongs to a workspace. No logic here."""

from typing import ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy


class PersonManager(BaseUserManager["Person"]):
    """Makes people; there is no superuser to make."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Person":
        """A person who signs in by e-mail address."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Theme(models.TextChoices):
    """Colours of the desk."""

    AUTO = "auto", _lazy("As the device says")
    LIGHT = "light", _lazy("Light")
    DARK = "dark", _lazy("Dark")


class Density(models.TextChoices):
    """How close rows stand."""

    ROOMY = "roomy", _lazy("Roomy")
    COMPACT = "compact", _lazy("Compact")


class Language(models.TextChoices):
    """Of the pages, the mails and the numbers in them; settings.LANGUAGES holds the same."""

    ENGLISH = "en-gb", "English"
    GERMAN = "de", "Deutsch"


class NumberFormat(models.TextChoices):
    """Marks for thousands and decimals, as `portal.figures` writes them."""

    POINT = "point", "1,234.50"
    COMMA = "comma", "1.234,50"
    SPACE = "space", "1\u202f234,50"


class Person(AbstractUser):
    """Somebody who signs in. What they may do is said by their memberships, never by a flag here."""

    username = None  # type: ignore[assignment]  # Django's documented way to drop the field
    first_name = last_name = None  # type: ignore[assignment]  # one name, as people write it
    name = models.CharField(max_length=120)
    email = models.EmailField(unique=True)
    time_zone = models.CharField(max_length=60, default="Europe/Berlin")
    keys_enabled = models.BooleanField(default=True)
    theme = models.CharField(max_length=5, choices=Theme, default=Theme.AUTO, db_default=Theme.AUTO)
    density = models.CharField(max_length=7, choices=Density, default=Density.ROOMY, db_default=Density.ROOMY)
    # Empty: as the browser asks.
    language = models.CharField(max_length=5, choices=Language, default="", db_default="", blank=True)
    # Empty: as the language has it.
    number_format = models.CharField(max_length=5, choices=NumberFormat, default="", db_default="", blank=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = PersonManager()  # type: ignore[assignment,misc]  # narrower than Django's UserManager

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(is_superuser=False), name="nobody_is_superuser"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class Workspace(models.Model):
    """A tenant. `currency` is what its people count in; books may hold others.

    `hours` maps "mon".."sun" to ["09:00", "17:00"] in `time_zone`, `closed_on` lists ISO dates; without hours it
    never closes.
    """

    slug = models.SlugField(_lazy("slug"), max_length=40, unique=True)
    name = models.CharField(_lazy("name"), max_length=120)
    currency = models.CharField(_lazy("currency"), max_length=3, default="EUR")
    time_zone = models.CharField(_lazy("time zone"), max_length=60, default="UTC")
    hours = models.JSONField(_lazy("hours"), default=dict, blank=True)
    closed_on = models.JSONField(_lazy("closed on"), default=list, blank=True)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("workspace"), _lazy("workspaces")

    def __str__(self) -> str:
        return self.name


class WorkspaceRow(models.Model):
    """Base of every table that belongs to a workspace; `portal/walls.py` builds the walls from it."""

    # The walls' unique (workspace_id, id) serves a search by workspace: an index of its own would cost every insert.
    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        abstract = True


class Role(models.TextChoices):
    """What a person may be in a workspace. Service identities can hold none of these."""

    REVIEWER = "reviewer", _lazy("Reviewer")
    MANAGER = "manager", _lazy("Manager")
    ADMIN = "admin", _lazy("Admin")
    AUDITOR = "auditor", _lazy("Auditor")


class Membership(WorkspaceRow):
    """One role of one person in one workspace; a person may hold several."""

    person = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="memberships", verbose_name=_lazy("person")
    )
    role = models.CharField(_lazy("role"), max_length=10, choices=Role)
    active = models.BooleanField(_lazy("active"), default=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("membership"), _lazy("memberships")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person", "role"], name="one_role_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return _("%(person)s as %(role)s") % {"person": self.person, "role": _(self.role)}


class PersonalToken(WorkspaceRow):
    """A person's key to the API: only its SHA-256 is kept, the secret is shown once."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
