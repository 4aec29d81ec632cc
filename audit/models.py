"""Tables of the log: entries, the values they commit to, writes nobody accounted for, the tree that seals it, anchors.

Subjects are text (`kind:id`); nothing here points at another app. Triggers in `audit/sql/` hold the rules.
"""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Entry(models.Model):
    """One thing that happened. `canonical` is the RFC 8785 JSON that is hashed; columns repeat it to search.

    The transaction that wrote it stands in a column `xact` outside the ORM, so that no role may supply it.
    """

    workspace_id = models.BigIntegerField()
    subject = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    event = models.CharField(max_length=60)
    state = models.CharField(max_length=12, blank=True)
    actor = models.CharField(max_length=120)
    case = models.CharField(max_length=120, blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    canonical = models.TextField()

    class Meta:
        verbose_name_plural = "entries"
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


class Payload(models.Model):
    """A personal value an entry commits to (HMAC-SHA-256 under `salt`); it can be erased, the entry stays."""

    workspace_id = models.BigIntegerField()
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="payloads")
    name = models.CharField(max_length=60)
    salt = models.BinaryField(max_length=32)
    value = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry", "name"], name="payload_name_once")]

    def __str__(self) -> str:
        return self.name


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
