"""Takes one ticket or contact in, in the web process: record, case, run and entry in one transaction.

First step of a ticket's path. Refuses lines of the wrong form; the same id again is a no-op.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from agents import roster
from agents.lines import ContactLine, Line, TicketLine, check
from agents.models import Run
from agents.steps.base import Agent
from approvals import abouts, outbox, proposals
from audit import log
from audit.events import Event
from portal import telemetry
from portal.systems import inbound

ADVANCE = "agents.tasks.advance"
TITLE_LENGTH = 80


class IntakeError(Exception):
    """The line's form has no way in; a form and its way in are added together."""


@dataclass(frozen=True, slots=True)
class Taken:
    """`id` is the caller's, `case` and `run` ours; `run` is None where a known record never had one."""

    id: str
    case: int
    run: int | None
    new: bool


@dataclass(frozen=True, slots=True)
class _Received:
    """A record as it came in: what it is about (`ticket:T-1`), how people see it, what the log says of it."""

    subject: str
    title: str
    customer: str
    event: Event
    new: bool
    body: Mapping[str, Any]
    personal: Mapping[str, Any]
    about: str


def take_in(*, workspace: int, agent: str, line: Mapping[str, object], actor: str, now: datetime) -> Taken:
    """Store what came in and start the agent's run on it; a worker is told after commit.

    Raises:
        roster.NoSuchAgent: nobody of that name is on the roster.
        lines.LineError: naming the field that is off; nothing is stored.
    """
    hired = roster.find(agent)
    form = check(hired.line, line)
    with transaction.atomic(savepoint=False):
        log.attribute(f"intake:{agent}")
        received = _receive(workspace, form)
        case = proposals.open_case(
            workspace=workspace, subject=received.subject, title=received.title, customer=received.customer
        )
        if not received.new:
            log.attribute("")
            known = Run.objects.filter(workspace=workspace, case=case).order_by("id").last()
            return Taken(form.id, case.pk, known.pk if known else None, new=False)
        run = _start(workspace, case.pk, hired, actor)
        log.record(
            workspace=workspace, subject=received.subject, version=1, event=received.event, actor=actor, now=now,
            case=f"case:{case.pk}", trace_id=run.trace_id,
            body={"agent": agent, "run": f"run:{run.pk}", **received.body}, personal=received.personal,
            about=received.about,
        )  # fmt: skip
        telemetry.after_commit(
            run.trace_id, [telemetry.since("intake", telemetry.ROOT, now, countersign__case=case.pk)]
        )
    return Taken(form.id, case.pk, run.pk, new=True)


def _start(workspace: int, case: int, agent: Agent, actor: str) -> Run:
    """A queued run; a trigger makes it due, so that a lost message is said again."""
    run = Run.objects.create(
        workspace_id=workspace, case_id=case, agent=agent.name, agent_version=agent.version,
        trace_id=secrets.token_hex(16), asked_by=actor,
    )  # fmt: skip
    outbox.nudge_together(ADVANCE, "agents", workspace)
    return run


def _receive(workspace: int, line: Line) -> _Received:
    match line:
        case TicketLine():
            return _receive_ticket(workspace, line)
        case ContactLine():
            return _receive_contact(workspace, line)
    raise IntakeError(f"{type(line).__name__} has no way in")


def _receive_ticket(workspace: int, line: TicketLine) -> _Received:
    ticket, new = inbound.receive_ticket(
        workspace=workspace, external_id=line.id, customer_id=line.from_customer_id,
        sender_email=line.from_email, subject=line.heading, body=line.text,
    )  # fmt: skip
    customer = ticket.customer.customer_id if ticket.customer else ""
    return _Received(
        f"ticket:{ticket.ticket_id}", _title(line), customer, Event.TICKET_RECEIVED, new,
        body={"known_customer": bool(customer)}, about=abouts.of_customer(customer),
        personal={
            "text": line.text, "from_email": line.from_email, "external_id": line.id,
            **({"customer": customer} if customer else {}),
        },
    )  # fmt: skip


def _receive_contact(workspace: int, line: ContactLine) -> _Received:
    contact, new = inbound.receive_contact(
        workspace=workspace, external_id=line.id, fields=line.fields, locked_fields=line.locked_fields
    )
    return _Received(
        f"contact:{contact.contact_id}", f"Contact {contact.contact_id}", "", Event.CONTACT_RECEIVED, new,
        body={"fields": sorted(line.fields), "locked_fields": sorted(line.locked_fields)},
        personal={"record": line.fields, "external_id": line.id}, about=f"contact:{contact.contact_id}",
    )  # fmt: skip


def _title(line: TicketLine) -> str:
    words = (line.heading or line.text).split()
    text = " ".join(words[:30])
    return text if len(text) <= TITLE_LENGTH else text[: TITLE_LENGTH - 1] + "…"
