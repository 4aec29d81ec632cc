"""The built-in books: helpdesk, contacts and policy clauses. Fields and constraints only."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _lazy

from portal.models.people import WorkspaceRow
from portal.models.shop import Customer


class Queue(WorkspaceRow):
    """A team queue tickets are routed to."""

    name = models.SlugField(_lazy("name"), max_length=60)
    title = models.CharField(_lazy("title"), max_length=80)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("queue"), _lazy("queues")
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "name"], name="queue_name_once")]

    def __str__(self) -> str:
        return self.title


class Ticket(WorkspaceRow):
    """Helpdesk: a customer's matter. `external_id` is the caller's own id, the key of idempotent intake."""

    ticket_id = models.CharField(max_length=80)
    external_id = models.CharField(max_length=120)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets")
    sender_email = models.CharField(max_length=254, blank=True)
    subject = models.CharField(max_length=200, blank=True)
    queue = models.ForeignKey(Queue, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    priority = models.CharField(max_length=2, default="P3")
    status = models.CharField(max_length=10, default="open")
    tags = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "ticket_id"], name="ticket_id_once"),
            models.UniqueConstraint(fields=["workspace", "external_id"], name="ticket_external_id_once"),
            models.CheckConstraint(condition=Q(priority__in=["P1", "P2", "P3", "P4"]), name="ticket_priority_known"),
            models.CheckConstraint(
                condition=Q(status__in=["open", "waiting", "solved", "closed"]), name="ticket_status_known"
            ),
        ]

    def __str__(self) -> str:
        return self.ticket_id


class Message(WorkspaceRow):
    """One message of a ticket, append-only. `reference` names the proposal that sent it."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="messages")
    seq = models.PositiveIntegerField()
    sender = models.CharField(max_length=10)
    body = models.TextField()
    reference = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "ticket", "seq"], name="message_seq_once"),
            models.UniqueConstraint(
                fields=["workspace", "reference"], name="message_reference_once", condition=~Q(reference="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sender}: {self.body[:40]}"


class Contact(WorkspaceRow):
    """CRM: a record of free fields; a person locks fields no agent may change.

    One that was found to be somebody who is there twice is retired into the other and keeps all it holds.
    """

    contact_id = models.CharField(max_length=80)
    fields = models.JSONField(default=dict)
    locked_fields = models.JSONField(default=list)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="retired", db_index=False
    )
    changed_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "contact_id"], name="contact_id_once"),
            models.CheckConstraint(condition=~Q(merged_into=F("id")), name="contact_not_into_itself"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["merged_into"], name="contact_retired", condition=Q(merged_into__isnull=False))
        ]

    def __str__(self) -> str:
        return self.contact_id


class Page(WorkspaceRow):
    """A policy page in one version, in force from `effective_from` to `effective_until`; nothing but its end is set.

    `readers` are "staff", "managers", "agents" and agents by name ("agent:refunds"); `language` (ISO 639-1) is that
    of its words.
    """

    slug = models.SlugField(_lazy("slug"), max_length=60)
    version = models.PositiveIntegerField(_lazy("version"), default=1)
    title = models.CharField(_lazy("title"), max_length=120)
    language = models.CharField(_lazy("language"), max_length=8, default="en")
    readers = models.JSONField(_lazy("readers"), default=list)
    effective_from = models.DateTimeField(_lazy("effective from"), db_default=Now())
    effective_until = models.DateTimeField(_lazy("effective until"), null=True, blank=True)
    made_by = models.CharField(_lazy("made by"), max_length=120, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _lazy("page"), _lazy("pages")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "slug", "version"], name="page_version_once"),
            models.UniqueConstraint(
                fields=["workspace", "slug"], name="page_open_once", condition=Q(effective_until=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} v{self.version}"


class Clause(WorkspaceRow):
    """A sentence of one version of a page, which can be cited. Its own `version` counts changes of its words.

    `search` is filled by a trigger, in the language of the page.
    """

    page = models.ForeignKey(Page, on_delete=models.PROTECT, related_name="clauses")
    clause_id = models.CharField(max_length=20)
    section = models.CharField(max_length=80)
    text = models.TextField()
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    search = SearchVectorField(null=True, editable=False)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["page", "clause_id"], name="clause_once_a_page")]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "clause_id", "version"], name="clause_by_id"),
            GinIndex(fields=["search"], name="clause_words"),
        ]

    def __str__(self) -> str:
        return self.clause_id
