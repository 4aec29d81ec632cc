"""Tables of the log: entries, the values they commit to, writes nobody accounted for, the tree that seals it, anchors.

Subjects are text (`kind:id`); nothing here points at another app. Triggers in `audit/sql/` hold the rules.
"""

from functools import cached_property
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from audit import envelopes


class Entry(models.Model):
    """One thing that happened. `canonical` is the RFC 8785 JSON that is hashed; columns repeat it to search.

    The transaction that wrote it stands in a column `xact` outside the ORM, so that no role may supply it.
    """

    workspace_id = models.BigIntegerField(_lazy("workspace id"))
    subject = models.CharField(_lazy("subject"), max_length=120)
    version = models.PositiveIntegerField(_lazy("version"))
    event = models.CharField(_lazy("event"), max_length=60)
    state = models.CharField(_lazy("state"), max_length=12, blank=True)
    actor = models.CharField(_lazy("actor"), max_length=120)
    case = models.CharField(_lazy("case"), max_length=120, blank=True)
    trace_id = models.CharField(_lazy("trace id"), max_length=32, blank=True)
    at = models.DateTimeField(pgettext_lazy("field", "at"))
    canonical = models.TextField(_lazy("canonical"))

    class Meta:
        verbose_name, verbose_name_plural = _lazy("entry"), _lazy("entries")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace_id", "subject", "version"], name="entry_version_once")
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace_id", "case", "id"], name="entry_by_case"),
            models.Index(fields=["workspace_id", "id"], name="entry_by_workspace"),
            models.Index(fields=["workspace_id", "at", "id"], name="entry_by_time"),
            models.Index(fields=["workspace_id", "actor", "at", "id"], name="entry_by_actor"),
            models.Index(fields=["workspace_id", "event", "at", "id"], name="entry_by_event"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}@{self.version} {self.event}"


class SubjectKey(models.Model):
    """The key of a data subject (`customer:c-1`, `contact:c-5`, `case:7`): who writes seals with `public`.

    `wrapped` opens, for the web process alone; without the row nothing that was sealed with it is ever read again.
    """

    workspace_id = models.BigIntegerField()
    about = models.CharField(max_length=120)
    public = models.BinaryField(max_length=32)
    wrapped = models.BinaryField(max_length=200)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace_id", "about"], name="subject_key_once")]

    def __str__(self) -> str:
        return f"key {self.pk}"


class PayloadManager(models.Manager["Payload"]):
    """Payloads come with the key that opens them."""

    def get_queryset(self) -> models.QuerySet["Payload"]:
        """One statement, however many are opened."""
        return super().get_queryset().select_related("key")


class Payload(models.Model):
    """A personal value an entry commits to (HMAC-SHA-256 under its salt); it can be erased, the entry stays.

    `sealed` holds salt and value under the subject's key. Rows from before there were keys have both in the open, in
    columns of their own; `salt` and `value` read either.
    """

    workspace_id = models.BigIntegerField()
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="payloads")
    name = models.CharField(max_length=60)
    key = models.ForeignKey(SubjectKey, null=True, on_delete=models.PROTECT, related_name="payloads", db_index=False)
    sealed = models.BinaryField(null=True)
    plain_salt = models.BinaryField(max_length=32, null=True, db_column="salt")
    plain_value = models.JSONField(null=True, db_column="value")

    objects = PayloadManager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "name"], name="payload_name_once"),
            models.CheckConstraint(
                condition=Q(sealed=None, key=None, plain_salt__isnull=False)
                | Q(sealed__isnull=False, key__isnull=False, plain_salt=None, plain_value=None),
                name="payload_sealed_or_old",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["key"], name="payload_by_key", condition=Q(key__isnull=False))]

    def __str__(self) -> str:
        return self.name

    @property
    def value(self) -> Any:
        """The value in the open; only where DATA_PRIVATE_KEY is."""
        return self._opened[1]

    @property
    def salt(self) -> bytes:
        """Its salt in the open."""
        return self._opened[0]

    @cached_property
    def _opened(self) -> tuple[bytes, Any]:
        if self.key is None or self.sealed is None:
            return bytes(self.plain_salt or b""), self.plain_value
        return envelopes.open_value(bytes(self.sealed), bytes(self.key.wrapped))


class Hold(models.Model):
    """A legal hold, insert-only: the newest row of a subject (`customer:12` by row, "" for all) is in force.

    While one stands nothing of theirs is erased, and retention leaves it alone.
    """

    workspace_id = models.BigIntegerField(_lazy("workspace id"))
    about = models.CharField(_lazy("about"), max_length=120, blank=True)
    placed = models.BooleanField(pgettext_lazy("field", "placed"))
    reason = models.CharField(_lazy("reason"), max_length=300)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = pgettext_lazy("legal", "hold"), pgettext_lazy("legal", "holds")
        indexes: ClassVar = [models.Index(fields=["workspace_id", "about", "-id"], name="hold_newest")]

    def __str__(self) -> str:
        return _("hold on %(about)s") % {"about": self.about} if self.about else _("hold on everything")


class Retention(models.Model):
    """How many days a kind of record is kept, insert-only: the newest version of a kind is in force."""

    class Kind(models.TextChoices):
        FULL_TRANSCRIPTS = "full_transcripts", _lazy("full transcripts (the vault)")
        TRANSCRIPTS = "transcripts", _lazy("redacted transcripts")
        TRACES = "traces", _lazy("steps and tool calls")

    workspace_id = models.BigIntegerField(_lazy("workspace id"))
    kind = models.CharField(_lazy("kind"), max_length=20, choices=Kind)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    days = models.PositiveIntegerField(_lazy("days"))
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("retention period"), _lazy("retention periods")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace_id", "kind", "version"], name="retention_version_once"),
            models.CheckConstraint(
                condition=~Q(kind="full_transcripts") | Q(days__gte=30, days__lte=90), name="retention_of_the_vault"
            ),
            models.CheckConstraint(condition=Q(days__gte=1, days__lte=3650), name="retention_is_some_time"),
        ]

    def __str__(self) -> str:
        return _("%(kind)s: %(days)s days") % {"kind": self.kind, "days": self.days}


class Unattributed(models.Model):
    """A write to a watched table that no action accounted for; the sweeper turns it into an entry."""

    workspace_id = models.BigIntegerField(null=True)
    table = models.CharField(max_length=63)
    row = models.CharField(max_length=80)
    operation = models.CharField(max_length=6)
    signed_in_as = models.CharField(max_length=63)
    at = models.DateTimeField(db_default=Now())
    reported_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "unattributed change"
        indexes: ClassVar = [
            models.Index(fields=["id"], name="unattributed_open", condition=models.Q(reported_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.table}:{self.row}"


class Leaf(models.Model):
    """The place of one entry in the tree. `hash` is SHA-256(0x00 || canonical); places have no gap and no double.

    No constraint to the entry: it would lock each of them again. The trigger looks, and entries are never deleted.
    """

    index = models.BigIntegerField(primary_key=True)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, db_constraint=False, related_name="leaf")
    hash = models.BinaryField(max_length=32)

    def __str__(self) -> str:
        return f"leaf {self.index}"


class Node(models.Model):
    """The hash over 2**level leaves, kept at every eighth level alone: a proof reads at most 256 rows a level kept."""

    level = models.PositiveSmallIntegerField()
    index = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["level", "index"], name="node_once")]

    def __str__(self) -> str:
        return f"node {self.level}/{self.index}"


class Checkpoint(models.Model):
    """A root that was signed: `note` is the C2SP checkpoint. Every entry up to `low_water` is among its leaves."""

    size = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    low_water = models.BigIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["size"], name="checkpoint_by_size")]

    def __str__(self) -> str:
        return f"checkpoint of {self.size}"


class Anchor(models.Model):
    """One attempt to keep a checkpoint outside the database; `where` is `directory:PATH` or `git:REMOTE`.

    The proof is what lies there. This row says only that it was tried, and how it went.
    """

    class Outcome(models.TextChoices):
        """Whether it lies there now."""

        KEPT = "kept"
        FAILED = "failed"

    checkpoint = models.ForeignKey(Checkpoint, on_delete=models.PROTECT, related_name="anchors")
    where = models.CharField(max_length=300)
    outcome = models.CharField(max_length=6, choices=Outcome.choices)
    because = models.CharField(max_length=300, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["where", "-id"], name="anchor_by_place")]

    def __str__(self) -> str:
        return f"{self.outcome} {self.where}"


class Verification(models.Model):
    """What a verification of the whole log came to: `code` as the verifier exits, over the first `size` entries."""

    at = models.DateTimeField(db_default=Now())
    size = models.BigIntegerField()
    code = models.PositiveSmallIntegerField()
    message = models.CharField(max_length=500)
    who = models.CharField(max_length=120)

    def __str__(self) -> str:
        return f"verification of {self.size}: {self.code}"
