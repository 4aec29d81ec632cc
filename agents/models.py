"""Runs of agents and their steps. An agents process writes these rows and submissions, nothing else."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

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
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="runs")
    agent = models.CharField(max_length=40)
    agent_version = models.CharField(max_length=20)
    model_version = models.CharField(max_length=200, blank=True)
    trace_id = models.CharField(max_length=32)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=200, blank=True)
    asked_by = models.CharField(max_length=120, blank=True)
    most_micros = models.BigIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0)
    instruction = models.OneToOneField(Instruction, null=True, blank=True, on_delete=models.PROTECT, related_name="run")
    sweep = models.ForeignKey(Sweep, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    retrieved = models.JSONField(default=dict, db_default={})

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(trace_id__regex=r"^[0-9a-f]{32}$"), name="run_has_a_trace"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["sweep", "created_at"], name="run_of_sweep", condition=Q(sweep__isnull=False)),
            models.Index(fields=["workspace", "id"], name="run_open", condition=~Q(state__in=["done", "failed"])),
        ]

    def __str__(self) -> str:
        return f"{self.agent} run {self.pk}"


class Step(WorkspaceRow):
    """One step of a run, insert-only: what went in and came out by digest, what it cost and how long it took.

    `started_micros` counts from the beginning of the work on the run.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="steps")
    seq = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=20)
    input_digest = models.CharField(max_length=64)
    output_digest = models.CharField(max_length=64)
    note = models.CharField(max_length=300, blank=True)
    micros = models.PositiveIntegerField(default=0)
    cost_micros = models.PositiveIntegerField(default=0)
    started_micros = models.PositiveIntegerField(default=0, db_default=0)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "seq"], name="step_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.name}"


class ToolCall(WorkspaceRow):
    """One read of a run, insert-only: what was asked and what came back by digest (SHA-256, "" where nothing did).

    Times in microseconds, `started_micros` as a step's. `ended` is "ok", or why it was refused.
    """

    class Ended(models.TextChoices):
        OK = "ok"
        DENIED = "denied"
        LIMITED = "limited"
        TIMEOUT = "timeout"
        MALFORMED = "malformed"
        ERROR = "error"

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="calls", db_index=False)
    seq = models.PositiveSmallIntegerField()
    tool = models.CharField(max_length=40)
    argument_digest = models.CharField(max_length=64)
    result_digest = models.CharField(max_length=64, blank=True)
    started_micros = models.PositiveIntegerField(default=0)
    micros = models.PositiveIntegerField(default=0)
    ended = models.CharField(max_length=10, choices=Ended, default=Ended.OK)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "seq"], name="tool_call_seq_once")]

    def __str__(self) -> str:
        return f"{self.seq} {self.tool}"


class Transcript(WorkspaceRow):
    """What one call of a model was asked and what it answered, redacted; insert-only. In full: the vault."""

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="transcripts")
    step = models.CharField(max_length=20)
    number = models.PositiveSmallIntegerField(default=1)
    prompt = models.TextField()
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "run", "id"], name="transcript_of_run")]

    def __str__(self) -> str:
        return f"{self.step} {self.number} of run {self.run_id}"


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
