"""A second look as its page shows it: the bytes that were decided on, and the records as they were then.

What came of it must not be seen: later messages are left out, and the changed fields hold what they held before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from approvals import actions, anchors, background, detail, diff, passages, showing
from approvals.diff import ABSENT
from approvals.models import Decision, Revision, SecondLook
from portal.models import Message
from portal.retold import say
from portal.systems.records import Contact, Order, Ticket


@dataclass(frozen=True, slots=True)
class Shown:
    """What the templates of a real case ask for, without who decided what; `erased` says that nothing is left."""

    title: str
    rows: tuple[showing.FieldRow, ...]
    effects: tuple[showing.Effect, ...]
    facts: background.Facts
    citations: tuple[background.Citation, ...]
    came: passages.Came
    justification: str
    erased: bool


def of(look: SecondLook) -> Shown:
    """Read what was on the screen of who decided."""
    proposal = look.proposal
    revision = Revision.objects.get(proposal_id=proposal.pk, number=look.revision)
    changes, effects = diff.read_content(revision.content)
    before = {change.field: change.before for change in changes}
    facts = background.facts(look.workspace_id, proposal.case, proposal.target, proposal.customer)
    facts = _as_it_was(facts, proposal.target, before, _last_message(look))
    payload = detail.draft(proposal).payload
    return Shown(
        title=say(actions.named(proposal.action).title),
        rows=showing.fields(changes, facts.books),
        effects=showing.effects(effects, facts.books),
        facts=facts,
        citations=background.citations(payload.get("evidence", ()), facts),
        came=passages.of({}, facts.ticket, anchors.quoted(payload.get("evidence", ()), facts.ticket)),
        justification=say(str(payload.get("justification", ""))),
        erased=not revision.nonce,
    )


def _last_message(look: SecondLook) -> int:
    """The number of the last message before it was decided; 0 where there is none."""
    kind, _colon, key = look.proposal.case.subject.partition(":")
    said = Decision.objects.filter(proposal_id=look.proposal_id, revision=look.revision, kind=look.decided)
    at = said.order_by("pk").values_list("created_at", flat=True).first()
    rows = Message.objects.filter(workspace_id=look.workspace_id, ticket__ticket_id=key, created_at__lte=at)
    last = rows.order_by("-seq").values_list("seq", flat=True).first() if kind == "ticket" else None
    return last or 0


def _as_it_was(facts: background.Facts, target: str, before: Mapping[str, Any], last: int) -> background.Facts:
    ticket, order = facts.ticket, facts.order
    if ticket:
        mine = before if target == f"ticket:{ticket.ticket_id}" else {}
        ticket = _ticket(ticket, mine, last)
    orders = facts.orders
    if order and target == f"order:{order.order_id}":
        was = _order(order, before)
        orders, order = tuple(was if one == order else one for one in orders), was
    contact = facts.contact
    if contact and target == f"contact:{contact.contact_id}":
        contact = _contact(contact, before)
    return replace(facts, ticket=ticket, order=order, orders=orders, contact=contact)


def _ticket(ticket: Ticket, before: Mapping[str, Any], last: int) -> Ticket:
    said = tuple(message for message in ticket.messages if message.seq <= last)
    held = {name: "" if value is ABSENT else value for name, value in before.items()}
    return replace(
        ticket, messages=said, queue=held.get("queue", ticket.queue), priority=held.get("priority", ticket.priority),
        status=held.get("status", ticket.status),
    )  # fmt: skip


def _order(order: Order, before: Mapping[str, Any]) -> Order:
    payments = order.payments[: len(before["payments"])] if "payments" in before else order.payments
    return replace(order, status=before.get("status", order.status), payments=payments)


def _contact(contact: Contact, before: Mapping[str, Any]) -> Contact:
    held = {**contact.fields, **before}
    return replace(contact, fields={name: value for name, value in held.items() if isinstance(value, str)})
