"""Intake: what comes in is stored once, whole, on the log; what is off is refused by field."""

import pytest

from agents.lines import LineError


def test_a_line_becomes_ticket_message_case_run_and_entry(desk):
    from agents.models import Run
    from approvals.models import Case, Outbox
    from audit.models import Entry
    from portal.models import Message, Ticket

    taken = desk.take_in("triage", id="T-1", text="Where is my parcel?", colour="red")

    (ticket,), (message,) = desk.rows(Ticket), desk.rows(Message)
    (case,), (run,) = desk.rows(Case), desk.rows(Run)
    assert (ticket.ticket_id, message.body) == ("T-1", "Where is my parcel?")
    assert (case.subject, case.title, case.pk) == ("ticket:T-1", "Where is my parcel?", taken.case)
    assert (run.pk, run.state, run.agent, len(run.trace_id)) == (taken.run, "queued", "triage", 32)
    (due,) = desk.rows(Outbox)
    assert (due.task, due.queue, due.object_id) == ("agents.tasks.advance", "agents", run.pk)
    (entry,) = desk.rows(Entry, subject="ticket:T-1")
    assert entry.event == "ticket.received"
    assert "parcel" not in entry.canonical
    assert "red" not in entry.canonical


def test_the_same_id_again_is_a_no_op(desk):
    from agents.models import Run
    from audit.models import Entry
    from portal.models import Message

    first = desk.take_in("triage", id="T-1", text="Where is my parcel?")
    entries = len(desk.rows(Entry))
    again = desk.take_in("triage", id="T-1", text="Something else")

    assert (again.case, again.run, again.new) == (first.case, first.run, False)
    assert len(desk.rows(Run)) == len(desk.rows(Message)) == 1
    assert len(desk.rows(Entry)) == entries


def test_nothing_that_comes_in_is_unattributed(desk):
    from audit.models import Unattributed

    desk.take_in("triage", id="T-1", text="Where is my parcel?")
    desk.take_in("contacts", id="C-1", record={"email": "a@example.org", "fax": None})
    assert not desk.rows(Unattributed)


def test_an_unknown_sender_gets_a_ticket_without_customer(desk):
    from portal.models import Ticket

    desk.take_in("refunds", id="R-1", from_customer_id="nobody_1", from_email="x@example.org", text="Refund me")
    (ticket,) = desk.rows(Ticket)
    assert ticket.customer_id is None


def test_a_contact_keeps_what_is_there_and_its_locks(desk):
    from portal.models import Contact

    desk.take_in("contacts", id="C-1", record={"email": "a@example.org", "fax": None}, locked_fields=["email"])
    (contact,) = desk.rows(Contact)
    assert (contact.fields, contact.locked_fields) == ({"email": "a@example.org"}, ["email"])


def test_an_id_that_is_not_clean_gets_one_of_ours(desk):
    from portal.models import Ticket

    desk.take_in("triage", id="odd id / 1", text="Hello")
    (ticket,) = desk.rows(Ticket)
    assert ticket.external_id == "odd id / 1"
    assert ticket.ticket_id.startswith("t-")


@pytest.mark.parametrize(
    ("agent", "line", "field"),
    [
        ("triage", {"id": "", "text": "x"}, "id"),
        ("triage", {"id": "  ", "text": "x"}, "id"),
        ("triage", {"id": 7, "text": "x"}, "id"),
        ("triage", {"id": "a"}, "text"),
        ("triage", {"id": "a", "text": "x\x00y"}, "text"),
        ("triage", {"id": "a", "text": "\ud83d"}, "text"),
        ("triage", {"id": "a", "text": "x" * 100_001}, "text"),
        ("refunds", {"id": "a", "text": "x", "from_email": ""}, "from_customer_id"),
        ("contacts", {"id": "a", "record": {}}, "record"),
        ("contacts", {"id": "a", "record": {"phone": 7}}, "record.phone"),
        ("contacts", {"id": "a", "record": {"phone": "1\x00"}}, "record.phone"),
        ("contacts", {"id": "a", "record": {"phone": "1"}, "locked_fields": "phone"}, "locked_fields"),
    ],
)
def test_what_is_off_is_refused_by_field_and_nothing_is_stored(desk, agent, line, field):
    from audit.models import Entry

    before = len(desk.rows(Entry))
    with pytest.raises(LineError) as refused:
        desk.take_in(agent, **line)
    assert str(refused.value).startswith(f"{field}: ")
    assert len(desk.rows(Entry)) == before
