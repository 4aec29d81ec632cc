"""The log: numbered without gap, inside the caller's transaction, and nobody's to change."""

import json

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from audit import canonical, log, watch
from audit.events import Event
from audit.models import Entry, Payload, Unattributed
from portal import models, workspace
from tests.cast import Cast, gather
from tests.conftest import sign_in, signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def note(cast: Cast, subject: str, **more: object) -> Entry:
    with workspace.within(cast.ws) as now:
        return log.record(
            workspace=cast.ws,
            subject=subject,
            event=Event.BOOKS_IMPORTED,
            actor="system:test",
            now=now,
            **more,  # type: ignore[arg-type]
        )


def test_entries_of_a_subject_are_numbered_without_gap(cast: Cast) -> None:
    assert [note(cast, "books:1").version for _ in range(3)] == [1, 2, 3]
    with pytest.raises(IntegrityError):
        note(cast, "books:1", version=3)
    assert note(cast, "books:1").version == 4


def test_recording_outside_a_transaction_is_refused(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        pass
    with pytest.raises(log.NotInTransaction):
        log.record(workspace=cast.ws, subject="x:1", event=Event.BOOKS_IMPORTED, actor="system:test", now=now)


def test_a_write_that_is_rolled_back_leaves_no_entry(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        log.record(workspace=cast.ws, subject="gone:1", event=Event.BOOKS_IMPORTED, actor="system:test", now=now)
        transaction.set_rollback(True)
    with workspace.within(cast.ws):
        assert not Entry.objects.filter(subject="gone:1").exists()


def test_a_personal_value_enters_the_hashed_bytes_as_a_commitment_only(cast: Cast) -> None:
    entry = note(cast, "books:2", personal={"email": "cleo@example.com"})
    assert "cleo" not in entry.canonical
    with workspace.within(cast.ws):
        payload = Payload.objects.get(entry=entry)
    commitment = json.loads(entry.canonical)["commitments"]["email"]
    assert commitment == canonical.commit("email", payload.value, bytes(payload.salt))
    assert commitment != canonical.commit("email", "cleo@example.org", bytes(payload.salt))


@pytest.mark.parametrize("role", ["web", "apply", "agents", "owner"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry CASCADE"],
)
def test_nobody_changes_an_entry(cast: Cast, role: str, statement: str) -> None:
    """The owner passes the grants, not the triggers, not even with replication switched."""
    note(cast, "books:3")
    with signed_in(role), workspace.within(cast.ws), connection.cursor() as cursor:
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute(statement)
        assert caught.value.__cause__.sqlstate == ("CS001" if role == "owner" else "42501")  # type: ignore[union-attr]
        cursor.execute("SELECT 1")


def test_the_transaction_of_an_entry_is_nobodys_to_supply(cast: Cast) -> None:
    with workspace.within(cast.ws), connection.cursor() as cursor:
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute(
                "INSERT INTO audit_entry (workspace_id, subject, version, event, state, actor, \"case\", trace_id, at,"
                " canonical, xact) VALUES (%s, 's:1', 1, 'e', '', 'a', '', '', now(), '{}', '1')", [cast.ws]
            )  # fmt: skip
        assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]


def test_append_only_triggers_are_enabled_always(live: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2"
        )
        rows = cursor.fetchall()
    assert len(rows) > 20
    assert [row for row in rows if row[2] != "A"] == []


def test_a_write_that_names_no_action_is_staged_and_reported(cast: Cast) -> None:
    with workspace.within(cast.ws):
        models.Queue.objects.create(workspace=cast.workspace, name="stray", title="Stray")
    with signed_in("apply"):
        with workspace.within(cast.ws) as now:
            assert watch.report(workspace=cast.ws, now=now) == 1
        with workspace.within(cast.ws) as now:
            assert watch.report(workspace=cast.ws, now=now) == 0
            entry = Entry.objects.get(event=Event.CHANGE_UNATTRIBUTED)
    body = json.loads(entry.canonical)["body"]
    assert (body["table"], body["operation"]) == ("portal_queue", "insert")


def test_attribution_ends_with_the_entry(cast: Cast) -> None:
    """A setting that lived on in the transaction would attribute everything after it."""
    with workspace.within(cast.ws) as now:
        log.attribute("books:9")
        models.Queue.objects.create(workspace=cast.workspace, name="named", title="Named")
        log.record(workspace=cast.ws, subject="books:9", event=Event.BOOKS_IMPORTED, actor="system:t", now=now)
        models.Queue.objects.create(workspace=cast.workspace, name="stray", title="Stray")
    with workspace.within(cast.ws):
        assert list(Unattributed.objects.values_list("table", flat=True)) == ["portal_queue"]


def test_tests_are_not_signed_in_as_owner(live: None) -> None:
    sign_in("web")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user")
        assert cursor.fetchone() == ("countersign_web", False)
