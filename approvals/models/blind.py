"""What a second person looks at again, without knowing what the first one said."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from approvals.models.work import Proposal
from approvals.state import Kind
from portal.models import Person, WorkspaceRow


class SecondLook(WorkspaceRow):
    """A decided revision that was drawn, and what somebody who had no part in it would have done. It moves nothing.

    `decided` is what was decided. `agent` and `version` are whose work it was, for the first ones of a new version.
    """

    class Why(models.TextChoices):
        SHARE = "share"
        NEW_VERSION = "new_version"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="second_looks")
    revision = models.PositiveIntegerField()
    decided = models.CharField(max_length=7)
    why = models.CharField(max_length=11, choices=Why)
    agent = models.CharField(max_length=120, blank=True)
    version = models.CharField(max_length=40, blank=True)
    drawn_at = models.DateTimeField(db_default=Now())
    person = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=7, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "revision"], name="second_look_once"),
            models.CheckConstraint(
                condition=Q(decided__in=[Kind.APPROVE, Kind.REJECT])
                & (
                    Q(verdict="", person=None, answered_at=None)
                    | Q(verdict__in=[Kind.APPROVE, Kind.REJECT], person__isnull=False, answered_at__isnull=False)
                ),
                name="second_look_answered_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "drawn_at"], name="second_look_open", condition=Q(verdict="")),
            models.Index(fields=["workspace", "answered_at"], name="second_look_answered"),
            models.Index(
                fields=["workspace", "agent", "version"], name="second_look_of_new", condition=Q(why="new_version")
            ),
        ]

    def __str__(self) -> str:
        return f"second look {self.pk}"
