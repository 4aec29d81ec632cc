"""Runs of agents and their steps. An agents process writes these rows and submissions, nothing else."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from agents.gateway.records import (
    Account,
    BackendHealth,
    Budget,
    ClauseVector,
    ConfidenceBar,
    ModelBackend,
    ModelCall,
    ModelKey,
    ModelPrice,
    Replay,
)
from agents.sweeps.models import Finding, Sweep, SweepPlan
from approvals.models import Case, Instruction
from audit.models import SubjectKey
from portal.models import WorkspaceRow

__all__ = [
    "Account", "BackendHealth", "Budget", "ClauseVector", "ConfidenceBar", "Finding", "FullTranscript", "ModelBackend",
    "ModelCall", "ModelKey", "ModelPrice", "Replay", "Run", "Step", "Sweep", "SweepPlan",
]  # fmt: skip


class Run(WorkspaceRow):
    """One agent at work on one case. `fence` counts leases, so that a frozen worker cannot finish for another.

    `trace_id` (32 hex digits) goes with all that comes of it; `retrieved` are the clauses read, by id with version.
    `most_micros` is what it can cost at most (micro-dollars), set when it is made; `asked_by` who brought it in.
    """

    class State(models.TextChoices):
        QUEUED = "queued", pgettext_lazy("run", "Queued")
        RUNNING = "running", pgettext_lazy("run", "Running")
        DONE = "done", pgettext_lazy("run", "Done")
        FAILED = "failed", pgettext_lazy("run", "Failed")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="runs", verbose_name=_lazy("case"))
    agent = models.CharField(_lazy("agent"), max_length=40)
    agent_version = models.CharField(_lazy("agent version"), max_length=20)
    model_version = models.CharField(_lazy("model version"), max_length=200, blank=True)
    trace_id = models.CharField(_lazy("trace id"), max_length=32)
    state = models.CharField(_lazy("state"), max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(_lazy("attempts"), default=0)
    fence = models.PositiveIntegerField(_lazy("fence"), default=0)
    lease_until = models.DateTimeField(_lazy("lease until"), null=True)
    outcome = models.CharField(_lazy("outcome"), max_length=200, blank=True)
    asked_by = models.CharField(_lazy("asked by"), max_length=120, blank=True)
    most_micros = models.BigIntegerField(_lazy("most micros"), default=0)
    cost_micros = models.BigIntegerField(_lazy("cost micros"), default=0)
    instruction = models.OneToOneField(
        Instruction,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="run",
        verbose_name=_lazy("instruction"),
    )
    sweep = models.ForeignKey(
        Sweep,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_lazy("sweep"),
    )
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    finished_at = models.DateTimeField(_lazy("finished at"), null=True)
    retrieved = models.JSONField(_lazy("retrieved"), default=dict, db_default={})

    class Meta:
        verbose_name, verbose_name_plural = _lazy("run"), _lazy("runs")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(trace_id__regex=r"^[0-9a-f]{32}$"), name="run_has_a_trace"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sweep", "created_at"], name="run_of_sweep", condition=Q(sweep__isnull=False)),
            models.Index(fields=["workspace", "id"], name="run_open", condition=~Q(state__in=["done", "failed"])),
        ]

    def __str__(self) -> str:
        return _("%(agent)s run %(number)s") % {"agent": self.agent, "number": self.pk}


class Step(WorkspaceRow):
    """One step of a run, insert-only: what went in and came out by digest, what it cost and how long it took.

    `started_micros` counts from the beginning of the work on the run.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="steps", verbose_name=_lazy("run"))
    seq = models.PositiveSmallIntegerField(_lazy("seq"))
    name = models.CharField(_lazy("name"), max_length=20)
    input_digest = models.CharField(_lazy("input digest"), max_length=64)
    output_digest = models.CharField(_lazy("output digest"), max_length=64)
    note = models.CharField(_lazy("note"), max_length=300, blank=True)
    micros = models.PositiveIntegerField(_lazy("micros"), default=0)
    cost_micros = models.PositiveIntegerField(_lazy("cost micros"), default=0)
    started_micros = models.PositiveIntegerField(_lazy("started micros"), default=0, db_default=0)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("step"), _lazy("steps")
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "seq"], name="step_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.name}"


class ToolCall(WorkspaceRow):
    """One read of a run, insert-only: what was asked and what came back by digest (SHA-256, "" where nothing did).

    Times in microseconds, `started_micros` as a step's. `ended` is "ok", or why it was refused.
    """

    class Ended(models.TextChoices):
        OK = "ok", pgettext_lazy("call", "Ok")
        DENIED = "denied", pgettext_lazy("call", "Denied")
        LIMITED = "limited", pgettext_lazy("call", "Limited")
        TIMEOUT = "timeout", pgettext_lazy("call", "Timeout")
        MALFORMED = "malformed", pgettext_lazy("call", "Malformed")
        ERROR = "error", pgettext_lazy("call", "Error")

    run = models.ForeignKey(
        Run, on_delete=models.PROTECT, related_name="calls", db_index=False, verbose_name=_lazy("run")
    )
    seq = models.PositiveSmallIntegerField(_lazy("seq"))
    tool = models.CharField(_lazy("tool"), max_length=40)
    argument_digest = models.CharField(_lazy("argument digest"), max_length=64)
    result_digest = models.CharField(_lazy("result digest"), max_length=64, blank=True)
    started_micros = models.PositiveIntegerField(_lazy("started micros"), default=0)
    micros = models.PositiveIntegerField(_lazy("micros"), default=0)
    ended = models.CharField(pgettext_lazy("field", "ended"), max_length=10, choices=Ended, default=Ended.OK)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("tool call"), _lazy("tool calls")
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "seq"], name="tool_call_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.tool}"


class Transcript(WorkspaceRow):
    """What one call of a model was asked and what it answered, redacted; insert-only. In full: the vault."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="transcripts", verbose_name=_lazy("run"))
    step = models.CharField(_lazy("step"), max_length=20)
    number = models.PositiveSmallIntegerField(_lazy("number"), default=1)
    prompt = models.TextField(_lazy("prompt"))
    answer = models.TextField(_lazy("answer"), blank=True)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("transcript"), _lazy("transcripts")
        indexes: ClassVar = [models.Index(fields=["workspace", "run", "id"], name="transcript_of_run")]

    def __str__(self) -> str:
        return _("%(step)s %(number)s of run %(run)s") % {"step": self.step, "number": self.number, "run": self.run_id}


class FullTranscript(WorkspaceRow):
    """The vault: what one call of a model was asked and answered, as it was, sealed twice; insert-only.

    Opening it takes the vault's private key and the key of whom it is about, and no agents process has either.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+", db_index=False)
    step = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField(default=1)
    key = models.ForeignKey(SubjectKey, on_delete=models.PROTECT, related_name="+")
    sealed = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "run", "id"], name="full_transcript_of_run")]

    def __str__(self) -> str:
        return f"{self.step} {self.number} of run {self.run_id}, in full"
