"""What people are told, how each wants to be told, and the channel of a workspace in Slack. Numbers and codes only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import pgettext_lazy

from portal.models.people import Language, Person, WorkspaceRow


class Notice(WorkspaceRow):
    """One thing that one person is told, once: `cause` is what it came of (`entry:12`, `seal:340`).

    `subject` is what it is about (`proposal:12`), `facts` hold percents, states and actors. No words of anybody.
    """

    class Kind(models.TextChoices):
        ESCALATED = "escalated", _lazy("An item is escalated")
        ASSIGNED = "assigned", _lazy("An item is given to me")
        LATE = "late", _lazy("Three quarters of an item's time are used")
        BREACHED = "breached", _lazy("An item's time is over")
        SECOND = "second", _lazy("An approval of mine is wanted beside another's")
        TURNED = "turned", _lazy("What I approved is stale, failed, or nobody knows")
        UNDONE = "undone", _lazy("What I approved is undone")
        SWITCH = "switch", _lazy("A switch is thrown")
        RETURNED = "returned", _lazy("My proposal comes back")
        LOOSENING = "loosening", _lazy("My loosening is decided")
        VAULT = "vault", _lazy("The vault is opened")
        SEAL = "seal", _lazy("The log is not sealed any more")
        DEAD = "dead", _lazy("Work ended its worker and lies still")
        MENTION = "mention", _lazy("A colleague calls me in a note")

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind)
    cause = models.CharField(max_length=60)
    subject = models.CharField(max_length=160)
    facts = models.JSONField(default=dict)
    by_mail = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now())
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person", "cause"], name="notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "person", "-id"], name="notice_newest"),
            models.Index(fields=["workspace", "person", "id"], name="notice_unread", condition=Q(read_at=None)),
            models.Index(
                fields=["workspace", "person", "id"], name="notice_to_mail",
                condition=Q(by_mail=True, mailed_at=None, read_at=None),
            ),
            models.Index(fields=["created_at"], name="notice_by_age"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class NoticeChoice(WorkspaceRow):
    """How one person wants to be told in one workspace; who has no row has the defaults.

    `channels` maps kinds to "digest", "app" or "none"; `digest_at` lists times of day and `quiet_*` bound the quiet
    hours, both in the person's zone. `mail_at` is when their next digest is due, None where nothing waits.
    """

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    channels = models.JSONField(default=dict)
    by_mail = models.BooleanField(default=False)
    digest_at = models.JSONField(default=list)
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    mail_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person"], name="notice_choice_once"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until")),
                name="notice_choice_quiet_is_a_span",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["mail_at"], name="notice_choice_due", condition=Q(mail_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"choice of person {self.person_id}"


class SlackHook(WorkspaceRow):
    """A workspace's incoming webhook, insert-only: the newest row says what is posted and whether.

    The address is the secret, sealed for apply; a row without one keeps the address that was set before. Between
    `quiet_from` and `quiet_until`, in the workspace's zone, and with `in_hours` outside of its working hours, only what
    is urgent is posted. `language` is the channel's, empty the installation's.
    """

    version = models.PositiveIntegerField(_lazy("version"), default=1)
    on = models.BooleanField(pgettext_lazy("field", "on"), default=True)
    kinds = models.JSONField(_lazy("kinds"), default=list)
    sealed = models.BinaryField(pgettext_lazy("field", "sealed"), max_length=4096, null=True)
    key_id = models.CharField(_lazy("key id"), max_length=16, blank=True)
    language = models.CharField(
        _lazy("language"), max_length=5, choices=Language, default="", db_default="", blank=True
    )  # fmt: skip
    quiet_from = models.TimeField(_lazy("quiet hours from"), null=True, blank=True)
    quiet_until = models.TimeField(_lazy("quiet hours until"), null=True, blank=True)
    in_hours = models.BooleanField(_lazy("in working hours alone"), default=False, db_default=False)
    made_by = models.CharField(_lazy("made by"), max_length=120)
    created_at = models.DateTimeField(_lazy("created at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _lazy("Slack channel"), _lazy("Slack channels")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "version"], name="slack_hook_version_once"),
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_until=None)
                | Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~Q(quiet_from=models.F("quiet_until")),
                name="slack_hook_quiet_is_a_span",
            ),
        ]

    def __str__(self) -> str:
        return _("Slack, version %(version)s") % {"version": self.version}


class SlackPost(WorkspaceRow):
    """One line for the channel: due at `look_at`, which is empty once it was sent or given up.

    What is `urgent` comes in quiet hours too.
    """

    cause = models.CharField(max_length=60)
    kind = models.CharField(max_length=10, choices=Notice.Kind)
    subject = models.CharField(max_length=160)
    created_at = models.DateTimeField(db_default=Now())
    look_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failure = models.CharField(max_length=200, blank=True)
    urgent = models.BooleanField(default=False, db_default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "cause"], name="slack_post_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["look_at"], name="slack_post_due", condition=Q(look_at__isnull=False)),
            models.Index(fields=["created_at"], name="slack_post_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class NoticeCursor(models.Model):
    """How far the log was read for notices: one row, the next leaf of the tree. Belongs to no workspace."""

    leaf = models.BigIntegerField()

    def __str__(self) -> str:
        return f"notices up to leaf {self.leaf}"
