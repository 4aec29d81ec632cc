"""`refund.create`: money back for returned items, or for a cancelled order, computed again from the records.

It can be stopped during its hold and not undone after.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from approvals.actions.base import Action, Arguments, BadArguments, Preview, id_of
from approvals.diff import Change, Diff, Read
from approvals.policy import Facts
from portal import money
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Reader, Refund, Reversibility, Writer
from portal.systems.outside import Operation
from portal.systems.records import Order, Payment, PaymentMethod

STATUS_NEEDED = {"return": "delivered", "cancel": "pending"}
STATUS_AFTER = {"return": "return requested", "cancel": "cancelled"}
CANCEL_REASONS = ("no longer needed", "ordered by mistake")


class RefundArgs(Arguments):
    """`item_ids` names one id per piece; `amount_minor` must be what the records say."""

    kind: Literal["return", "cancel"]
    order_id: Annotated[str, Field(min_length=1, max_length=40)]
    item_ids: Annotated[list[str], Field(min_length=1, max_length=100)]
    refund_to: Annotated[str, Field(min_length=1, max_length=80)]
    amount_minor: Annotated[int, Field(gt=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    reason: Annotated[str, Field(max_length=200)] = ""


REFUND = kept("Refund %(amount)s to %(where)s, order %(order)s")
CANCEL = kept("Cancel and refund %(amount)s to %(where)s, order %(order)s")
GIFT_CARD, CARD, BRANDED = kept("the gift card"), kept("card ending %(digits)s"), kept("%(brand)s ending %(digits)s")
# What the records say against it.
NO_ORDER = kept("there is no order %(order)s behind %(target)s")
TOO_MANY = kept("order %(order)s holds %(there)s of %(item)s, not %(asked)s")
OTHER_STATUS = kept("order %(order)s is %(status)s; a %(kind)s needs it %(needed)s")
NO_REASON = kept("a cancellation needs one of %(reasons)s")
OTHER_CURRENCY = kept("order %(order)s was paid in %(paid)s, not %(asked)s")
NOT_ALL = kept("a cancellation takes all %(pieces)s pieces of %(order)s")
OTHER_AMOUNT = kept("the records say %(right)s, not %(asked)s")
NOT_LEFT = kept("only %(left)s of %(order)s is left")


class RefundCreate(Action):
    """Books a refund and sets the order's status, together."""

    name: ClassVar = "refund.create"
    title: ClassVar = kept("Refund an order")
    schema: ClassVar = RefundArgs
    reversibility: ClassVar[Reversibility] = "cancellable"
    target_kind: ClassVar = "order"
    part: ClassVar = Part.PAYMENTS

    def preview(self, target: str, args: RefundArgs, case_customer: str, reader: Reader) -> Preview:
        """Recomputes everything; what the arguments say must agree."""
        order = reader.order(id_of(target, "order"))
        if order is None or order.order_id != args.order_id:
            raise BadArguments("order_id: " + NO_ORDER % {"order": repr(args.order_id), "target": target})
        _check(order, args)
        methods = {method.payment_method_id: method for method in reader.methods_of(order.customer_id)}
        diff = Diff(
            self.name, target, tuple(_changes(order, args)), (_effect(args),), order.version,
            (Read(f"order:{order.order_id}", order.version),),
        )  # fmt: skip
        destination = methods.get(args.refund_to)
        allowed = destination is not None and (destination.kind == "gift_card" or args.refund_to in _paid_with(order))
        shown = money.shown(args.amount_minor, args.currency)
        words = REFUND if args.kind == "return" else CANCEL
        said = {"amount": shown, "where": _called(destination, args.refund_to), "order": order.order_id}
        return Preview(
            diff,
            (words % said)[:300],
            order.customer_id,
            args.amount_minor, args.currency,
            Facts(
                amount_minor=args.amount_minor, currency=args.currency, destination_matches=allowed,
                owner_matches=case_customer == order.customer_id, data=("money",),
                destination=_destination(order, destination),
            ),
        )  # fmt: skip

    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """Status and payment history as they stand."""
        order = reader.order(id_of(target, "order"))
        return {} if order is None else {"status": order.status, "payments": _history(order.payments)}

    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """Book the approved refund."""
        (effect,) = effects
        status = next(change.after for change in changes if change.field == "status")
        writer.refund(
            Refund(effect["order"], effect["to"], effect["amount_minor"], effect["currency"], status),
            reference,
        )

    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """The approved refund, with the payment it goes back on."""
        (effect,) = effects
        order = reader.order(effect["order"])
        paid = [p.outside_id for p in order.payments if p.type == "payment"] if order else []
        body = {name: effect[name] for name in ("order", "to", "amount_minor", "currency")}
        return "refund", {**body, "payment": next((key for key in paid if key), effect["order"])}

    def open_key(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """One open refund per order."""
        return {"refund": args.get("order_id")}


def amount_of(order: Order, item_ids: Sequence[str]) -> int:
    """What the named pieces cost by the records, in minor units.

    Raises:
        BadArguments: an item that is not in the order, or more pieces than were bought.
    """
    bought: Counter[str] = Counter()
    price: dict[str, int] = {}
    for item in order.items:
        bought[item.item_id] += item.quantity
        price[item.item_id] = item.unit_price_minor
    for item_id, pieces in Counter(item_ids).items():
        if pieces > bought[item_id]:
            said = {"order": order.order_id, "there": bought[item_id], "item": repr(item_id), "asked": pieces}
            raise BadArguments("item_ids: " + TOO_MANY % said)
    return sum(price[item_id] for item_id in item_ids)


def _check(order: Order, args: RefundArgs) -> None:
    needed = STATUS_NEEDED[args.kind]
    if order.status != needed:
        said = {"order": order.order_id, "status": order.status, "kind": args.kind, "needed": needed}
        raise BadArguments("kind: " + OTHER_STATUS % said)
    if args.kind == "cancel" and args.reason not in CANCEL_REASONS:
        raise BadArguments("reason: " + NO_REASON % {"reasons": ", ".join(CANCEL_REASONS)})
    if args.currency != order.currency:
        said = {"order": order.order_id, "paid": order.currency, "asked": args.currency}
        raise BadArguments("currency: " + OTHER_CURRENCY % said)
    computed = amount_of(order, args.item_ids)
    if args.kind == "cancel":
        pieces = sum(item.quantity for item in order.items)
        if len(args.item_ids) != pieces:
            raise BadArguments("item_ids: " + NOT_ALL % {"pieces": pieces, "order": order.order_id})
        computed = order.paid_total_minor
    if args.amount_minor != computed:
        said = {
            "right": money.shown(computed, order.currency), "asked": money.shown(args.amount_minor, args.currency)
        }  # fmt: skip
        raise BadArguments("amount_minor: " + OTHER_AMOUNT % said)
    paid = sum(p.amount_minor * (1 if p.type == "payment" else -1) for p in order.payments)
    if computed > paid:
        said = {"left": money.shown(paid, order.currency), "order": order.order_id}
        raise BadArguments("amount_minor: " + NOT_LEFT % said)


def _destination(order: Order, method: PaymentMethod | None) -> str:
    """Where the money goes, as the policies call it."""
    if method is not None and method.payment_method_id in _paid_with(order):
        return "original"
    return "gift_card" if method is not None and method.kind == "gift_card" else "other"


def _called(method: PaymentMethod | None, key: str) -> str:
    """How people call a destination; the effect names it by id."""
    match method.kind if method else "":
        case "gift_card":
            return GIFT_CARD
        case "paypal":
            return "PayPal"
        case "credit_card" if method and method.last_four:
            words = BRANDED if method.brand else CARD
            return words % {"brand": method.brand, "digits": method.last_four}
    return key


def _paid_with(order: Order) -> set[str]:
    return {payment.payment_method_id for payment in order.payments if payment.type == "payment"}


def _history(payments: Sequence[Payment]) -> list[str]:
    return [_line(p.type, p.amount_minor, p.currency, p.payment_method_id) for p in payments]


def _line(kind: str, amount_minor: int, currency: str, method: str) -> str:
    return f"{kind} {money.shown(amount_minor, currency)} {method}"


def _changes(order: Order, args: RefundArgs) -> list[Change]:
    history = _history(order.payments)
    refund = _line("refund", args.amount_minor, args.currency, args.refund_to)
    return [
        Change("status", "set", order.status, STATUS_AFTER[args.kind]),
        Change("payments", "set", history, [*history, refund]),
    ]


def _effect(args: RefundArgs) -> dict[str, Any]:
    return {
        "kind": "refund", "order": args.order_id, "items": list(args.item_ids), "to": args.refund_to,
        "amount_minor": args.amount_minor, "currency": args.currency, "for": args.kind, "reason": args.reason,
    }  # fmt: skip
