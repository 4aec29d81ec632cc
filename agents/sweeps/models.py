"""Sweeps, what they found, and when they begin. An agents process works them; web and its own clock begin them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from portal.models import WorkspaceRow

PER_SWEEP, PER_DAY = 50, 100


class SweepPlan(WorkspaceRow):
    """When a sweep begins by itself and how much it may put before people; insert-only, the newest is in force."""

    version = models.PositiveIntegerField(_lazy("version"))
    on = models.BooleanField(pgettext_lazy("field", "on"), default=False)
    at = models.TimeField(pgettext_lazy("field", "at"))
    per_sweep = models.PositiveIntegerField(_lazy("per sweep"), default=PER_SWEEP)
    per_day = models.PositiveIntegerField(_lazy("per day"), default=PER_DAY)
    made_by = models.CharField(_lazy("made by"), max_length=60)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("sweep plan"), _lazy("sweep plans")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "version"], name="sweep_plan_version_once"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%H:%M}" if self.on else _("never")


class Sweep(WorkspaceRow):
    """One going over all contacts; never two at once. `fence` counts leases, as on a run.

    `total` contacts there were, `done` are looked at for repairs up to the row `reached`. Of the pairs `found`, `known`
    were put before people earlier, `proposed` now; `repairs` were begun, and `left` is what the caps hold back.
    A person may stop it: what was handed in stays, and its runs that nobody began come to nothing.
    """

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("run", "Queued")
        FINDING = "finding", pgettext_lazy("run", "Finding")
        PROPOSING = "proposing", pgettext_lazy("run", "Proposing")
        DONE = "done", pgettext_lazy("run", "Done")
        FAILED = "failed", pgettext_lazy("run", "Failed")
        STOPPED = "stopped", pgettext_lazy("run", "Stopped")

    state = models.CharField(_lazy("state"), max_length=9, choices=State, default=State.QUEUED)
    started_by = models.CharField(_lazy("started by"), max_length=60)
    stopped_by = models.CharField(_lazy("stopped by"), max_length=60, blank=True, default="", db_default="")
    planned_for = models.DateField(_lazy("planned for"), null=True)
    per_sweep = models.PositiveIntegerField(_lazy("per sweep"))
    per_day = models.PositiveIntegerField(_lazy("per day"))
    attempts = models.PositiveSmallIntegerField(_lazy("attempts"), default=0)
    fence = models.PositiveIntegerField(_lazy("fence"), default=0)
    lease_until = models.DateTimeField(_lazy("lease until"), null=True)
    total = models.PositiveIntegerField(pgettext_lazy("field", "total"), default=0)
    done = models.PositiveIntegerField(pgettext_lazy("field", "done"), default=0)
    reached = models.BigIntegerField(pgettext_lazy("field", "reached"), default=0)
    found = models.PositiveIntegerField(pgettext_lazy("field", "found"), default=0)
    known = models.PositiveIntegerField(pgettext_lazy("field", "known"), default=0)
    proposed = models.PositiveIntegerField(pgettext_lazy("field", "proposed"), default=0)
    repairs = models.PositiveIntegerField(_lazy("repairs"), default=0)
    left = models.PositiveIntegerField(pgettext_lazy("field", "left"), default=0)
    because = models.CharField(pgettext_lazy("field", "because"), max_length=200, blank=True)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    finished_at = models.DateTimeField(_lazy("finished at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("sweep"), _lazy("sweeps")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace"], name="sweep_one_at_a_time", condition=~Q(state__in=["done", "failed", "stopped"])
            ),
            models.UniqueConstraint(fields=["workspace", "planned_for"], name="sweep_once_a_day"),
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "-id"], name="sweep_newest")]

    def __str__(self) -> str:
        return _("sweep %(number)s") % {"number": self.pk}


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
