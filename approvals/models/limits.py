"""Thresholds and daily caps, insert-only, and what is reserved of a day."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from approvals.models.work import Proposal
from portal.models import Person, WorkspaceRow


class Threshold(WorkspaceRow):
    """How many people a write needs; insert-only, the row in force is the newest version of its series.

    Bands: `above_minor` < amount <= `up_to_minor`, in minor units; null is open. Blank matches all.
    """

    class People(models.TextChoices):
        AUTOMATIC = "automatic"
        ONE = "one"
        TWO = "two"
        NEVER = "never"

    series = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    action = models.CharField(max_length=40)
    proposer_kind = models.CharField(max_length=10, blank=True, choices=[("agent", "agent"), ("person", "person")])
    agent = models.CharField(max_length=40, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    above_minor = models.BigIntegerField(null=True, blank=True)
    up_to_minor = models.BigIntegerField(null=True, blank=True)
    tier = models.CharField(max_length=6, choices=[(t, t) for t in ("low", "medium", "high")])
    people = models.CharField(max_length=10, choices=People)
    second_role = models.CharField(max_length=10, blank=True, choices=[("manager", "manager")])
    confidence_floor_pct = models.PositiveSmallIntegerField(default=80)
    hold_seconds = models.PositiveIntegerField(default=0)
    fresh_minutes = models.PositiveIntegerField(default=1440)
    retired = models.BooleanField(default=False)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "series", "version"], name="threshold_version_once"),
            models.CheckConstraint(
                condition=Q(above_minor=None) | Q(up_to_minor=None) | Q(above_minor__lt=models.F("up_to_minor")),
                name="threshold_band_is_not_empty",
            ),
            models.CheckConstraint(condition=Q(confidence_floor_pct__lte=100), name="threshold_floor_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.currency} v{self.version}".replace("  ", " ")


class DailyCap(WorkspaceRow):
    """The most a customer or an agent may get a day; insert-only like thresholds. Null is no cap."""

    series = models.CharField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    scope = models.CharField(max_length=10, choices=[("customer", "per customer"), ("agent", "per agent")])
    currency = models.CharField(max_length=3, blank=True)
    writes = models.PositiveIntegerField(null=True, blank=True)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    retired = models.BooleanField(default=False)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "series", "version"], name="cap_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.currency} v{self.version}"


class Loosening(WorkspaceRow):
    """A threshold or a cap that one admin wants looser: `values` are to be the next version of `series`, "" a new one.

    `loosens` says in words what, `backtest` is what it would have done (a question and its tally, of a threshold).
    Somebody else agrees or not; nothing of it changes after. `version` is what it became.
    """

    class Is(models.TextChoices):
        THRESHOLD = "threshold"
        CAP = "cap"

    class State(models.TextChoices):
        OPEN = "open"
        AGREED = "agreed"
        REFUSED = "refused"
        TAKEN_BACK = "taken_back"

    kind = models.CharField(max_length=10, choices=Is)
    series = models.CharField(max_length=32, blank=True)
    based_on = models.PositiveIntegerField()
    values = models.JSONField()
    loosens = models.JSONField()
    why = models.CharField(max_length=500)
    backtest = models.JSONField(null=True)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(Person, null=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=500, blank=True)
    version = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["workspace", "kind", "series"],
                name="one_open_loosening",
                condition=Q(state="open") & ~Q(series=""),
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_by=None)
                | Q(state="taken_back", decided_by=models.F("proposed_by"))
                | (
                    Q(state__in=["agreed", "refused"], decided_by__isnull=False)
                    & ~Q(decided_by=models.F("proposed_by"))
                ),
                name="loosening_by_two",
            ),
        ]

    def __str__(self) -> str:
        return f"Looser {self.kind} {self.series or 'of its own'}"


class CapUse(WorkspaceRow):
    """What is reserved of a day's caps, one row per proposal and scope; released by setting `released`."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="cap_uses", db_constraint=False)
    day = models.DateField()
    scope = models.CharField(max_length=10)
    holder = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, blank=True)
    amount_minor = models.BigIntegerField(default=0)
    released = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["proposal", "scope"], name="cap_use_once")]
        indexes: ClassVar = [
            models.Index(
                fields=["workspace", "scope", "holder", "day"],
                name="cap_use_open",
                condition=Q(released=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.holder} {self.day}"


class Switch(WorkspaceRow):
    """What a person switched off here, insert-only: the newest row of a kind and subject is in force.

    `subject` names the action or the agent, "" where the kind has none.
    """

    class Is(models.TextChoices):
        AUTONOMY_OFF = "autonomy_off"
        FORCE_APPROVAL = "force_approval"
        FREEZE = "freeze"
        HALT = "halt"

    kind = models.CharField(max_length=16, choices=Is)
    subject = models.CharField(max_length=40, blank=True)
    thrown = models.BooleanField()
    reason = models.CharField(max_length=300)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "switches"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(kind__in=["autonomy_off", "force_approval", "freeze", "halt"]), name="switch_known"
            )
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "kind", "subject", "-id"], name="switch_newest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class SwitchEverywhere(models.Model):
    """The same for the whole installation, thrown by its operator; insert-only. Of no workspace."""

    kind = models.CharField(max_length=16, choices=Switch.Is)
    subject = models.CharField(max_length=40, blank=True)
    thrown = models.BooleanField()
    reason = models.CharField(max_length=300)
    made_by = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name_plural = "switches everywhere"

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()
