"""Sweeps, what they found, and when they begin. An agents process works them; web and its own clock begin them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from portal.models import WorkspaceRow

PER_SWEEP, PER_DAY = 50, 100


class SweepPlan(WorkspaceRow):
    """When a sweep begins by itself and how much it may put before people; insert-only, the newest is in force."""

    version = models.PositiveIntegerField()
    on = models.BooleanField(default=False)
    at = models.TimeField()
    per_sweep = models.PositiveIntegerField(default=PER_SWEEP)
    per_day = models.PositiveIntegerField(default=PER_DAY)
    made_by = models.CharField(max_length=60)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "version"], name="sweep_plan_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%H:%M}" if self.on else "never"


class Sweep(WorkspaceRow):
    """One going over all contacts; never two at once. `fence` counts leases, as on a run.

    `total` contacts there were, `done` are looked at for repairs up to the row `reached`. Of the pairs `found`, `known`
    were put before people earlier, `proposed` now; `repairs` were begun, and `left` is what the caps hold back.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        FINDING = "finding"
        PROPOSING = "proposing"
        DONE = "done"
        FAILED = "failed"

    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    started_by = models.CharField(max_length=60)
    planned_for = models.DateField(null=True)
    per_sweep = models.PositiveIntegerField()
    per_day = models.PositiveIntegerField()
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    reached = models.BigIntegerField(default=0)
    found = models.PositiveIntegerField(default=0)
    known = models.PositiveIntegerField(default=0)
    proposed = models.PositiveIntegerField(default=0)
    repairs = models.PositiveIntegerField(default=0)
    left = models.PositiveIntegerField(default=0)
    because = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], name="sweep_one_at_a_time", condition=~Q(state__in=["done", "failed"])
            ),
            models.UniqueConstraint(fields=["workspace", "planned_for"], name="sweep_once_a_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "-id"], name="sweep_newest")]

    def __str__(self) -> str:
        return f"sweep {self.pk}"


class Finding(WorkspaceRow):
    """Two contacts that are one person, by their own ids. `said` names field, level and bits, never a value.

    `bits` is the weight of all of it in hundredths of a bit. A finding without a run was not put before people.
    """

    class State(models.TextChoices):
        WAITING = "waiting"
        PROPOSED = "proposed"
        KNOWN = "known"
        LATER = "later"

    sweep = models.ForeignKey(Sweep, on_delete=models.PROTECT, related_name="findings")
    keep = models.CharField(max_length=80)
    other = models.CharField(max_length=80)
    bits = models.IntegerField()
    said = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    run = models.OneToOneField("agents.Run", null=True, on_delete=models.PROTECT, related_name="finding")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["sweep", "keep", "other"], name="finding_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "keep"], name="finding_of_pair", condition=Q(run__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.other} is {self.keep}"
