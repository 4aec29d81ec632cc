"""A person is erased: nothing of theirs is found anywhere, and the log still holds and says what was done."""

import json
import secrets
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from agents import erasing as service
from approvals import reversal, shifts
from approvals.models import Case, Handoff, Proposal
from audit import canonical, holds, log
from audit.events import Event
from audit.models import Entry, Payload, SubjectKey
from portal import models, workspace
from tests.agents import erasing
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def refused(role: str, cast: Cast, who: str, says: dict[str, int] | None = None) -> str:
    """The SQLSTATE with which the function refuses, beside an entry with such counts where they are given."""
    with signed_in(role), pytest.raises(DatabaseError) as caught, workspace.within(cast.ws) as now:
        _call(cast, who, says, now)
    return str(getattr(caught.value.__cause__, "sqlstate", ""))


def _call(cast: Cast, who: str, says: dict[str, int] | None, now: Any) -> None:
    if says is not None:
        log.record(
            workspace=cast.ws, subject=f"erasure:{who}", event=Event.SUBJECT_ERASED, now=now,
            actor="system:operator", body={"counts": says},
        )  # fmt: skip
    log.attribute("x")
    with connection.cursor() as cursor:
        cursor.execute("SELECT agents_erase(%s, %s, false)", [cast.ws, who])


def test_nothing_of_theirs_is_found_in_any_table(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    before = erasing.found(person.values, erasing.dumped(cast.ws))
    assert {table for table, _ in before} >= {
        "portal_customer", "portal_contact", "portal_message", "portal_ticket", "approvals_case",
        "approvals_submission", "approvals_revision", "approvals_receipt", "approvals_handoff", "agents_transcript",
        "agents_run",
    }  # fmt: skip
    assert [one for one in before if one[0] in ("audit_entry", "audit_payload")] == []  # sealed from the start
    done = erasing.erase(cast, f"customer:{person.customer}")
    assert erasing.found(person.values, erasing.dumped(cast.ws)) == []
    assert done.withdrawn >= 1
    assert done.resolved == 1
    assert done.counts["audit_payload"] > 10


def test_what_the_next_shift_was_told_on_their_case_goes_with_them(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    with workspace.within(cast.ws, cast.id("rosa")) as now:
        case = Case.objects.filter(customer=person.customer).earliest("pk")
        note = shifts.leave(
            workspace=cast.ws, person=cast.id("rosa"), text=f"Call {person.mark}", case=case.pk, now=now
        )
        entry = Entry.objects.get(subject=f"shift-note:{note.pk}")
        assert entry.case == f"case:{case.pk}"
        assert Payload.objects.filter(entry=entry, key__about=f"customer:{person.customer}").count() == 1
    erasing.erase(cast, f"customer:{person.customer}")
    assert erasing.found(person.values, erasing.dumped(cast.ws)) == []
    with workspace.within(cast.ws):
        assert Payload.objects.filter(entry=entry).count() == 0


def test_who_else_is_there_keeps_everything(cast: Cast) -> None:
    person, other = erasing.history(cast), erasing.history(cast)
    erasing.end(cast)
    before = erasing.found([other.mark], erasing.dumped(cast.ws))
    erasing.erase(cast, f"customer:{person.customer}")
    assert erasing.found([other.mark], erasing.dumped(cast.ws)) == before
    with workspace.within(cast.ws):
        kept = [one.value for one in Payload.objects.filter(key__about=f"customer:{other.customer}")]
        assert SubjectKey.objects.filter(about__contains=person.customer).count() == 0
    assert any(other.email in str(value) for value in kept)


def test_the_entry_counts_what_went_and_names_nobody(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    done = erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        entry = Entry.objects.get(event="subject.erased")
        kept = Entry.objects.count()
    assert json.loads(entry.canonical)["body"]["counts"] == dict(done.counts)
    assert entry.subject.startswith("erasure:customer:")
    assert person.customer not in entry.canonical
    again = erasing.erase(cast, f"customer:erased-{entry.subject.rpartition(':')[2]}")  # nothing breaks the second time
    assert "audit_payload" not in again.counts
    with workspace.within(cast.ws):
        assert Entry.objects.count() == kept + 1


def test_erasing_the_contact_erases_the_customer_they_are(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    with workspace.within(cast.ws):
        contact = models.Customer.objects.get(customer_id=person.customer).contact
        assert contact is not None
    erasing.erase(cast, f"contact:{contact.contact_id}")
    assert erasing.found(person.values, erasing.dumped(cast.ws)) == []


def test_what_was_open_is_withdrawn_through_its_own_moves(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    with workspace.within(cast.ws):
        opened = list(Proposal.objects.filter(state="pending").values_list("pk", flat=True))
        assert opened
    erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        assert set(Proposal.objects.filter(pk__in=opened).values_list("state", flat=True)) == {"withdrawn"}
        events = (
            Entry.objects.filter(subject=f"proposal:{opened[0]}").order_by("version").values_list("event", flat=True)
        )
        assert list(events)[-1] == "proposal.withdrawn"
        assert not Handoff.objects.filter(state="open").exists()


def test_while_something_of_theirs_is_worked_nothing_is_erased(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    with workspace.within(cast.ws):
        subject = models.Ticket.objects.get(sender_email=person.email).ticket_id
    steps.begin_run(cast, f"ticket:{subject}")
    before = erasing.dumped(cast.ws)
    with pytest.raises(service.UnderWay, match="an agent is at work"):
        erasing.erase(cast, f"customer:{person.customer}")
    assert erasing.dumped(cast.ws) == before


def test_a_hold_refuses_it_in_service_and_database(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    with workspace.within(cast.ws) as now:
        who = service.find(workspace=cast.ws, name=f"customer:{person.customer}")
        common: dict[str, Any] = {"workspace": cast.ws, "actor": "person:1", "reason": "A court asked", "now": now}
        holds.place(about=who, **common)
        with pytest.raises(holds.AlreadySo):
            holds.place(about=who, **common)
    with pytest.raises(holds.OnHold, match="A legal hold on customer:"):
        erasing.erase(cast, f"customer:{person.customer}")
    assert refused("apply", cast, who) == "CS016"
    with workspace.within(cast.ws) as now:
        holds.lift(about=who, **common)
        assert list(Entry.objects.filter(event__startswith="hold.").order_by("pk").values_list("event", flat=True)) == [
            "hold.placed", "hold.lifted",
        ]  # fmt: skip
    assert erasing.erase(cast, f"customer:{person.customer}").counts


def test_the_function_takes_nothing_away_without_the_entry_that_says_so(cast: Cast) -> None:
    person = erasing.Person()
    steps.order(cast, customer=person.customer)
    with workspace.within(cast.ws):
        who = service.find(workspace=cast.ws, name=f"customer:{person.customer}")
    assert refused("apply", cast, who) == "CS003"
    assert refused("apply", cast, who, says={"portal_customer": 7}) == "CS003"
    with workspace.within(cast.ws):
        assert models.Customer.objects.filter(customer_id=person.customer).exists()


@pytest.mark.parametrize("role", ["web", "agents", "sealer"])
def test_nobody_but_apply_has_the_function(cast: Cast, role: str) -> None:
    assert refused(role, cast, "customer:1") == "42501"


def test_the_entry_alone_opens_no_table_to_anybody(cast: Cast) -> None:
    """Beside it the owner is refused as ever: only from within the function anything is taken away."""
    steps.propose(cast, steps.ticket(cast), "ticket.reply", _ticket(cast), {"body": "Hello", "clauses": []})
    for role in ("owner", "apply"):
        with signed_in(role), workspace.within(cast.ws), connection.cursor() as cursor:
            cursor.execute(
                'INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, "case", trace_id, at,'
                " canonical) VALUES (%s, %s, 1, 'subject.erased', '', 'x', '', '', now(), '{}')",
                [cast.ws, f"forged:{role}"],
            )
            with pytest.raises(DatabaseError) as caught, transaction.atomic():
                cursor.execute("UPDATE approvals_revision SET content = ''")
            assert caught.value.__cause__.sqlstate == ("CS001" if role == "owner" else "42501")  # type: ignore[union-attr]


def _ticket(cast: Cast) -> str:
    with workspace.within(cast.ws):
        return f"ticket:{models.Ticket.objects.latest('pk').ticket_id}"


def test_59_no_dictionary_finds_an_address_among_the_commitments(cast: Cast) -> None:
    """Fault 59: 10,000 addresses, the right one among them, against everything that is left."""
    person = erasing.history(cast)
    erasing.end(cast)
    addresses = [person.email, *(f"wilhelmine.quast{n}@example.com" for n in range(9_999))]
    with workspace.within(cast.ws):
        first = Payload.objects.get(name="from_email")
        commitments = {c for text in Entry.objects.values_list("canonical", flat=True)
                       for c in json.loads(text)["commitments"].values()}  # fmt: skip
        assert canonical.commit("from_email", person.email, first.salt) in commitments  # with its salt it is known
    erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        salts = {bytes(one.salt) for one in Payload.objects.all()} | {b"", b"\0" * 32, secrets.token_bytes(32)}
        left = {c for text in Entry.objects.values_list("canonical", flat=True)
                for c in json.loads(text)["commitments"].values()}  # fmt: skip
    assert left >= commitments
    # The right address with every salt that is left, and the others with some of them.
    tried = [*((person.email, salt) for salt in salts), *((a, salt) for a in addresses for salt in list(salts)[:8])]
    hits = [a for a, salt in tried if canonical.commit("from_email", a, salt) in left]
    assert hits == []
    tables = " ".join(erasing.dumped(cast.ws).values())
    digests = [canonical.sha256_hex(a) for a in addresses]
    assert not any(digest in tables for digest in digests)
    print(f"{len(addresses):,} addresses against {len(left):,} commitments: {len(hits)} found")


def test_its_undo_is_gone_and_says_so(cast: Cast) -> None:
    person = erasing.history(cast)
    erasing.end(cast)
    erasing.erase(cast, f"customer:{person.customer}")
    with workspace.within(cast.ws):
        row = Proposal.objects.get(action="contact.update", state="applied")
        assert reversal.offered(row) == ""
        with pytest.raises(reversal.Unrecorded, match="personal data was erased"):
            reversal.undo_preview(proposal=row)


def test_every_column_is_declared_erasable_or_free(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relation, field, becomes, because FROM agents_held")
        declared = cursor.fetchall()
        cursor.execute("SELECT relation FROM agents_held_rows")
        found = {row[0] for row in cursor.fetchall()}
    there = erasing.columns()
    known = {(table, field) for table, field, _, _ in declared}
    assert len(there) > 200
    assert sorted(one for one in there if one not in known and (one[0], "*") not in known) == []
    tables = {table for table, _ in there}
    text_of = {(table, field) for table, field in known if field != "*" and table in tables}
    assert sorted(text_of - there - {("approvals_handoff", "version")}) == []
    assert {table for table, _, becomes, _ in declared if becomes is not None} == found
    assert [one for one in declared if one[2] is None and not one[3]] == []


def test_a_new_column_that_nobody_declared_is_found(live: None) -> None:
    with signed_in("owner"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE portal_customer ADD COLUMN nickname text")
        assert ("portal_customer", "nickname") in erasing.columns()
        transaction.set_rollback(True)
