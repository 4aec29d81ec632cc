"""One request against the records and the policy. Pure.

Owns the checks and their sequence: which order, its status, what was sent back before, what, where to.
"""

from collections.abc import Mapping
from types import MappingProxyType

from agents.refunds import amounts, destinations, following, naming, phrases, picking, sentences
from agents.refunds.destinations import Destination, Problem
from agents.refunds.facts import Facts
from agents.refunds.following import Wish
from agents.refunds.phrases import Kind
from agents.refunds.picking import Pick
from agents.refunds.reading import Mentions, Request
from agents.refunds.verdicts import Doubt, Plan, Referral, Refusal, Verdict
from portal.systems.records import Order, PaymentMethod

_REASONS = tuple((reason, reason) for reason in sentences.REASONS)
_SENT_BACK = frozenset({"cancelled", "return requested"})


NO_WISHES: Mapping[str, Wish] = MappingProxyType({})


def judge(
    request: Request, mentions: Mentions, facts: Facts, wishes: Mapping[str, Wish] = NO_WISHES
) -> tuple[Verdict, ...]:
    """A verdict for each order that the request names. `wishes` are a reviewer's, by order id."""
    orders, unknown = match_orders(request, facts)
    if unknown:
        return (_doubt_order(unknown),)
    if not orders:
        return (_doubt_no_order(request),)
    if phrases.RETRACTED.search(request.text) or any(phrases.TENTATIVE.search(p.text) for p in request.asked):
        return (_doubt_wish(orders),)
    if Kind.CANCEL in request.kinds:
        return tuple(
            _judge_cancel(request, order, facts, wishes.get(order.order_id, Wish())) for order in _each(orders)
        )
    known = [item for order in facts.orders for item in order.items]
    picks = picking.pick_all(request, orders, known)
    said = _texts_of_destination(request, mentions)
    verdicts = []
    for order in _each(orders):
        wish = wishes.get(order.order_id, Wish())
        pick = following.pick(wish, order, known, picks[order.order_id])
        verdicts.append(_judge_return(request, order, pick, [wish.to] if wish.to else said, facts))
    return tuple(verdicts)


def match_orders(request: Request, facts: Facts) -> tuple[dict[str, Order], str]:
    """Orders by the spelling used, and the first spelling that fits none or several ("" if all fit)."""
    orders: dict[str, Order] = {}
    for mention in request.orders:
        found = facts.find_orders(mention.spelling)
        if mention.aside or (not found and not mention.sure):
            continue
        if len(found) != 1:
            return {}, mention.spelling
        orders[mention.spelling] = found[0]
    return orders, ""


def _each(orders: Mapping[str, Order]) -> tuple[Order, ...]:
    return tuple({order.order_id: order for order in orders.values()}.values())


def _judge_cancel(request: Request, order: Order, facts: Facts, wish: Wish) -> Verdict:
    shown = order.order_id
    if order.status in _SENT_BACK:
        return Refusal(_about(sentences.SENT_BACK, order), ("CAN-1", "DUP-1"), ("repeat",))
    if order.status != "pending":
        return Refusal(_about(sentences.NOT_PENDING, order), ("CAN-1",))
    if picking.names_part(request, order) or (wish.items and not naming.ALL.search(wish.items)):
        return Doubt(
            "whole_order", _about(sentences.WHOLE_ORDER, order), ("CAN-2",), kind="yes_no", about=f"order:{shown}"
        )
    reason = _judge_reason(wish.reason or request.text, shown)
    if not isinstance(reason, str):
        return reason
    return _check_money(
        Plan(
            "cancel",
            order,
            tuple((i, i.quantity) for i in order.items),
            _NOBODY,
            order.paid_total_minor,
            reason,
        ),
        destinations.resolve([wish.to] if wish.to else [p.text for p in request.passages], order, facts.methods),
        facts,
    )


def _judge_reason(text: str, shown: str) -> str | Doubt | Refusal:
    given = [
        r
        for r, p in (
            ("ordered by mistake", phrases.BY_MISTAKE),
            ("no longer needed", phrases.NO_LONGER_NEEDED),
        )
        if p.search(text)
    ]
    other = phrases.OTHER_REASON.search(text)
    if len(given) == 1 and not other:
        return given[0]
    if not given and (other or phrases.SOME_REASON.search(text)):
        return Refusal(sentences.OTHER_REASON % {"order": shown}, ("CAN-2",))
    question = sentences.WHICH_REASON % {"order": shown}
    return Doubt("cancel_reason", question, ("CAN-2",), kind="reason", options=_REASONS, about=f"order:{shown}")


def _judge_return(request: Request, order: Order, pick: Pick, said: list[str], facts: Facts) -> Verdict:
    refused = _refuse_status(request, order)
    if refused and not (pick.problem and len(request.orders) > 1):
        return refused
    if pick.problem:
        return _doubt_items(order, pick)
    to = destinations.resolve(said, order, facts.methods)
    plan = Plan(
        "return",
        order,
        pick.rows,
        to.method or _NOBODY,
        amounts.sum_rows(pick.rows),
        "",
        pick.fit,
        to.described,
        tuple(q for q in (*pick.quotes, to.quote) if q),
    )
    return _check_money(plan, to, facts)


def _refuse_status(request: Request, order: Order) -> Refusal | Doubt | None:
    shown = order.order_id
    if order.status == "delivered":
        return None
    if order.status in _SENT_BACK:
        return Refusal(_about(sentences.SENT_BACK, order), ("DUP-1", "RET-1"), ("repeat",))
    if order.status == "pending" and request.kinds == {Kind.REFUND}:
        question = _about(sentences.STILL_PENDING, order)
        options = (*_REASONS, ("keep", sentences.DO_NOT_CANCEL))
        return Doubt("intent", question, ("RET-1", "CAN-2"), kind="reason", options=options, about=f"order:{shown}")
    clauses = ("RET-1",) if order.status == "pending" else ("RET-1", "ACT-1")
    return Refusal(_about(sentences.NOT_DELIVERED, order), clauses)


def _check_money(plan: Plan, to: Destination, facts: Facts) -> Verdict:
    """The plan with its destination, or what stands against paying."""
    order, back = plan.order, amounts.sum_payments(plan.order, "refund")
    original = destinations.find_original(order, facts.methods)
    again = _refuse_repeat(plan, back, facts)
    if again:
        return again
    if original is None or not _adds_up(order) or plan.amount_minor > amounts.sum_payments(order, "payment") - back:
        return Referral("missing_data", _about(sentences.BAD_PAYMENTS, order))
    if plan.kind == "cancel":
        if to.problem is not Problem.NONE_NAMED and to.method != original:
            question = sentences.BACK_TO % {"order": order.order_id, "method": name_method(original)}
            return Doubt("refund_to", question, ("CAN-3",), kind="yes_no", about=f"order:{order.order_id}")
        return _with_method(plan, original)
    if to.method is None:
        return _stop_destination(to, original, order, facts)
    if to.method != original and to.method.kind != "gift_card":
        return _stop_destination(Destination(None, Problem.NOT_HELD), original, order, facts)
    return plan


def _refuse_repeat(plan: Plan, back: int, facts: Facts) -> Refusal | Referral | None:
    order_id, wanted = plan.order.order_id, set(plan.item_ids)
    open_ones = [o for o in facts.open_refunds if o.order_id == order_id]
    if back >= plan.order.paid_total_minor or any(plan.kind == "cancel" or wanted & set(o.item_ids) for o in open_ones):
        clauses = ("DUP-1", "RET-1") if plan.kind == "return" else ("CAN-1", "DUP-1")
        return Refusal(_about(sentences.REFUNDED, plan.order), clauses, ("repeat",))
    if back or open_ones:
        summary = _about(sentences.PART_REFUNDED, plan.order)
        return Referral("unclear", summary, ("DUP-1", "ESC-1"), ("double_refund_risk",))
    return None


def _adds_up(order: Order) -> bool:
    paid = amounts.sum_payments(order, "payment")
    currencies = {p.currency for p in order.payments} | {order.currency}
    sane = all(i.quantity > 0 and i.unit_price_minor >= 0 for i in order.items)
    return sane and len(currencies) == 1 and paid == order.paid_total_minor > 0


def _stop_destination(to: Destination, original: PaymentMethod, order: Order, facts: Facts) -> Refusal | Doubt:
    if to.problem is Problem.NOT_HELD:
        return Refusal(sentences.ONLY_TO % {"method": name_method(original)}, ("RET-4",))
    question = sentences.WHERE_TO % {"method": name_method(original)}
    allowed = [original, *(m for m in facts.methods if m.kind == "gift_card" and m != original)]
    options = tuple((method.payment_method_id, name_method(method)) for method in allowed)
    about = f"order:{order.order_id}"
    return Doubt("refund_to", question, ("RET-3", "RET-4"), kind="destination", options=options, about=about)


def _doubt_order(spelling: str) -> Doubt:
    return Doubt(
        "order_id",
        sentences.WHICH_NUMBER % {"order": spelling},
        ("RET-2",),
        kind="order_number",
    )


def _doubt_no_order(request: Request) -> Doubt:
    if Kind.CANCEL in request.kinds:
        return Doubt(
            "order_id",
            sentences.WHICH_CANCELLED,
            ("CAN-2",),
            kind="order_number",
        )
    return Doubt("order_id", sentences.WHICH_RETURNED, ("RET-2", "RET-3"), kind="order_number")


def _doubt_wish(orders: Mapping[str, Order]) -> Doubt:
    shown = " and ".join(order.order_id for order in _each(orders))
    question = sentences.GO_AHEAD % {"orders": shown}
    return Doubt("intent", question, ("CONF-1",), kind="yes_no")


def _doubt_items(order: Order, pick: Pick) -> Doubt:
    has = ", ".join(f"{i.quantity} x {_describe(i.product, i.options)}" for i in order.items)
    flags = {"quantity": ("quantity_mismatch",), "not_in_order": ("item_not_in_order",)}.get(pick.problem, ())
    clauses = ("RET-2", "AMT-1") if pick.problem == "quantity" else ("RET-2",)
    return Doubt(
        "items",
        sentences.WHICH_ARTICLES % {"order": order.order_id, "articles": has},
        clauses,
        flags,
        kind="items",
        options=tuple((i.item_id, f"{i.quantity} x {_describe(i.product, i.options)}") for i in order.items),
        about=f"order:{order.order_id}",
    )


def _describe(product: str, options: Mapping[str, str]) -> str:
    return f"{product} ({', '.join(options.values())})" if options else product


def _texts_of_destination(request: Request, mentions: Mentions) -> list[str]:
    """What this request says of the destination, else what other refund requests of the message say."""
    own = [p.text for p in request.passages]
    if any(destinations.find_wanted(text) for text in own):
        return own
    return [p.text for r in mentions.requests if r.refunds or not r.kinds for p in r.passages]


def _with_method(plan: Plan, method: PaymentMethod) -> Plan:
    return Plan(
        plan.kind,
        plan.order,
        plan.rows,
        method,
        plan.amount_minor,
        plan.reason,
        plan.fit,
        plan.described,
        plan.quotes,
    )


def name_method(method: PaymentMethod) -> str:
    """A method in words a customer knows."""
    if method.kind == "credit_card":
        if not method.last_four:
            return sentences.CARD_ON_FILE
        return sentences.CARD_ENDING % {"brand": method.brand or "card", "digits": method.last_four}
    if method.kind == "paypal":
        return sentences.PAYPAL_ON_FILE
    return sentences.GIFT_CARD % {"card": method.payment_method_id}


def _about(sentence: str, order: Order) -> str:
    return sentence % {"order": order.order_id, "status": _say_status(order)}


def _say_status(order: Order) -> str:
    return "marked for return" if order.status == "return requested" else order.status


_NOBODY = PaymentMethod("", "", "")
