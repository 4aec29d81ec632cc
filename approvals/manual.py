"""Doing an action by hand: what the form offers out of the records, and what it hands in at the door.

The same door as everybody's: a submission, which the gate turns into a proposal that somebody else approves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from approvals import gaps, proposals, wording
from approvals.actions import BadArguments, named
from approvals.actions.refunds import amount_of
from approvals.forms import Choices
from approvals.models import Case, Handoff, Submission
from approvals.showing import Books, method, options
from portal.models import Queue
from portal.retold import kept
from portal.systems.base import Reader
from portal.systems.books import BooksReader
from portal.systems.records import Order

ACTIONS_OF = {
    "ticket": ("ticket.reply", "refund.create", "ticket.update", "contact.update", "contact.merge"),
    "contact": ("contact.update", "contact.merge", "refund.create"),
    "order": ("refund.create", "contact.update", "contact.merge"),
}

NO_ORDER = kept("order_id: there is no such order")
LEFT_OPEN = kept("fill in %(gaps)s, or take it out")


@dataclass(frozen=True, slots=True)
class Offer:
    """What a form starts from: choices, first values, fixed fields, the record's own values of a map.

    `standing` names the fields whose first values are the record's.
    """

    target: str
    choices: Choices = field(default_factory=dict)
    initial: Mapping[str, Any] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    present: Mapping[str, str] = field(default_factory=dict)
    standing: frozenset[str] = frozenset()


def actions_for(case: Case, contact: str) -> list[tuple[str, str]]:
    """Actions a person can start on a case, with their titles; `contact` is whom it is about, or ""."""
    names = ACTIONS_OF.get(case.subject.partition(":")[0], ())
    there = {"contact": bool(contact), "order": not case.subject.startswith("contact:") or bool(case.customer)}
    chosen = (name for name in names if there.get(named(name).target_kind, True))
    return [(name, _(named(name).title)) for name in chosen]


def contact_of(case: Case) -> str:
    """The contact that a case is about, `contact:c-1`: its subject, or who its customer is; "" where nobody knows."""
    if case.subject.startswith("contact:"):
        return case.subject
    customer = BooksReader(case.workspace_id).customer(case.customer) if case.customer else None
    return f"contact:{customer.contact_id}" if customer and customer.contact_id else ""


def offer(*, workspace: int, action: str, target: str, args: Mapping[str, Any] | None = None) -> Offer:
    """What the form of an action on a target offers; `args` are values to start from."""
    reader, key = BooksReader(workspace), target.partition(":")[2]
    match action:
        case "ticket.update":
            return _ticket(workspace, target, reader, args)
        case "ticket.reply":
            return Offer(target, initial=args or {})
        case "refund.create":
            return _refund(target, reader.order(key), reader, args)
        case "contact.merge":
            return _merge(target, reader, args or {})
    contact = reader.contact(key)
    return Offer(target, initial=args or {}, present=dict(wording.in_order(contact.fields)) if contact else {})


def offer_from(*, workspace: int, action: str, target: str, plan: Mapping[str, Any] | None) -> Offer:
    """The same, with what an agent had worked out put in, where that is of the action's form."""
    fresh = offer(workspace=workspace, action=action, target=target)
    if not plan or not _fits(action, plan):
        return fresh
    planned = offer(workspace=workspace, action=action, target=target, args={**fresh.initial, **plan})
    return replace(planned, standing=fresh.standing - plan.keys())


def _fits(action: str, plan: Mapping[str, Any]) -> bool:
    try:
        named(action).parse(plan)
    except BadArguments:
        return False
    return True


def _ticket(workspace: int, target: str, reader: Reader, args: Mapping[str, Any] | None) -> Offer:
    ticket = reader.ticket(target.partition(":")[2])
    queues = list(Queue.objects.filter(workspace_id=workspace).order_by("title").values_list("name", "title"))
    initial, standing = dict(args or {}), frozenset[str]()
    if ticket is not None and args is None:
        initial = {
            "queue": ticket.queue,
            "priority": ticket.priority,
            "status": ticket.status,
            "tags": list(ticket.tags),
        }
        standing = frozenset(initial)
    return Offer(target, choices={"queue": queues}, initial=initial, standing=standing)


def _merge(target: str, reader: Reader, args: Mapping[str, Any]) -> Offer:
    """Which values of the other record may survive, and which need not be filled in, once it is known."""
    keep, other = reader.contact(target.partition(":")[2]), reader.contact(str(args.get("other", "")))
    if keep is None or other is None:
        return Offer(target, initial=args)
    theirs = [(n, v) for n, v in wording.in_order(other.fields) if v and v != keep.fields.get(n)]
    both = [(f"{n}/1", f"{wording.field(n)}: {v}") for n, v in theirs if keep.fields.get(n)]
    alone = [(f"{n}/1", f"{wording.field(n)}: {v}") for n, v in theirs if not keep.fields.get(n)]
    return Offer(target, choices={"take": both, "leave": alone}, initial=args, fixed=frozenset({"other"}))


def _refund(target: str, order: Order | None, reader: Reader, args: Mapping[str, Any] | None) -> Offer:
    """Pieces and payment methods to choose from; order and currency stand."""
    if order is None:
        return Offer(target, initial=args or {})
    methods = {m.payment_method_id: m for m in reader.methods_of(order.customer_id)}
    start = {
        "order_id": order.order_id,
        "currency": order.currency,
        "kind": _kind(order),
        "refund_to": _paid_with(order),
    }
    return Offer(
        target,
        choices={
            "item_ids": _pieces(order),
            "refund_to": [(key, method(key, Books(methods=methods))) for key in methods],
        },
        initial={**start, **(args or {})},
        fixed=frozenset({"order_id", "currency"}),
    )


def _kind(order: Order) -> str:
    return "cancel" if order.status == "pending" else "return"


def _paid_with(order: Order) -> str:
    return next((p.payment_method_id for p in order.payments if p.type == "payment"), "")


def _pieces(order: Order) -> list[tuple[str, str]]:
    """One choice per piece, `id/1`, `id/2`: an id is named once per piece."""
    found: list[tuple[str, str]] = []
    for item in order.items:
        price = wording.amount(item.unit_price_minor, order.currency)
        start = sum(key.rpartition("/")[0] == item.item_id for key, _ in found)
        for number in range(1, item.quantity + 1):
            told = {"what": f"{item.product}{options(item.options)}", "number": number, "of": item.quantity}
            what = _("%(what)s, piece %(number)s of %(of)s") % told if item.quantity > 1 else told["what"]
            label = f"{what}, {price}"
            found.append((f"{item.item_id}/{start + number}", label))
    return found


def complete(*, workspace: int, action: str, target: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in the amount that was left empty, from the records.

    Raises:
        BadArguments: pieces that the order does not hold, or a gap of a reusable text that is still open.
    """
    if action == "ticket.reply" and (left := gaps.left(str(args.get("body", "")))):
        raise BadArguments("body: " + LEFT_OPEN % {"gaps": " ".join(left)})
    if action != "refund.create" or "amount_minor" in args:
        return dict(args)
    order = BooksReader(workspace).order(target.partition(":")[2])
    if order is None:
        raise BadArguments(NO_ORDER)
    whole = args.get("kind") == "cancel"
    return {**args, "amount_minor": order.paid_total_minor if whole else amount_of(order, args["item_ids"])}


def check(*, workspace: int, case: Case, action: str, target: str, args: Mapping[str, Any]) -> None:
    """Dry-run it before it is handed in, so that a slip is told beside its field.

    Raises:
        approvals.actions.ActionError.
    """
    chosen = named(action)
    chosen.preview(target, chosen.parse(args), case.customer, BooksReader(workspace))


def hand_in(
    *,
    workspace: int,
    case: Case,
    action: str,
    target: str,
    args: Mapping[str, Any],
    why: str,
    person: int,
    key: str,
    asks: bool = False,
    read_to: int | None = None,
) -> Submission:
    """A person's own submission; the same `key` again is the same submission.

    `asks` says that the case waits for the customer's answer once this reply is sent; `read_to` is the number of the
    last message they had before them.
    """
    return proposals.submit(
        workspace=workspace,
        case=case.pk,
        kind=Submission.Is.ACTION,
        proposer=f"person:{person}",
        key=f"hand:{key}",
        read_to=read_to,
        payload={
            "action": action,
            "target": target,
            "args": dict(args),
            "confidence": 1,
            "justification": why,
            "evidence": [],
            "flags": [],
            "asks": asks,
        },
    )


def found_args(handoff: Handoff | None, action: str) -> list[dict[str, Any]]:
    """Arguments an agent had worked out before it called a person."""
    if handoff is None:
        return []
    found = handoff.found
    if action == "ticket.reply" and handoff.kind == Handoff.Is.QUESTION:
        return [{"body": handoff.summary, "clauses": list(_rows(found, "clauses", str))}]
    drafts = [d.get("args") for d in _rows(found, "drafts", dict) if d.get("action") == action]
    refused = [found.get("args")] if found.get("action") == action else []
    plans = _rows(found, "actions", dict) if action == "refund.create" else []
    return [args for args in (*drafts, *refused, *plans) if isinstance(args, dict) and args]


def _rows(found: Mapping[str, Any], name: str, form: type) -> list[Any]:
    """The rows of a form; what an agent found may be anything."""
    value = found.get(name)
    return [row for row in value if isinstance(row, form)] if isinstance(value, list) else []
