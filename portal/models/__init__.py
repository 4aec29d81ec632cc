"""People, workspaces and the built-in books."""

from portal.models.connections import Connection, Credential, Pace, Part
from portal.models.desk import Clause, Contact, Message, Page, Queue, Ticket
from portal.models.notices import Notice, NoticeChoice, NoticeCursor, SlackHook, SlackPost
from portal.models.people import (
    Language,
    Membership,
    NumberFormat,
    Person,
    PersonalToken,
    PersonManager,
    Role,
    Workspace,
    WorkspaceRow,
)
from portal.models.presence import Delegation, Skill, StepUp
from portal.models.shop import Customer, Order, OrderItem, Payment, PaymentMethod

__all__ = [
    "Clause",
    "Connection",
    "Contact",
    "Credential",
    "Customer",
    "Delegation",
    "Language",
    "Membership",
    "Message",
    "Notice",
    "NoticeChoice",
    "NoticeCursor",
    "NumberFormat",
    "Order",
    "OrderItem",
    "Pace",
    "Page",
    "Part",
    "Payment",
    "PaymentMethod",
    "Person",
    "PersonManager",
    "PersonalToken",
    "Queue",
    "Role",
    "Skill",
    "SlackHook",
    "SlackPost",
    "StepUp",
    "Ticket",
    "Workspace",
    "WorkspaceRow",
]
