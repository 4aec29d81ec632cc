"""What one shift tells the next."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from approvals.models.work import Case
from portal.models import Person, WorkspaceRow


class ShiftNote(WorkspaceRow):
    """A note for who comes next, about a case or in general, until somebody says that it is done with."""

    case = models.ForeignKey(Case, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=500)
    made_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    closed_by = models.ForeignKey(Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["workspace", "id"], name="shiftnote_open", condition=Q(closed_at=None)),
        ]

    def __str__(self) -> str:
        return self.text[:60]
