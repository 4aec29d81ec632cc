"""Rows of the gateway: what may be asked at which price and cap, and the record of each call. No logic here."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from portal.models import WorkspaceRow

LONGEST_DEADLINE = 30


class ModelBackend(WorkspaceRow):
    """A server of models; insert-only, the newest version of a name is in force. A blank model is not served there.

    `rank` orders the fall-back, lowest first; `deadline_seconds` ends a call, whatever the server does; `barred` are
    classes of data (`agents.marking.Data`) that are never sent there.
    """

    name = models.SlugField(_lazy("name"), max_length=40, db_index=False)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    base_url = models.CharField(_lazy("base url"), max_length=200)
    allow_private = models.BooleanField(_lazy("allow private"), default=False)
    small_model = models.CharField(_lazy("small model"), max_length=80, blank=True)
    large_model = models.CharField(_lazy("large model"), max_length=80, blank=True)
    verifier_model = models.CharField(_lazy("verifier model"), max_length=80, blank=True)
    embedding_model = models.CharField(_lazy("embedding model"), max_length=80, blank=True, default="", db_default="")
    rank = models.PositiveSmallIntegerField(_lazy("rank"), default=10)
    deadline_seconds = models.PositiveSmallIntegerField(_lazy("deadline seconds"), default=25)
    barred = models.JSONField(_lazy("barred"), default=list, db_default=[], blank=True)
    retired = models.BooleanField(pgettext_lazy("field", "retired"), default=False)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("model backend"), _lazy("model backends")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "name", "version"], name="backend_version_once"),
            models.CheckConstraint(
                condition=Q(deadline_seconds__gte=1, deadline_seconds__lte=LONGEST_DEADLINE), name="backend_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class ModelKey(WorkspaceRow):
    """The API key of a backend, sealed for the agents process; web puts it in and can never read it back."""

    backend = models.SlugField(_lazy("backend"), max_length=40, db_index=False)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    sealed = models.BinaryField(pgettext_lazy("field", "sealed"), max_length=4096)
    key_id = models.CharField(_lazy("key id"), max_length=16)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("model key"), _lazy("model keys")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "backend", "version"], name="model_key_version_once")
        ]

    def __str__(self) -> str:
        return _("key of %(backend)s") % {"backend": self.backend}


class ModelPrice(WorkspaceRow):
    """What a model costs from a day on: micro-dollars per million tokens. Insert-only; the latest day up to today
    counts, of one day the last row.
    """

    model = models.CharField(_lazy("model"), max_length=80)
    since = models.DateField(pgettext_lazy("field", "since"))
    input_micros = models.PositiveBigIntegerField(_lazy("input micros"))
    output_micros = models.PositiveBigIntegerField(_lazy("output micros"))
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("model price"), _lazy("model prices")
        indexes: ClassVar = [models.Index(fields=["workspace", "model", "-since", "-id"], name="model_price_newest")]

    def __str__(self) -> str:
        return _("%(model)s from %(since)s") % {"model": self.model, "since": self.since}


class Budget(WorkspaceRow):
    """A cap; insert-only, the newest version of a series is in force. `most` in micro-dollars, tokens, calls or
    milliseconds, by its kind; `holder` names one agent, person or tool, blank is each of them by itself.
    """

    class Kind(models.TextChoices):
        MONEY = "money", _lazy("money (micro-dollars)")
        TOKENS = "tokens", _lazy("tokens")
        MODEL_CALLS = "model_calls", _lazy("model calls")
        TOOL_CALLS = "tool_calls", _lazy("tool calls")
        WALL_MS = "wall_ms", _lazy("time waited for models (ms)")
        ONE_CALL = "one_call", _lazy("money of one call without a person's word (micro-dollars)")

    class Scope(models.TextChoices):
        RUN = "run", _lazy("each run")
        AGENT = "agent", _lazy("an agent")
        PERSON = "person", _lazy("a person who asks")
        WORKSPACE = "workspace", _lazy("the workspace")
        TOOL = "tool", _lazy("a tool")

    series = models.CharField(_lazy("series"), max_length=32)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    scope = models.CharField(_lazy("scope"), max_length=10, choices=Scope)
    holder = models.CharField(_lazy("holder"), max_length=40, blank=True)
    kind = models.CharField(_lazy("kind"), max_length=12, choices=Kind)
    per = models.CharField(
        pgettext_lazy("field", "per"), max_length=3, choices=[("run", _lazy("run")), ("day", _lazy("day (UTC)"))]
    )
    most = models.PositiveBigIntegerField(pgettext_lazy("field", "most"))
    retired = models.BooleanField(pgettext_lazy("field", "retired"), default=False)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("budget"), _lazy("budgets")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "series", "version"], name="budget_version_once"),
            models.CheckConstraint(condition=~Q(scope="run") | Q(per="run", holder=""), name="budget_of_a_run"),
            models.CheckConstraint(condition=~Q(scope="tool") | Q(kind="tool_calls"), name="budget_of_a_tool"),
            models.CheckConstraint(condition=~Q(kind="one_call") | Q(per="run"), name="budget_of_one_call"),
        ]

    def __str__(self) -> str:
        in_money = self.kind in (Budget.Kind.MONEY, Budget.Kind.ONE_CALL)
        return _("%(amount)s per %(per)s of %(whose)s") % {
            "amount": f"${self.most / 1_000_000:g}" if in_money else f"{self.most} {self.kind}",
            "per": self.get_per_display().partition(" ")[0], "whose": self.holder or self.get_scope_display(),
        }  # fmt: skip


class ConfidenceBar(WorkspaceRow):
    """From which confidence on an answer of a step stands, in per cent; insert-only, the newest version counts."""

    step = models.CharField(_lazy("step"), max_length=20)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    percent = models.PositiveSmallIntegerField(_lazy("percent"), default=80)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("confidence bar"), _lazy("confidence bars")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "step", "version"], name="bar_version_once"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="bar_is_a_share"),
        ]

    def __str__(self) -> str:
        return f"{self.step} {self.percent}%"


class Account(WorkspaceRow):
    """What is spent or reserved of one holder's run or day (`agent:triage:2026-11-21`). It only moves with a call."""

    key = models.CharField(pgettext_lazy("field", "key"), max_length=120)
    money = models.BigIntegerField(_lazy("money"), default=0)
    tokens = models.BigIntegerField(_lazy("tokens"), default=0)
    model_calls = models.BigIntegerField(_lazy("model calls"), default=0)
    tool_calls = models.BigIntegerField(_lazy("tool calls"), default=0)
    wall_ms = models.BigIntegerField(_lazy("wall ms"), default=0)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("account"), _lazy("accounts")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "key"], name="account_once"),
            models.CheckConstraint(
                condition=Q(money__gte=0, tokens__gte=0, model_calls__gte=0, tool_calls__gte=0, wall_ms__gte=0),
                name="account_owes_nothing",
            ),
        ]

    def __str__(self) -> str:
        return self.key


class ClauseVector(WorkspaceRow):
    """That a model made a vector for the words of a clause, named by their SHA-256 (hex); insert-only. The vector is in
    a column that only a database with pgvector has.
    """

    digest = models.CharField(max_length=64)
    model = models.CharField(max_length=80)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "model", "digest"], name="clause_vector_once")
        ]

    def __str__(self) -> str:
        return f"{self.digest[:8]} by {self.model}"


class Replay(WorkspaceRow):
    """A run worked again with models asked anew: which one, with which prompts ("" as in service). Insert-only.

    Its calls count on an account of its own with the caps of a run; `most_micros` is set by the database.
    """

    run = models.ForeignKey("agents.Run", on_delete=models.PROTECT, related_name="replays")
    model = models.CharField(max_length=80, blank=True)
    prompts = models.CharField(max_length=200, blank=True)
    most_micros = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"replay {self.pk} of run {self.run_id}"


class ModelCall(WorkspaceRow):
    """One call, on record before it is made with the most it can take, and settled once, at what it took.

    No word of what was asked or answered is kept here, but the typed value that a resumed run goes on with, with
    placeholders where personal data was kept back. Calls of a `replay` are no part of what their run did.
    """

    run = models.ForeignKey(
        "agents.Run", on_delete=models.PROTECT, related_name="model_calls", verbose_name=_lazy("run")
    )
    replay = models.ForeignKey(
        Replay, null=True, blank=True, on_delete=models.PROTECT, related_name="calls", verbose_name=_lazy("replay")
    )
    step = models.CharField(_lazy("step"), max_length=20)
    prompt = models.CharField(_lazy("prompt"), max_length=60, blank=True, default="", db_default="")
    request_digest = models.CharField(_lazy("request digest"), max_length=64)
    tier = models.PositiveSmallIntegerField(_lazy("tier"))
    backend = models.CharField(_lazy("backend"), max_length=40)
    backend_version = models.PositiveIntegerField(_lazy("backend version"))
    model = models.CharField(_lazy("model"), max_length=80)
    input_price = models.PositiveBigIntegerField(_lazy("input price"))
    output_price = models.PositiveBigIntegerField(_lazy("output price"))
    fence = models.PositiveIntegerField(_lazy("fence"))
    accounts = models.JSONField(_lazy("accounts"), default=list)
    most_money = models.PositiveBigIntegerField(_lazy("most money"))
    most_tokens = models.PositiveBigIntegerField(_lazy("most tokens"))
    most_wall_ms = models.PositiveBigIntegerField(_lazy("most wall ms"))
    outcome = models.CharField(_lazy("outcome"), max_length=12, default="open")
    cost_micros = models.PositiveBigIntegerField(_lazy("cost micros"), default=0)
    input_tokens = models.BigIntegerField(_lazy("input tokens"), default=-1)
    output_tokens = models.BigIntegerField(_lazy("output tokens"), default=-1)
    micros = models.PositiveBigIntegerField(_lazy("micros"), default=0)
    request_id = models.CharField(_lazy("request id"), max_length=120, blank=True)
    served_by = models.CharField(_lazy("served by"), max_length=80, blank=True)
    error = models.CharField(_lazy("error"), max_length=300, blank=True)
    value = models.JSONField(_lazy("value"), null=True, blank=True)
    answer_digest = models.CharField(_lazy("answer digest"), max_length=64, blank=True)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    settled_at = models.DateTimeField(_lazy("settled at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("model call"), _lazy("model calls")
        indexes: ClassVar = [
            models.Index(fields=["run", "step", "id"], name="model_call_of_run"),
            models.Index(
                fields=["workspace", "request_digest", "model"], name="model_call_embedded",
                condition=Q(step="embed", outcome="answered"),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return _("%(model)s for %(step)s: %(outcome)s") % {
            "model": self.model, "step": self.step, "outcome": self.outcome,
        }  # fmt: skip


class BackendHealth(WorkspaceRow):
    """What all workers know of a backend: failures in a row, and until when nobody asks it."""

    backend = models.CharField(_lazy("backend"), max_length=40)
    failures = models.PositiveIntegerField(_lazy("failures"), default=0)
    rest_until = models.DateTimeField(_lazy("rest until"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("backend health"), _lazy("backend health")
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "backend"], name="health_once")]

    def __str__(self) -> str:
        return self.backend
