"""What the sweeper goes by: when it looks at an item next, and which shares of its time were said to be used."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from portal.models import WorkspaceRow


class Mark(WorkspaceRow):
    """A share of an item's time that is used up and was said: 50, 75 or 100 per cent, each once. Insert-only."""

    item = models.CharField(max_length=40)
    percent = models.PositiveSmallIntegerField()
    due = models.BigIntegerField()
    reached_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "item", "percent", "due"], name="mark_once"),
            models.CheckConstraint(condition=Q(percent__in=[50, 75, 100]), name="mark_known"),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.percent}%"


class Timer(WorkspaceRow):
    """When the sweeper looks at an open item (`proposal:12`) next; null is not before the item changes.

    A trigger makes it, sets it to now with every change of the item, and removes it with the item's end.
    """

    item = models.CharField(max_length=40)
    look_at = models.DateTimeField(null=True, db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "item"], name="timer_item_once")]
        indexes: ClassVar = [models.Index(fields=["workspace", "look_at"], name="timer_due")]

    def __str__(self) -> str:
        return self.item
