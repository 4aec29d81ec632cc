"""What people set up for themselves at the desk."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from portal.models import Person, WorkspaceRow


class SavedView(WorkspaceRow):
    """A search of the queue under a name: one person's, seen by everybody in the workspace where it is `shared`.

    `query` is the query of its address.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=400)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person", "name"], name="saved_view_name_once")
        ]

    def __str__(self) -> str:
        return self.name
