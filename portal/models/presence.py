"""Proof that a person is there, and who stands in for whom."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from portal.models.people import Person, WorkspaceRow


class StepUp(WorkspaceRow):
    """A challenge: asked for one purpose on one digest and amount, passed within five minutes, used once.

    `stash` is the post that waits for it. `session_sha256` binds it to the browser session that asked.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    purpose = models.CharField(max_length=20)
    subject = models.CharField(max_length=120)
    digest = models.CharField(max_length=64)
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    words = models.CharField(max_length=300)
    path = models.CharField(max_length=300)
    stash = models.JSONField(default=dict)
    session_sha256 = models.CharField(max_length=64)
    method = models.CharField(max_length=12, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())
    passed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.purpose} {self.subject}"


class Skill(WorkspaceRow):
    """A team queue or a language that a person works; a person without any works all of them."""

    class Is(models.TextChoices):
        TEAM = "team"
        LANGUAGE = "language"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="skills")
    kind = models.CharField(max_length=8, choices=Is)
    value = models.CharField(max_length=60)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person", "kind", "value"], name="skill_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class Delegation(WorkspaceRow):
    """Out of office: what would come to `person` comes to `stand_in` until it ends. It grants no role."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    stand_in = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="delegation_ends"),
            models.CheckConstraint(condition=~Q(person=F("stand_in")), name="delegation_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.stand_in} for {self.person}"
