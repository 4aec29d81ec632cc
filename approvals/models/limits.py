"""Thresholds and daily caps, insert-only, and what is reserved of a day."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from approvals.models.work import Proposal
from portal import retold
from portal.models import Person, WorkspaceRow
from portal.retold import kept

# What a cap is for stands in reasons that are kept.
SCOPES = [("customer", kept("per customer")), ("agent", kept("per agent"))]
TIERS = [("low", _lazy("low")), ("medium", _lazy("medium")), ("high", _lazy("high"))]


class Threshold(WorkspaceRow):
    """How many people a write needs; insert-only, the row in force is the newest version of its series.

    Bands: `above_minor` < amount <= `up_to_minor`, in minor units; null is open. Blank matches all.
    """

    class People(models.TextChoices):
        AUTOMATIC = "automatic", pgettext_lazy("people", "Automatic")
        ONE = "one", pgettext_lazy("people", "One")
        TWO = "two", pgettext_lazy("people", "Two")
        NEVER = "never", pgettext_lazy("people", "Never")

    series = models.CharField(_lazy("series"), max_length=32)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    action = models.CharField(_lazy("action"), max_length=40)
    proposer_kind = models.CharField(
        _lazy("proposer kind"),
        max_length=10,
        blank=True,
        choices=[("agent", _lazy("agent")), ("person", _lazy("person"))],
    )
    agent = models.CharField(_lazy("agent"), max_length=40, blank=True)
    currency = models.CharField(_lazy("currency"), max_length=3, blank=True)
    above_minor = models.BigIntegerField(_lazy("above minor"), null=True, blank=True)
    up_to_minor = models.BigIntegerField(_lazy("up to minor"), null=True, blank=True)
    tier = models.CharField(_lazy("tier"), max_length=6, choices=TIERS)
    people = models.CharField(_lazy("people"), max_length=10, choices=People)
    second_role = models.CharField(
        _lazy("second role"), max_length=10, blank=True, choices=[("manager", _lazy("manager"))]
    )
    confidence_floor_pct = models.PositiveSmallIntegerField(_lazy("confidence floor pct"), default=80)
    hold_seconds = models.PositiveIntegerField(_lazy("hold seconds"), default=0)
    fresh_minutes = models.PositiveIntegerField(_lazy("fresh minutes"), default=1440)
    retired = models.BooleanField(pgettext_lazy("field", "retired"), default=False)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("threshold"), _lazy("thresholds")
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

    series = models.CharField(_lazy("series"), max_length=32)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    scope = models.CharField(_lazy("scope"), max_length=10, choices=SCOPES)
    currency = models.CharField(_lazy("currency"), max_length=3, blank=True)
    writes = models.PositiveIntegerField(_lazy("writes"), null=True, blank=True)
    amount_minor = models.BigIntegerField(_lazy("amount minor"), null=True, blank=True)
    retired = models.BooleanField(pgettext_lazy("field", "retired"), default=False)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("daily cap"), _lazy("daily caps")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "series", "version"], name="cap_version_once")
        ]

    def __str__(self) -> str:
        return f"{retold.say(self.get_scope_display())} {self.currency} v{self.version}"


class Loosening(WorkspaceRow):
    """A threshold or a cap that one admin wants looser: `values` are to be the next version of `series`, "" a new one.

    `loosens` says in words what, `backtest` is what it would have done (a question and its tally, of a threshold).
    Somebody else agrees or not; nothing of it changes after. `version` is what it became.
    """

    class Is(models.TextChoices):
        THRESHOLD = "threshold", _lazy("Threshold")
        CAP = "cap", _lazy("Cap")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("loosening", "Open")
        AGREED = "agreed", pgettext_lazy("loosening", "Agreed")
        REFUSED = "refused", pgettext_lazy("loosening", "Refused")
        TAKEN_BACK = "taken_back", pgettext_lazy("loosening", "Taken Back")

    kind = models.CharField(_lazy("kind"), max_length=10, choices=Is)
    series = models.CharField(_lazy("series"), max_length=32, blank=True)
    based_on = models.PositiveIntegerField(_lazy("based on"))
    values = models.JSONField(_lazy("values"))
    loosens = models.JSONField(_lazy("loosens"))
    why = models.CharField(_lazy("why"), max_length=500)
    backtest = models.JSONField(_lazy("backtest"), null=True)
    proposed_by = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", verbose_name=_lazy("proposed by")
    )
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    state = models.CharField(_lazy("state"), max_length=10, choices=State, default=State.OPEN)
    decided_by = models.ForeignKey(
        Person, null=True, on_delete=models.PROTECT, related_name="+", verbose_name=_lazy("decided by")
    )
    decided_at = models.DateTimeField(_lazy("decided at"), null=True)
    note = models.CharField(_lazy("note"), max_length=500, blank=True)
    version = models.PositiveIntegerField(_lazy("version"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("loosening"), _lazy("loosenings")
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
        return _("Looser %(kind)s %(series)s") % {"kind": _(self.kind), "series": self.series or _("of its own")}


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
