"""What is dealt to practise. It points at a workspace and a person, at no proposal, case, run or record."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from portal.models import Person, WorkspaceRow


class PracticeItem(WorkspaceRow):
    """One invented case for one person; `drill` and `seed` make it again. No bytes that could be applied are here.

    `planted` says that something is off in it; who practises learns that with the answer.
    """

    class Answer(models.TextChoices):
        APPROVE = "approve"
        REJECT = "reject"

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    drill = models.CharField(max_length=40)
    seed = models.PositiveIntegerField()
    planted = models.BooleanField()
    dealt_at = models.DateTimeField(db_default=Now())
    answer = models.CharField(max_length=7, choices=Answer, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(answer="", answered_at=None)
                | Q(answer__in=["approve", "reject"], answered_at__isnull=False),
                name="practice_answered_once",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "person", "-id"], name="practice_of_person")]

    def __str__(self) -> str:
        return f"practice {self.pk}"
