"""How things are called on the pages: states, tiers, actions, events, flags, proposers, money. Pure."""

from collections.abc import Mapping
from typing import Any

from portal import money

STATES = {
    "pending": "Waiting",
    "approved": "On hold",
    "applying": "Being carried out",
    "applied": "Done",
    "stale": "Stale",
    "rejected": "Rejected",
    "failed": "Failed",
    "denied": "Denied",
    "expired": "Expired",
    "withdrawn": "Withdrawn",
    "unknown": "Unknown",
    "open": "Open",
    "resolved": "Resolved",
    "handoffs": "Hand-offs",
    "any": "Any state",
}

REVERSIBLE = {
    "reversible": "Can be undone: the old values come back, field by field, unless they changed again.",
    "cancellable": "Can be stopped while it is held. Once it is sent, nothing takes it back.",
    "irreversible": "Cannot be undone.",
    "read-only": "Changes nothing.",
}

FLAGS = {
    "injection": (
        "talks to the machine",
        "Part of the message gives orders to a machine. It was set aside, not obeyed.",
    ),
    "hidden_text": (
        "hidden text",
        "The customer's text holds characters that are not seen. Read it as spelled out.",
    ),
    "tainted_destination": (
        "leads where the message says",
        "An address, number or link in it comes from the customer's message alone; no record holds it.",
    ),
    "repeat": ("asked before", "The same was asked for, or done, before."),
    "amount_mismatch": (
        "other amount named",
        "The message names another amount than the records; the records count.",
    ),
    "wrong_customer": ("another's record", "The message names a record that is not the sender's."),
    "sender_is_not_owner": ("sender not confirmed", "It is not certain that the sender owns the account."),
    "currency_mismatch": (
        "other currency named",
        "The message names another currency than the order was paid in.",
    ),
    "currency": ("other currency named", "The message names another currency than the order was paid in."),
    "quantity_mismatch": ("other number named", "The message names more pieces than the order holds, or unclear ones."),
    "item_not_in_order": ("not in the order", "The message names an article that the order does not hold."),
    "double_refund_risk": ("may pay twice", "A refund beside what is already under way could pay twice."),
    "not_a_refund": ("not a refund", "What is asked for is something other than a refund."),
    "two_matters": ("two matters", "The message raises two matters; the more urgent one leads."),
    "locked": ("locked field", "A person locked this field; it is left as it is."),
    "partial_undo": ("part of it only", "Other fields of it changed since; this undo leaves those as they are."),
    "no_model_answer": ("no model answered", "A language model was to be asked and gave no answer that can be used."),
    "below_bar": ("unsure model", "No model that was asked was sure enough of its answer."),
    "dear_step": ("dearer model held back", "Asking costs more than it may unasked; send it back to allow it."),
    "not_verified": ("not looked at twice", "No second model could look at this draft; look at it with care."),
    "second_model_doubts": ("second model doubts", "Another model looked at the evidence and doubts this draft."),
    "another_person": (
        "another person?",
        "This differs, and one person has it once: they may be two of one household.",
    ),
    "unclear": ("unclear field", "This field could not be put right with certainty; a person must look."),
}

REASONS = {
    "switched_off": "Switched off just now",
    "recovery": "Something that was sent must be recovered",
    "no_undo": "The undo does not fit any more",
    "over_cap": "Above the limit for agents",
    "expired": "Nobody decided in time",
    "daily_cap": "The daily cap is used up",
    "policy": "Policy forbids it",
    "bad_arguments": "It did not agree with the records",
    "not_there": "The system there cannot do it",
    "duplicate": "The same is open already",
    "unclear": "It is not clear",
    "question": "Only the customer knows",
    "dispute": "A dispute is open",
    "needs_a_person": "Needs a person",
    "not_a_refund": "Not a refund",
    "other_work": "Other work is asked for",
    "missing_data": "Records are missing",
    "verification_failed": "The draft did not pass its check",
    "unjustified": "It names no evidence",
    "agent_failed": "The agent failed",
    "over_budget": "A budget is used up",
    "tool_refused": "The agent was refused a reading",
    "injection": "Orders to a machine",
    "clarify": "Only the customer knows",
}

ANSWERS = {
    "order_number": "An order number",
    "items": "Articles, and how many",
    "destination": "One of these ways",
    "reason": "One of these",
    "yes_no": "Yes or no",
    "identity": "E-mail, or name and postcode",
}

EVENTS = {
    "ticket.received": "Ticket came in",
    "contact.received": "Contact came in",
    "run.started": "Run started",
    "run.finished": "Agent finished its work",
    "run.failed": "Agent gave up",
    "sweep.planned": "Sweep planned",
    "sweep.started": "Sweep started",
    "sweep.finished": "Sweep finished",
    "proposal.proposed": "Proposed",
    "proposal.allowed": "Passed by itself",
    "proposal.denied": "Denied by policy",
    "proposal.edited": "Edited",
    "proposal.rebased": "The record changed elsewhere; this change is the same",
    "proposal.revised": "Worked it out again",
    "instruction.answered": "Answered what was sent back",
    "proposal.approved": "Approved",
    "proposal.rejected": "Rejected",
    "proposal.stopped": "Stopped during its hold",
    "proposal.reopened": "Reopened",
    "proposal.redone": "Looked at anew",
    "proposal.withdrawn": "Withdrawn",
    "proposal.stale": "Went stale",
    "proposal.expired": "Expired",
    "proposal.applying": "Being carried out",
    "proposal.applied": "Carried out",
    "proposal.failed": "Failed",
    "decision.recorded": "Decided",
    "switch.thrown": "Switched off",
    "switch.restored": "Switched on again",
    "submission.refused": "Refused at the door",
    "handoff.opened": "Handed to a person",
    "handoff.resolved": "Resolved",
    "handoff.rescheduled": "Due later, for the time we waited",
    "proposal.rescheduled": "Due later, for the time we waited",
    "mark.reached": "Time used up",
    "case.paused": "Waits for the customer",
    "case.resumed": "Goes on",
    "message.received": "The customer wrote",
}

DECIDED = {
    "approve": "voted yes",
    "reject": "voted no",
    "edit": "edited it",
    "redo": "asked for it anew",
    "stop": "stopped it",
    "reopen": "reopened it",
    "withdraw": "withdrew it",
    "found_stale": "found it stale",
    "send_back": "sent it back",
}

# What a merge changes beside the fields of the contact that stays.
_PLACES = {"contact": "Contact {} merged into", "customer": "Customer {}, contact"}

_WORDS = {
    "locked:": "Locked fields",
    "other": "Other contact",
    "take": "Of the other, survives",
    "leave": "Of the other, left there",
    "to": "Refund to",
    "order_id": "Order",
    "item_ids": "Items",
    "refund_to": "Refund to",
    "amount_minor": "Amount",
    "kind": "Kind",
    "full_name": "Name",
    "email": "E-mail",
    "queue": "Queue",
    "body": "Text",
    "customer_id": "Customer",
    "payments": "Payment history",
    "decision": "The rules say",
    "refused": "Refused parts",
    "faults": "What did not agree",
}

_CARD = ("full_name", "legal_name", "email", "phone", "address", "postcode", "city", "country")


def state(name: str) -> str:
    """A state as a word."""
    return STATES.get(name, name)


def field(name: str) -> str:
    """A field's label: `full_name` is 'Name', `consent_date` is 'Consent date'."""
    kind, _, key = name.partition(":")
    if key and kind in _PLACES:
        return _PLACES[kind].format(key)
    return _WORDS.get(name) or name.replace("_", " ").capitalize()


def in_order(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Fields of a contact as people read a card, what is not known by its name after that."""
    return sorted(fields.items(), key=lambda item: (place(item[0]), item[0]))


def place(name: str) -> int:
    """Where a field stands on a card; all that are not on it stand together behind."""
    return _CARD.index(name) if name in _CARD else len(_CARD)


def flag(name: str) -> tuple[str, str]:
    """A flag's chip and what it means; `locked:phone` names its field."""
    kind, _, about = name.partition(":")
    label, meaning = FLAGS.get(kind, (kind.replace("_", " "), "The agent raised this flag."))
    return (f"{label}: {field(about).lower()}" if about else label), meaning


def source(name: str) -> str:
    """What something rests on, by name: `order:#W1` is 'order #W1'."""
    kind, _, key = name.partition(":")
    return f"the conversation of ticket {key}" if kind == "messages" else f"{kind} {key}"


def answer(kind: str) -> str:
    """What kind of answer a question asks for."""
    return ANSWERS.get(kind, "In their own words")


def reason(name: str) -> str:
    """Why a person was called."""
    return REASONS.get(name) or name.replace("_", " ").capitalize()


def event(name: str) -> str:
    """What happened, in words."""
    return EVENTS.get(name) or name.replace(".", " ").replace("_", " ").capitalize()


def actor(name: str, people: Mapping[int, str]) -> str:
    """Who: 'Refunds agent', a person's name, 'Countersign' for the program itself."""
    kind, _, key = name.partition(":")
    if kind == "person":
        return people.get(int(key), f"Person {key}") if key.isdigit() else key
    if kind == "agent":
        return f"{key.replace('_', ' ').capitalize()} agent"
    return "Countersign" if kind == "system" else name


def amount(minor: int | None, currency: str) -> str:
    """Money as people read it, or "" where none moves; an unknown code is shown raw."""
    if minor is None:
        return ""
    try:
        return money.shown(minor, currency)
    except money.MoneyError:
        return f"{minor} minor units of {currency or 'no currency'}"


def lasted(seconds: int) -> str:
    """A length of time in its two largest units: '8 s', '2 min 5 s', '1 h 3 min'."""
    minutes, rest = divmod(seconds, 60)
    hours, less = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{less} min"] * bool(less) + [f"{rest} s"] * (not hours and bool(rest))
    return " ".join(parts) or "0 s"


def people_needed(people: int, second_role: str) -> str:
    """How many must agree, in words."""
    if people == 0:
        return "Passes by itself; nobody is asked."
    if people == 1:
        return "One person decides."
    also = f", one of them a {second_role}" if second_role else ""
    return f"{people} different people must approve{also}."


def value(found: Any) -> str:
    """A value of an entry's body as text: lists behind each other, maps as 'name: value'."""
    if isinstance(found, dict):
        return "; ".join(f"{name}: {value(inner)}" for name, inner in found.items())
    return ", ".join(value(inner) for inner in found) if isinstance(found, list | tuple) else plain(found)


def plain(value: Any) -> str:
    """A field's value as text; lists one a line, nothing as ""."""
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return "\n".join(plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
