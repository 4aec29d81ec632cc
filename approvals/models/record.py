"""What must never change once written: revisions, decisions, receipts; and the work that is due."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from approvals.models.work import Proposal
from approvals.state import Kind
from portal.models import Person, Role, StepUp, WorkspaceRow


class Revision(WorkspaceRow):
    """The exact bytes of one revision, insert-only: `content` is what the digest covers, with `nonce`.

    `alone` says that its editor may approve it (one person suffices, tier stayed, nothing grew). `taint` names the
    values that follow from the customer's words (`approvals.taint`). `read_to` is the number of the last message that
    its maker had read, where what was handed in says it.
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
    taint = models.JSONField(default=list, db_default=[])
    read_to = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["proposal", "number"], name="revision_number_once")]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Decision(WorkspaceRow):
    """What one person decided on exactly one digest, insert-only. `role` is the one they decided with."""

    proposal = models.ForeignKey(
        Proposal, on_delete=models.PROTECT, related_name="decisions", verbose_name=_lazy("proposal")
    )
    revision = models.PositiveIntegerField(_lazy("revision"))
    round = models.PositiveIntegerField(pgettext_lazy("field", "round"))
    digest = models.CharField(_lazy("digest"), max_length=64)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_lazy("person"))
    role = models.CharField(_lazy("role"), max_length=10, choices=Role)
    kind = models.CharField(_lazy("kind"), max_length=12)
    reason = models.CharField(_lazy("reason"), max_length=40, blank=True)
    note = models.CharField(_lazy("note"), max_length=1000, blank=True)
    batch = models.CharField(_lazy("batch"), max_length=32, blank=True, default="", db_default="")
    step_up = models.OneToOneField(
        StepUp, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_lazy("step up")
    )
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("decision"), _lazy("decisions")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["proposal", "revision", "round", "person"],
                name="one_vote_each",
                condition=Q(kind=str(Kind.APPROVE)),
            ),
            models.CheckConstraint(condition=Q(kind__in=list(Kind)), name="decision_kind_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "batch"], name="decision_of_batch", condition=~Q(batch=""))
        ]

    def __str__(self) -> str:
        return _("%(kind)s by %(proposer)s") % {"kind": self.kind, "proposer": self.person_id}


class Receipt(WorkspaceRow):
    """The ledger of effects, insert-only: one row per applied proposal, with what an undo needs."""

    proposal = models.OneToOneField(Proposal, on_delete=models.PROTECT, related_name="receipt")
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    changed = models.JSONField()
    applied_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["workspace", "applied_at"], name="receipt_by_time")]

    def __str__(self) -> str:
        return f"receipt of {self.proposal_id}"


class Attempt(WorkspaceRow):
    """One call to an outside system, committed before it is made. Only the holder of the newest fence ends it.

    `key` is the idempotency key and the client's reference, the same for every attempt at one effect. `request`
    is what goes out, fixed with the first attempt; `answer` what came back, without secrets.
    `follow` is where the money stands after it was sent: "", pending, settled, bounced.
    """

    class State(models.TextChoices):
        SENT = "sent"
        DONE = "done"
        REFUSED = "refused"
        NOT_SENT = "not_sent"
        LOST = "lost"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="attempts")
    revision = models.PositiveIntegerField()
    number = models.PositiveSmallIntegerField()
    fence = models.PositiveIntegerField()
    key = models.UUIDField()
    part = models.CharField(max_length=10)
    system = models.CharField(max_length=20)
    request = models.JSONField()
    state = models.CharField(max_length=8, choices=State, default=State.SENT)
    sent_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    stored_failure = models.BooleanField(default=False)
    outside_id = models.CharField(max_length=120, blank=True)
    answer = models.JSONField(default=dict)
    follow = models.CharField(max_length=8, blank=True)
    look_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal", "revision", "fence"], name="attempt_fence_once"),
            models.UniqueConstraint(fields=["proposal"], name="one_effect_each", condition=Q(state="done")),
            models.CheckConstraint(condition=Q(follow__in=["", "pending", "settled", "bounced"]), name="follow_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "look_at"], name="attempt_followed", condition=Q(follow="pending"))
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.proposal_id}"


class Pulse(models.Model):
    """A canary per queue: asked by the beat, answered by a worker that took the message. Of no workspace."""

    queue = models.CharField(max_length=10, primary_key=True)
    asked_at = models.DateTimeField(db_default=Now())
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.queue


class Outbox(WorkspaceRow):
    """Work that is due: the truth behind every message. The relay repeats what nobody has finished.

    `sends` counts messages after the first, `tries` processes that began it and were gone
    after: with the third it is dead. `begun_by` names the process that has it now; "together" is one of many, "run" a
    run under way. What `awaits` an entry is not due before a signed checkpoint covers it.
    """

    task = models.CharField(max_length=60)
    queue = models.CharField(max_length=10)
    object_id = models.BigIntegerField()
    not_before = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    sends = models.PositiveIntegerField(default=0, db_default=0)
    tries = models.PositiveSmallIntegerField(default=0, db_default=0)
    begun_by = models.CharField(max_length=16, blank=True, default="", db_default="")
    dead_at = models.DateTimeField(null=True, blank=True)
    awaits = models.BigIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "outbox"
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "task", "object_id"], name="outbox_once")]
        indexes: ClassVar = [models.Index(fields=["workspace", "not_before"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.task} {self.object_id}"
