"""`ticket.reply`: a message to the customer. It can be stopped during its hold and not undone after."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from approvals.actions.base import NOT_THERE, Action, Arguments, BadArguments, Preview, clean_text, id_of
from approvals.diff import Change, Diff, Read
from approvals.policy import Facts
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Reader, Reversibility, Writer
from portal.systems.outside import Operation
from portal.systems.records import Ticket

SALUTATION = 60


class Reply(Arguments):
    """The message as it will be sent, and the clauses it rests on."""

    body: Annotated[str, Field(min_length=1, max_length=10_000), AfterValidator(clean_text)]
    clauses: Annotated[list[str], Field(max_length=30)] = Field(default_factory=list)


REPLY = kept("Reply to %(ticket)s: %(gist)s")
NO_CLAUSE, EMPTY = kept("there is no clause %(clause)s"), kept("write something")


class TicketReply(Action):
    """Sends one message."""

    name: ClassVar = "ticket.reply"
    title: ClassVar = kept("Reply to a customer")
    schema: ClassVar = Reply
    reversibility: ClassVar[Reversibility] = "cancellable"
    target_kind: ClassVar = "ticket"
    part: ClassVar = Part.HELPDESK

    def preview(self, target: str, args: Reply, case_customer: str, reader: Reader) -> Preview:
        """One outward effect; rests on the conversation as it stands and the clauses it cites."""
        ticket = reader.ticket(id_of(target, "ticket"))
        if ticket is None:
            raise BadArguments("target: " + NOT_THERE % {"target": target})
        clauses = {clause.clause_id: clause for clause in reader.clauses()} if args.clauses else {}
        missing = sorted(set(args.clauses) - set(clauses))
        if missing:
            raise BadArguments("clauses: " + NO_CLAUSE % {"clause": repr(missing[0])})
        if not args.body.strip():
            raise BadArguments(f"body: {EMPTY}")
        effect = {
            "kind": "reply",
            "ticket": ticket.ticket_id,
            "body": args.body,
            "clauses": list(args.clauses),
        }
        reads = (
            Read(f"messages:{ticket.ticket_id}", len(ticket.messages)),
            *(Read(f"clause:{name}", clauses[name].version) for name in args.clauses),
        )
        diff = Diff(self.name, target, (), (effect,), target_version=ticket.version, reads=reads)
        return Preview(
            diff, (REPLY % {"ticket": ticket.ticket_id, "gist": _gist(args.body)})[:300], ticket.customer_id,
            facts=Facts(data=("message",), destination=_destination(ticket, reader)),
        )  # fmt: skip

    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """A reply changes no field."""
        return {}

    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """Send the approved text."""
        (effect,) = effects
        writer.reply(effect["ticket"], effect["body"], reference)

    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """The approved text, to the address the ticket came from."""
        (effect,) = effects
        ticket = reader.ticket(effect["ticket"])
        to = ticket.sender_email if ticket else ""
        return "reply", {"ticket": effect["ticket"], "body": effect["body"], "to": to}

    def open_key(self, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same text twice is the same reply, whatever it cites."""
        return {"body": args.get("body")}


def _destination(ticket: Ticket, reader: Reader) -> str:
    """Whether it goes to the customer's address on record, or into the conversation, or to somebody else's."""
    if not (ticket.customer_id and ticket.sender_email):
        return "customer"
    customer = reader.customer(ticket.customer_id)
    known = customer is not None and customer.email.lower() == ticket.sender_email.lower()
    return "customer" if known else "other"


def _gist(body: str) -> str:
    """The first line that says something: a salutation ends with a comma and does not."""
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return next((line for line in lines if not (line.endswith(",") and len(line) < SALUTATION)), lines[0])
