"""`ticket.update`: queue, priority, status, tags of a ticket. Reversible."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from approvals.actions.base import (
    ALREADY_SO,
    NOT_THERE,
    Action,
    Arguments,
    BadArguments,
    NothingToDo,
    Preview,
    clean_text,
    id_of,
)
from approvals.diff import Change, Diff
from approvals.policy import Facts
from portal.models import Part
from portal.retold import kept
from portal.systems.base import Reader, Reversibility, Writer
from portal.systems.outside import Operation
from portal.systems.records import Ticket

Tag = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(clean_text)]


class TicketFields(Arguments):
    """What to set; a field left out stays as it is. An empty queue takes the ticket out of its queue."""

    queue: Annotated[str, Field(max_length=60), AfterValidator(clean_text)] | None = None
    priority: Literal["P1", "P2", "P3", "P4"] | None = None
    status: Literal["open", "waiting", "solved", "closed"] | None = None
    tags: Annotated[list[Tag], Field(max_length=20)] | None = None


NO_QUEUE = kept("there is no queue %(queue)s; choose one of %(names)s")
WORDS = {
    "queue": kept("move to %(value)s"), "priority": kept("priority %(value)s"), "status": kept("status %(value)s"),
}  # fmt: skip
TAG, UNTAG, UNSORTED = kept("tag %(value)s"), kept("untag %(value)s"), kept("no queue")
# What a summary made of them begins and ends with.
SUMMARIES = (
    kept("Move to %(value)s (%(ticket)s)"), kept("Move to %(value)s, %(rest)s (%(ticket)s)"),
    kept("Priority %(value)s (%(ticket)s)"), kept("Priority %(value)s, %(rest)s (%(ticket)s)"),
    kept("Status %(value)s (%(ticket)s)"), kept("Status %(value)s, %(rest)s (%(ticket)s)"),
    kept("Tag %(value)s (%(ticket)s)"), kept("Tag %(value)s, %(rest)s (%(ticket)s)"),
    kept("Untag %(value)s (%(ticket)s)"), kept("Untag %(value)s, %(rest)s (%(ticket)s)"),
)  # fmt: skip


class TicketUpdate(Action):
    """Sets fields of a ticket."""

    name: ClassVar = "ticket.update"
    title: ClassVar = kept("Update a ticket")
    schema: ClassVar = TicketFields
    reversibility: ClassVar[Reversibility] = "reversible"
    target_kind: ClassVar = "ticket"
    part: ClassVar = Part.HELPDESK

    def preview(self, target: str, args: TicketFields, case_customer: str, reader: Reader) -> Preview:
        """One change per field that differs."""
        ticket = reader.ticket(id_of(target, "ticket"))
        if ticket is None:
            raise BadArguments("target: " + NOT_THERE % {"target": target})
        if args.queue and args.queue not in reader.queues():
            said = {"queue": repr(args.queue), "names": ", ".join(reader.queues())}
            raise BadArguments("queue: " + NO_QUEUE % said)
        changes = tuple(_changes(ticket, args))
        if not changes:
            raise NothingToDo(ALREADY_SO % {"target": target})
        diff = Diff(self.name, target, changes, target_version=ticket.version)
        return Preview(
            diff, _summary(ticket.ticket_id, changes), ticket.customer_id,
            facts=Facts(closes=args.status in ("solved", "closed"), data=("routing",)),
        )  # fmt: skip

    def now(self, target: str, changes: Sequence[Change], reader: Reader) -> Mapping[str, Any]:
        """The ticket's fields."""
        ticket = reader.ticket(id_of(target, "ticket"))
        return {} if ticket is None else _fields(ticket)

    def apply(
        self,
        target: str,
        changes: Sequence[Change],
        effects: Sequence[Mapping[str, Any]],
        writer: Writer,
        reference: str,
    ) -> None:
        """One conditional update."""
        writer.update_ticket(id_of(target, "ticket"), {change.field: change.after for change in changes})

    def outgoing(
        self, target: str, changes: Sequence[Change], effects: Sequence[Mapping[str, Any]], reader: Reader
    ) -> tuple[Operation, Mapping[str, Any]]:
        """The approved fields."""
        fields = {change.field: change.after for change in changes}
        return "update_ticket", {"ticket": id_of(target, "ticket"), "fields": fields}

    def undo_args(self, changed: Sequence[Change], now: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The values before; of the tags only what this change added or took away."""
        return {change.field: _back(change, now.get(change.field)) for change in changed}


def _back(change: Change, now: Any) -> Any:
    if change.op != "set_members":
        return change.before
    added, removed = set(change.after) - set(change.before), set(change.before) - set(change.after)
    return sorted((set(now or ()) - added) | removed)


def _fields(ticket: Ticket) -> dict[str, Any]:
    return {
        "queue": ticket.queue, "priority": ticket.priority, "status": ticket.status, "tags": sorted(ticket.tags)
    }  # fmt: skip


def _changes(ticket: Ticket, args: TicketFields) -> list[Change]:
    have = _fields(ticket)
    want = {k: v for k, v in args.model_dump().items() if v is not None}
    if "tags" in want:
        want["tags"] = sorted(set(want["tags"]))
    return [
        Change(field, "set_members" if field == "tags" else "set", have[field], value)
        for field, value in want.items()
        if have[field] != value
    ]


def _summary(ticket_id: str, changes: Sequence[Change]) -> str:
    said = [
        WORDS[change.field] % {"value": str(change.after or UNSORTED).replace("_", " ")}
        for change in changes
        if change.field in WORDS
    ]
    for change in changes:
        if change.op == "set_members":
            said += [TAG % {"value": tag} for tag in sorted(set(change.after) - set(change.before))]
            said += [UNTAG % {"value": tag} for tag in sorted(set(change.before) - set(change.after))]
    text = ", ".join(said)
    return f"{text[:1].upper()}{text[1:]} ({ticket_id})"[:300]
