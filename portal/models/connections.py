"""Which system serves what in a workspace, its sealed credential, and its pace. Insert-only but the pace."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from portal.models.people import WorkspaceRow


class Part(models.TextChoices):
    """What a system of record can serve."""

    PAYMENTS = "payments", _lazy("Payments")
    HELPDESK = "helpdesk", _lazy("Helpdesk")
    CONTACTS = "contacts", _lazy("Contacts")


class Connection(WorkspaceRow):
    """The system that serves a part; the newest version is in force, none means our own books.

    `system` names a module of `portal/systems/`, or `books`; `config` is what it needs beside its credential.
    """

    part = models.CharField(_lazy("part"), max_length=10, choices=Part)
    system = models.CharField(_lazy("system"), max_length=20)
    config = models.JSONField(_lazy("config"), default=dict, blank=True)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("connection"), _lazy("connections")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "part", "version"], name="connection_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.part}: {self.system}"


class Credential(WorkspaceRow):
    """The secret of a part's system, sealed for the apply process; web inserts it and can never read it back."""

    part = models.CharField(_lazy("part"), max_length=10, choices=Part)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    sealed = models.BinaryField(pgettext_lazy("field", "sealed"), max_length=4096)
    key_id = models.CharField(_lazy("key id"), max_length=16)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("credential"), _lazy("credentials")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "part", "version"], name="credential_version_once")
        ]

    def __str__(self) -> str:
        return _("credential of %(part)s") % {"part": self.part}


class Pace(WorkspaceRow):
    """When the next call to a part's system may start; what holds its rate limit over all workers."""

    part = models.CharField(max_length=10, choices=Part)
    next_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "part"], name="pace_once")]

    def __str__(self) -> str:
        return f"pace of {self.part}"
