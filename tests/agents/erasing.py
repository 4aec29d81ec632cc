"""Short ways for tests of erasing: a customer with a whole history, and where a value of theirs still lies."""

import secrets
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.apps import apps
from django.db import connection, transaction

from agents import erasing as service
from agents import intake, transcripts, workflow
from agents.models import Run
from approvals import conversations, gate
from approvals.models import Proposal, Submission
from audit import log
from portal import models, walls, workspace
from tests.approvals import steps
from tests.audit.test_audit_seal import ROOT, environment
from tests.cast import Cast
from tests.conftest import signed_in


@dataclass
class Person:
    """Wilhelmine, by values that no digits of a hash can hold; each story has its own `mark`."""

    mark: str = field(default_factory=lambda: "".join(secrets.choice("ghjkmnpqrstvwxyz") for _ in range(8)))

    @property
    def customer(self) -> str:
        """As the source names its customers: by their names."""
        return f"wilhelmine_quast_{self.mark}"

    @property
    def email(self) -> str:
        """An address as people have it."""
        return f"wilhelmine.quast.{self.mark}@example.com"

    @property
    def values(self) -> tuple[str, ...]:
        """What must be found nowhere afterwards."""
        return (
            "wilhelmine", "quast", self.mark, "bärlauchgasse", "unterfladnitz", "zip-8181", "664 5550143", "6645550143",
            "samovar leaks", "great-aunt", "so sorry to hear", "noted by rosa",
        )  # fmt: skip


def settle(person: Person, cast: Cast, contact: str) -> str:
    """Their row in the books with an order, and who they are in the CRM; the order's id."""
    with workspace.within(cast.ws):
        log.attribute("test")
        models.Customer.objects.create(
            workspace=cast.workspace, customer_id=person.customer, first_name="Wilhelmine", last_name="Quast",
            email=person.email, address1="Bärlauchgasse 3", city="Unterfladnitz", postcode="ZIP-8181",
            contact=models.Contact.objects.get(contact_id=contact.partition(":")[2]),
        )  # fmt: skip
        log.attribute("")
    order = steps.order(cast, customer=person.customer)
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        models.Order.objects.filter(order_id=order).update(shipping={"street": "Bärlauchgasse 3", "zip": "ZIP-8181"})
        log.attribute("")
    return order


def history(cast: Cast) -> Person:
    """A ticket, a refund that was paid, a contact that was changed, an open reply, a transcript, a hand-off."""
    person = Person()
    fields = {"name": "wilhelmine quast", "email": person.email, "phone": "+43 664 5550143", "city": "Unterfladnitz"}
    contact = steps.contact(cast, fields)
    order = settle(person, cast, contact)
    text = f"My samovar leaks, order {order}. My great-aunt Wilhelmine Quast gave it to me."
    ticket = _ask(cast, person, text)
    changed = steps.propose(cast, contact, "contact.update", contact, {"changes": {"name": "Wilhelmine Quast"}})
    _carry_out(cast, changed)
    args = steps.refund_args(order, customer=person.customer)
    _carry_out(cast, steps.propose(cast, ticket, "refund.create", f"order:{order}", args, agent="refunds"))
    body = {"clauses": [], "body": f"Dear Wilhelmine Quast, we are so sorry to hear that. Write to {person.email}."}
    steps.propose(cast, ticket, "ticket.reply", ticket, body)
    _hand_over(cast, ticket, text)
    with workspace.within(cast.ws) as now:
        external = models.Ticket.objects.get(ticket_id=ticket.partition(":")[2]).external_id
        conversations.receive(
            workspace=cast.ws, ticket=external, external_id=f"m-{person.mark}", text=text, actor="system:test", now=now
        )
    return person


def _ask(cast: Cast, person: Person, text: str) -> str:
    """As it comes in, worked by its agent to the end, with a transcript of a model beside it."""
    line = {
        "id": f"mail/{person.email}", "from_customer_id": person.customer, "from_email": person.email, "text": text
    }  # fmt: skip
    with workspace.within(cast.ws) as now:
        taken = intake.take_in(workspace=cast.ws, agent="triage", line=line, actor="system:test", now=now)
    with signed_in("agents"):
        assert taken.run is not None
        assert workflow.advance(workspace=cast.ws, run=taken.run)
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    with workspace.within(cast.ws):
        ticket = f"ticket:{models.Ticket.objects.get(external_id=line['id']).ticket_id}"
    run = steps.begin_run(cast, ticket)
    with signed_in("agents"), workspace.within(cast.ws):
        transcripts.keep(run=run, step="reply", number=1, prompt=f"The customer wrote: {text}", answer=text)
    end(cast, run)
    return ticket


def _hand_over(cast: Cast, ticket: str, text: str) -> None:
    run = steps.begin_run(cast, ticket)
    with signed_in("agents"), workspace.within(cast.ws):
        Submission.objects.create(
            workspace=cast.workspace, case_id=run.case_id, kind="handoff", proposer="agent:triage", run=f"run:{run.pk}",
            key="handoff",
            payload={"reason": "out_of_scope", "summary": text, "found": {"name": "Wilhelmine Quast"}, "evidence": []},
        )  # fmt: skip
    with signed_in("apply"):
        gate.pass_due(workspace=cast.ws)
    end(cast, run)


def _carry_out(cast: Cast, row: Proposal) -> None:
    if row.state == "pending":
        for name in ("rosa", "mara"):
            if steps.fresh(cast, row).state == "pending":
                steps.approve(cast, row, name)
    assert steps.apply(cast, row).state == "applied"


def end(cast: Cast, *runs: Run) -> None:
    """What `steps` leaves under way."""
    with signed_in("agents"), workspace.within(cast.ws):
        Run.objects.filter(state="running", **({"pk__in": [run.pk for run in runs]} if runs else {})).update(
            state="done", outcome="Sorted: the samovar leaks"
        )


def erase(cast: Cast, name: str, actor: str = "system:operator") -> service.Erased:
    """As the command does it."""
    with signed_in("apply"), workspace.within(cast.ws) as now:
        subject = service.find(workspace=cast.ws, name=name)
        return service.erase(workspace=cast.ws, subject=subject, actor=actor, now=now)


def dumped(ws: int) -> dict[str, str]:
    """Every table of the workspace as text, as the owner reads it; bytes in the open beside their digits."""
    found = {}
    with signed_in("owner"), transaction.atomic(), connection.cursor() as cursor:
        for table in [model._meta.db_table for model in walls.tables()]:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, E'\\n'), '') FROM {table} t WHERE workspace_id = {ws}")
            found[table] = cursor.fetchone()[0].lower()
    return found


def found(values: Iterable[str], tables: dict[str, str]) -> list[tuple[str, str]]:
    """Table and value, wherever one still lies, as it is or as the digits of its bytes."""
    return [
        (table, value)
        for table, text in tables.items()
        for value in values
        if value in text or value.encode().hex() in text
    ]


def columns() -> set[tuple[str, str]]:
    """Every text, JSON and binary column of our tables, as the database has them."""
    ours = {m._meta.db_table for app in walls.APPS for m in apps.get_app_config(app).get_models()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
            " JOIN pg_type t ON t.oid = a.atttypid WHERE c.relkind IN ('r', 'p') AND a.attnum > 0"
            " AND NOT a.attisdropped AND c.relnamespace = 'public'::regnamespace AND (t.typcategory IN ('S', 'A')"
            " OR t.typname IN ('json', 'jsonb', 'bytea', 'tsvector', 'xml', 'hstore', 'inet'))"
        )
        return {(table, column) for table, column in cursor.fetchall() if table in ours}


def manage(*words: str, role: str = "apply", **extra: str) -> subprocess.CompletedProcess[str]:
    """A command on the database that this process works on, signed in as a role."""
    given = environment(PROCESS_ROLE=role, **extra)
    if role != "sealer":
        given.pop("LOG_SIGNING_KEY")
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=ROOT, env=given, capture_output=True, text=True, timeout=120
    )
