"""People, workspaces and roles. The built-in books: helpdesk, orders and payments, contacts, policy clauses. Fields and constraints only."""

from typing import ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class PersonManager(BaseUserManager["Person"]):
    """Makes people; there is no superuser to make."""

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "Person":
        """A person who signs in by e-mail address."""
        person = self.model(email=self.normalize_email(email).lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person


class Person(AbstractUser):
    """Somebody who signs in. What they may do is said by their memberships, never by a flag here."""

    username = None  # type: ignore[assignment]  # Django's documented way to drop the field
    first_name = last_name = None  # type: ignore[assignment]  # one name, as people write it
    name = models.CharField(max_length=120)
    email = models.EmailField(unique=True)
    time_zone = models.CharField(max_length=60, default="Europe/Berlin")
    keys_enabled = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = PersonManager()  # type: ignore[assignment,misc]  # narrower than Django's UserManager

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(is_superuser=False), name="nobody_is_superuser"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class Workspace(models.Model):
    """A tenant. `currency` is what its people count in; books may hold others."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=120)
    currency = models.CharField(max_length=3, default="EUR")
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class WorkspaceRow(models.Model):
    """Base of every table that belongs to a workspace; `portal/walls.py` builds the walls from it."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Role(models.TextChoices):
    """What a person may be in a workspace. Service identities can hold none of these."""

    REVIEWER = "reviewer"
    MANAGER = "manager"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Membership(WorkspaceRow):
    """One role of one person in one workspace; a person may hold several."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    active = models.BooleanField(default=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "person", "role"], name="one_role_once"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.person} as {self.role}"


class PersonalToken(WorkspaceRow):
    """A person's key to the API: only its SHA-256 is kept, the secret is shown once."""

    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(db_default=Now())
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name


class Customer(WorkspaceRow):
    """Orders and payments: somebody who buys."""

    customer_id = models.CharField(max_length=80)
    first_name = models.CharField(max_length=80)
    last_name = models.CharField(max_length=80)
    email = models.CharField(max_length=254)
    address1 = models.CharField(max_length=200, blank=True)
    address2 = models.CharField(max_length=200, blank=True)
    city = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=60, blank=True)
    postcode = models.CharField(max_length=20, blank=True)
    country = models.CharField(max_length=60, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "customer_id"], name="customer_id_once")
        ]
        indexes: ClassVar = [models.Index(fields=["workspace", "email"], name="customer_by_email")]

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


class PaymentMethod(WorkspaceRow):
    """A card, wallet or gift card of a customer. `balance_minor` as imported; refunds book in Payment."""

    payment_method_id = models.CharField(max_length=80)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="methods")
    kind = models.CharField(max_length=20)
    brand = models.CharField(max_length=40, blank=True)
    last_four = models.CharField(max_length=4, blank=True)
    balance_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "payment_method_id"], name="payment_method_id_once")
        ]

    def __str__(self) -> str:
        return self.payment_method_id


class Order(WorkspaceRow):
    """An order with its status; `version` counts changes of the order, its items and its payments."""

    order_id = models.CharField(max_length=40)
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="orders")
    status = models.CharField(max_length=30)
    currency = models.CharField(max_length=3)
    paid_total_minor = models.BigIntegerField()
    shipping = models.JSONField(default=dict)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "order_id"], name="order_id_once"),
            models.CheckConstraint(condition=Q(paid_total_minor__gte=0), name="order_paid_not_negative"),
        ]

    def __str__(self) -> str:
        return self.order_id


class OrderItem(WorkspaceRow):
    """One row of an order."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    line = models.PositiveIntegerField()
    item_id = models.CharField(max_length=40)
    product_id = models.CharField(max_length=40, blank=True)
    product = models.CharField(max_length=120)
    quantity = models.PositiveIntegerField()
    unit_price_minor = models.BigIntegerField()
    options = models.JSONField(default=dict)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "order", "line"], name="order_line_once")
        ]

    def __str__(self) -> str:
        return f"{self.product} x {self.quantity}"


class Payment(WorkspaceRow):
    """One row of an order's payment history, append-only. `reference` names the proposal that moved money."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=10)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "order", "seq"], name="payment_seq_once"),
            models.UniqueConstraint(
                fields=["workspace", "reference"], name="payment_reference_once", condition=~Q(reference="")
            ),
            models.CheckConstraint(condition=Q(type__in=["payment", "refund"]), name="payment_type_known"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_is_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.amount_minor} {self.currency}"


class Queue(WorkspaceRow):
    """A team queue tickets are routed to."""

    name = models.SlugField(max_length=60)
    title = models.CharField(max_length=80)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "name"], name="queue_name_once")
        ]

    def __str__(self) -> str:
        return self.title


class Ticket(WorkspaceRow):
    """Helpdesk: a customer's matter. `external_id` is the caller's own id, the key of idempotent intake."""

    ticket_id = models.CharField(max_length=80)
    external_id = models.CharField(max_length=120)
    customer = models.ForeignKey(
        Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets"
    )
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
            models.CheckConstraint(
                condition=Q(priority__in=["P1", "P2", "P3", "P4"]), name="ticket_priority_known"
            ),
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
    """CRM: a record of free fields; a person locks fields no agent may change."""

    contact_id = models.CharField(max_length=80)
    fields = models.JSONField(default=dict)
    locked_fields = models.JSONField(default=list)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "contact_id"], name="contact_id_once")
        ]

    def __str__(self) -> str:
        return self.contact_id


class Clause(WorkspaceRow):
    """A sentence of the policy pages that can be cited. A changed text is a new version of the row."""

    clause_id = models.CharField(max_length=20)
    section = models.CharField(max_length=80)
    text = models.TextField()
    position = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workspace", "clause_id"], name="clause_id_once")
        ]

    def __str__(self) -> str:
        return self.clause_id
