"""The built-in books: customers, orders and payments. Fields and constraints only."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from portal.models.people import WorkspaceRow


class Customer(WorkspaceRow):
    """Orders and payments: somebody who buys. `contact` is who that is in the CRM, where it is known."""

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
    contact = models.ForeignKey(
        "portal.Contact", null=True, blank=True, on_delete=models.PROTECT, related_name="customers", db_index=False
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "customer_id"], name="customer_id_once")]
        indexes: ClassVar = [
            models.Index(fields=["workspace", "email"], name="customer_by_email"),
            models.Index(fields=["contact"], name="customer_by_contact", condition=Q(contact__isnull=False)),
        ]

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
        constraints: ClassVar = [models.UniqueConstraint(fields=["workspace", "order", "line"], name="order_line_once")]

    def __str__(self) -> str:
        return f"{self.product} x {self.quantity}"


class Payment(WorkspaceRow):
    """One row of an order's payment history, append-only. `reference` names the proposal that moved money.

    `outside_id` is what the payment provider calls a payment (for Stripe the charge or payment intent), "" where
    none is known: then the order's id stands for it.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="payments")
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=10)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    method = models.ForeignKey(PaymentMethod, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=80, blank=True)
    outside_id = models.CharField(max_length=120, blank=True, default="", db_default="")

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
