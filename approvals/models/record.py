"""What must never change once written: revisions, decisions, receipts; and the work that is due."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from approvals.models.work import Proposal
from approvals.state import Kind
from portal.models import Person, Role, WorkspaceRow


class Revision(WorkspaceRow):
    """The exact bytes of one revision, insert-only: `content` is what the digest covers, with `nonce`.

    `alone` says that its editor may approve it (one person suffices, tier stayed, nothing grew).
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="revisions", db_constraint=False)
    number = models.PositiveIntegerField()
    args = models.JSONField()
    content = models.TextField()
    nonce = models.BinaryField(max_length=32)
    digest = models.CharField(max_length=64)
    verdict = models.JSONField()
    people = models.PositiveSmallIntegerField()
    second_role = models.CharField(max_length=10, blank=True)
    made_by = models.CharField(max_length=120)
    alone = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["proposal", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Decision(WorkspaceRow):
    """What one person decided on exactly one digest, insert-only. `role` is the one they decided with."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    revision = models.PositiveIntegerField()
    round = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=Role)
    kind = models.CharField(max_length=12)
    reason = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["proposal", "revision", "round", "person"],
                name="one_vote_each",
                condition=Q(kind=str(Kind.APPROVE)),
            ),
            models.CheckConstraint(condition=Q(kind__in=list(Kind)), name="decision_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.person_id}"


class Receipt(WorkspaceRow):
    """The ledger of effects, insert-only: one row per applied proposal, with what an undo needs."""

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="receipt")
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    changed = models.JSONField()
    applied_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"receipt of {self.proposal_id}"


class Outbox(WorkspaceRow):
    """Work that is due: the truth behind every message. The relay repeats what nobody has finished."""

    task = models.CharField(max_length=60)
    queue = models.CharField(max_length=10)
    object_id = models.BigIntegerField()
    not_before = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "outbox"
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "task", "object_id"], name="outbox_once")]
        indexes: ClassVar = [models.Index(fields=["workspace", "not_before"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.task} {self.object_id}"
