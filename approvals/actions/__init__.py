"""Every action there is. Adding one is a module in this folder and a line here."""

from approvals.actions.base import Action, ActionError, BadArguments
from approvals.actions.contacts import ContactUpdate
from approvals.actions.merging import ContactMerge
from approvals.actions.refunds import RefundCreate
from approvals.actions.replies import TicketReply
from approvals.actions.tickets import TicketUpdate
from portal.retold import kept
from portal.systems.base import Reader, Writer
from portal.systems.books import BooksReader
from portal.systems.books_writer import BooksWriter

NO_ACTION = kept("there is no %(name)s; choose one of %(names)s")
ACTIONS: dict[str, Action] = {
    action.name: action for action in (TicketUpdate(), TicketReply(), RefundCreate(), ContactUpdate(), ContactMerge())
}


def named(name: str) -> Action:
    """The action of a name.

    Raises:
        BadArguments: there is none.
    """
    if name not in ACTIONS:
        raise BadArguments("action: " + NO_ACTION % {"name": repr(name[:60]), "names": ", ".join(ACTIONS)})
    return ACTIONS[name]


def writer(workspace: int) -> Writer:
    """The systems' writer for a workspace; nothing outside this package may have one."""
    return BooksWriter(workspace)


def reader(workspace: int) -> Reader:
    """The systems' reader for a workspace."""
    return BooksReader(workspace)


__all__ = ["ACTIONS", "Action", "ActionError", "BadArguments", "named", "reader", "writer"]
