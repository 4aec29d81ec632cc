"""What comes in at the door and where it stands: cases, submissions, proposals, hand-offs, claims."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from approvals.state import OPEN, State
from portal.models import Person, WorkspaceRow


class Case(WorkspaceRow):
    """One subject (`ticket:T-1`, `contact:c-1`) with all that was proposed for it.

    While `waiting_since` is set we wait for the customer, and no clock of its items runs.
    """

    subject = models.CharField(max_length=120)
    title = models.CharField(max_length=200, blank=True)
    customer = models.CharField(max_length=80, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "subject"], name="case_subject_once")]

    def __str__(self) -> str:
        return self.title or self.subject


class Submission(WorkspaceRow):
    """What anyone hands in at the door, an agent, a person, an outside system: all that an agent may write.

    `payload` is a Draft, a Handoff or a Question as JSON; `seen_content` the SHA-256 of the content a person
    had on screen when starting an undo. `revises` is the proposal that was sent back and comes again;
    `proposer_version` that of an agent; `language` the customer's, as ISO 639-1, where it is known. `read_to` is the
    number of the last message of its ticket that its proposer had before them, where that is known.
    """

    class Is(models.TextChoices):
        ACTION = "action", _lazy("Action")
        HANDOFF = "handoff", _lazy("Handoff")
        QUESTION = "question", _lazy("Question")
        WITHDRAW = "withdraw", _lazy("Withdraw")

    class Status(models.TextChoices):
        NEW = "new", pgettext_lazy("submission", "New")
        GATED = "gated", pgettext_lazy("submission", "Gated")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="submissions", verbose_name=_lazy("case"))
    kind = models.CharField(_lazy("kind"), max_length=10, choices=Is)
    proposer = models.CharField(_lazy("proposer"), max_length=120)
    run = models.CharField(_lazy("run"), max_length=40, blank=True)
    key = models.CharField(pgettext_lazy("field", "key"), max_length=60)
    depends_on = models.JSONField(_lazy("depends on"), default=list)
    payload = models.JSONField(_lazy("payload"))
    undoes = models.ForeignKey(
        "Proposal",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="undo_submissions",
        verbose_name=_lazy("undoes"),
    )
    revises = models.ForeignKey(
        "Proposal",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="revising_submissions",
        verbose_name=_lazy("revises"),
    )
    seen_content = models.CharField(_lazy("seen content"), max_length=64, blank=True)
    proposer_version = models.CharField(_lazy("proposer version"), max_length=40, blank=True, default="", db_default="")
    language = models.CharField(_lazy("language"), max_length=8, blank=True, default="", db_default="")
    read_to = models.PositiveIntegerField(_lazy("read to"), null=True, blank=True)
    trace_id = models.CharField(_lazy("trace id"), max_length=32, blank=True)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    status = models.CharField(_lazy("status"), max_length=8, choices=Status, default=Status.NEW)
    outcome = models.CharField(_lazy("outcome"), max_length=200, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("submission"), _lazy("submissions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "proposer", "run", "key"], name="submission_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "id"], name="submission_new", condition=Q(status="new")),
        ]

    def __str__(self) -> str:
        return _("%(kind)s by %(proposer)s") % {"kind": self.kind, "proposer": self.proposer}


class Proposal(WorkspaceRow):
    """One action on one target as a dry-run diff. Inserted by the gate, changed by `transition` alone.

    `urgency` ascends: due time in whole seconds since 1970, so that the queue's order is one index.
    """

    submission = models.OneToOneField(
        Submission, on_delete=models.PROTECT, related_name="proposal", verbose_name=_lazy("submission")
    )
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="proposals", verbose_name=_lazy("case"))
    action = models.CharField(_lazy("action"), max_length=40)
    target = models.CharField(_lazy("target"), max_length=120)
    state = models.CharField(_lazy("state"), max_length=12)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    revision = models.PositiveIntegerField(_lazy("revision"), default=1)
    round = models.PositiveIntegerField(pgettext_lazy("field", "round"), default=1)
    digest = models.CharField(_lazy("digest"), max_length=64)
    basis = models.JSONField(_lazy("basis"))
    basis_version = models.PositiveIntegerField(_lazy("basis version"), default=1)
    tier = models.CharField(_lazy("tier"), max_length=6)
    people = models.PositiveSmallIntegerField(_lazy("people"))
    proposer = models.CharField(_lazy("proposer"), max_length=120)
    proposer_version = models.CharField(_lazy("proposer version"), max_length=40, blank=True, default="", db_default="")
    team = models.CharField(_lazy("team"), max_length=60, blank=True, default="", db_default="")
    language = models.CharField(_lazy("language"), max_length=8, blank=True, default="", db_default="")
    customer = models.CharField(_lazy("customer"), max_length=80, blank=True)
    amount_minor = models.BigIntegerField(_lazy("amount minor"), null=True)
    currency = models.CharField(_lazy("currency"), max_length=3, blank=True)
    confidence_pct = models.PositiveSmallIntegerField(_lazy("confidence pct"), default=100)
    summary = models.CharField(_lazy("summary"), max_length=300)
    flags = models.JSONField(_lazy("flags"), default=list)
    content_key = models.CharField(_lazy("content key"), max_length=64)
    undoes = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by", verbose_name=_lazy("undoes")
    )
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    urgency = models.BigIntegerField(_lazy("urgency"))
    fresh_until = models.DateTimeField(_lazy("fresh until"))
    hold_until = models.DateTimeField(_lazy("hold until"), null=True)
    decided_at = models.DateTimeField(_lazy("decided at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("proposal"), _lazy("proposals")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=list(State)), name="proposal_state_known"),
            models.CheckConstraint(condition=Q(tier__in=["low", "medium", "high"]), name="proposal_tier_known"),
            models.UniqueConstraint(
                fields=["workspace", "target", "content_key"],
                name="proposal_open_once",
                condition=Q(state__in=[str(state) for state in OPEN]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "urgency", "id"], name="proposal_queue", condition=Q(state="pending")),
            models.Index(fields=["workspace", "state", "urgency", "id"], name="proposal_by_state"),
            models.Index(fields=["workspace", "proposer", "state", "urgency", "id"], name="proposal_by_agent"),
            models.Index(fields=["workspace", "action", "state", "urgency", "id"], name="proposal_by_action"),
            models.Index(fields=["workspace", "tier", "state", "urgency", "id"], name="proposal_by_tier"),
            models.Index(fields=["workspace", "target"], name="proposal_by_target"),
            models.Index(fields=["workspace", "customer", "created_at"], name="proposal_by_customer"),
            models.Index(fields=["workspace", "proposer", "created_at"], name="proposal_by_maker"),
        ]

    def __str__(self) -> str:
        return self.summary


class Dependency(WorkspaceRow):
    """`proposal` may only be applied after `on` was, at the `revision` it names; the newest row of a pair counts."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="dependencies")
    on = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="dependents")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "dependencies"
        constraints: ClassVar = [models.UniqueConstraint(fields=["proposal", "on", "revision"], name="dependency_once")]

    def __str__(self) -> str:
        return f"{self.proposal_id} waits for {self.on_id}"


class Handoff(WorkspaceRow):
    """What a person must do instead, or answer: a queue item like any other."""

    class Is(models.TextChoices):
        HANDOFF = "handoff", _lazy("Handoff")
        QUESTION = "question", _lazy("Question")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="handoffs", verbose_name=_lazy("case"))
    submission = models.OneToOneField(
        Submission,
        on_delete=models.PROTECT,
        related_name="handoff",
        null=True,
        blank=True,
        verbose_name=_lazy("submission"),
    )
    kind = models.CharField(_lazy("kind"), max_length=10, choices=Is)
    reason = models.CharField(_lazy("reason"), max_length=40)
    summary = models.CharField(_lazy("summary"), max_length=1000)
    found = models.JSONField(pgettext_lazy("field", "found"), default=dict)
    evidence = models.JSONField(_lazy("evidence"), default=list)
    proposer = models.CharField(_lazy("proposer"), max_length=120)
    team = models.CharField(_lazy("team"), max_length=60, blank=True, default="", db_default="")
    language = models.CharField(_lazy("language"), max_length=8, blank=True, default="", db_default="")
    state = models.CharField(_lazy("state"), max_length=8, default="open")
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    outcome = models.CharField(_lazy("outcome"), max_length=1000, blank=True)
    resolved_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_lazy("resolved by")
    )
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())
    urgency = models.BigIntegerField(_lazy("urgency"))

    class Meta:
        verbose_name, verbose_name_plural = _lazy("handoff"), _lazy("handoffs")
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=["open", "resolved"]), name="handoff_state_known")
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "state", "urgency", "id"], name="handoff_by_state")]

    def __str__(self) -> str:
        return self.summary


class Claim(WorkspaceRow):
    """The place of an open item (`proposal:12`) in the queue, and who has it in hand: null is nobody.

    A trigger makes and removes it with the item's state. A lease is a courtesy: safety is version and digest.
    `anyones` says that whoever decides may take it, but its proposer; else that is asked for each person. Until
    `snoozed_until` it is laid aside for all; `escalated` is why a manager is wanted, in a person's words, and
    `matter` what it is a matter of, by its name in `matters`. `given`: a manager put it into their hands. The database
    does not look `person` up with each claim: nobody is ever deleted.
    """

    item = models.CharField(max_length=40)
    urgency = models.BigIntegerField(default=0)
    team = models.CharField(max_length=60, blank=True, default="", db_default="")
    language = models.CharField(max_length=8, blank=True, default="", db_default="")
    proposer = models.CharField(max_length=120, blank=True)
    anyones = models.BooleanField(default=False, db_default=False)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )  # fmt: skip
    token = models.CharField(max_length=32, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    escalated = models.CharField(max_length=300, blank=True, default="", db_default="")
    matter = models.CharField(max_length=10, blank=True, default="", db_default="")
    given = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "item"], name="claim_item_once")]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "urgency", "id"], name="claim_free", condition=Q(person=None)),
            models.Index(fields=["workspace", "person", "until"], name="claim_held", condition=Q(person__isnull=False)),
            models.Index(
                fields=["workspace", "snoozed_until"], name="claim_snoozed", condition=Q(snoozed_until__isnull=False)
            ),
            models.Index(fields=["workspace", "urgency"], name="claim_escalated", condition=~Q(escalated="")),
        ]

    def __str__(self) -> str:
        return f"{self.item} held by {self.person_id or 'nobody'}"


class Instruction(WorkspaceRow):
    """What a reviewer told the agent when sending a proposal back; answered by a new revision or a hand-off."""

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="instructions")
    revision = models.PositiveIntegerField()
    text = models.CharField(max_length=2000)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    answer = models.CharField(max_length=300, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["proposal"], name="one_open_instruction", condition=Q(answered_at=None))
        ]

    def __str__(self) -> str:
        return self.text[:60]
