"""Asks of a dry run which of its values follow from what the customer wrote; reads the conversation and the records."""

from collections.abc import Sequence
from dataclasses import replace

from approvals import taint
from approvals.actions.base import Preview
from approvals.opening import Asked
from approvals.taint import Passage, Taint
from portal.systems.base import Reader
from portal.systems.records import Ticket


def mark(asked: Asked, preview: Preview, reader: Reader) -> Asked:
    """What was asked, with its taints and the flags that they raise."""
    taints = of(asked.submission.case.subject, preview, reader)
    return replace(asked, flags=tuple(sorted({*asked.flags, *taint.flags(taints)})), taints=taints)


def of(case_subject: str, preview: Preview, reader: Reader) -> tuple[Taint, ...]:
    """Each value with its passage of the case's conversation; none where the case has none."""
    changes = [change for change in preview.diff.changes if change.field not in taint.CLOSED]
    kind, _, key = case_subject.partition(":")
    if kind != "ticket" or not (changes or preview.diff.effects):
        return ()
    ticket = reader.ticket(key)
    if ticket is None:
        return ()

    def on_record(kind: str, value: str) -> bool:
        return _on_record(kind, value, preview, ticket, reader)

    return taint.trace(changes, preview.diff.effects, passages(ticket), on_record)


def passages(ticket: Ticket) -> Sequence[Passage]:
    """What the customer wrote: the subject line, and each of their messages."""
    said = [Passage(message.seq, message.body) for message in ticket.messages if message.sender == "customer"]
    return [Passage(0, ticket.subject), *said]


def _on_record(kind: str, value: str, preview: Preview, ticket: Ticket, reader: Reader) -> bool:
    """Whether the records hold it without the message: an amount is always theirs, since it was computed again."""
    match kind:
        case "amount":
            return True
        case "account":
            return preview.diff.action == "refund.create" and preview.facts.destination_matches
        case "email" if ticket.customer_id:
            customer = reader.customer(ticket.customer_id)
            return customer is not None and customer.email.lower() == value.lower()
        case "url":
            return any(value.lower() in clause.text.lower() for clause in reader.clauses())
    return False
