"""Whose queue an item belongs to: the team is the ticket's queue as it stands, the language the customer's."""

from approvals.models import Case
from portal.models import Ticket
from portal.systems.base import Reader


def team_in(case: Case, reader: Reader) -> str:
    """`team_of` by what a reader knows of the ticket."""
    kind, _, key = case.subject.partition(":")
    ticket = reader.ticket(key) if kind == "ticket" else None
    return ticket.queue if ticket is not None else ""


def team_of(case: Case) -> str:
    """Name of the ticket's queue as it stands now, "" for a case about anything else, or in no queue."""
    kind, _, key = case.subject.partition(":")
    if kind != "ticket":
        return ""
    rows = Ticket.objects.filter(workspace_id=case.workspace_id, ticket_id=key)
    return rows.values_list("queue__name", flat=True).first() or ""
