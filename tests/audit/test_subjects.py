"""Personal values are sealed under a key per person: who writes cannot read, and nothing lies in the open."""

import json
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from audit import canonical, envelopes, log, subjects
from audit.events import Event
from audit.models import Entry, Payload, SubjectKey
from portal import workspace
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in

ANNA = "anna.arber@example.com"


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def note(cast: Cast, subject: str, *, about: str = "", **personal: Any) -> Entry:
    with workspace.within(cast.ws) as now:
        return log.record(
            workspace=cast.ws, subject=subject, event=Event.BOOKS_IMPORTED, actor="system:test", now=now,
            about=about, personal=personal,
        )  # fmt: skip


def columns(cast: Cast, table: str) -> str:
    with workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute(f"SELECT string_agg(t::text, ' ') FROM {table} t")
        return str(cursor.fetchone()[0])


def test_a_value_is_sealed_and_opens_to_what_its_entry_commits_to(cast: Cast) -> None:
    entry = note(cast, "books:1", about="customer:c-1", email=ANNA, rows=[1, {"name": "Änna \U0001f600"}])
    with workspace.within(cast.ws):
        found = {one.name: one for one in Payload.objects.filter(entry=entry)}
    commitments = json.loads(entry.canonical)["commitments"]
    assert {name: canonical.commit(name, one.value, one.salt) for name, one in found.items()} == commitments
    assert found["email"].value == ANNA
    assert found["email"].plain_salt is found["email"].plain_value is None
    assert ANNA not in columns(cast, "audit_payload")
    assert ANNA.encode().hex() not in columns(cast, "audit_payload")


def test_a_person_has_one_key_whoever_writes(cast: Cast) -> None:
    first, second = note(cast, "books:1", about="customer:c-1", a=1), note(cast, "books:2", about="customer:c-1", a=2)
    other = note(cast, "books:3", about="customer:c-2", a=3)
    nobody = note(cast, "books:4", a=4)
    with workspace.within(cast.ws):
        key = dict(Payload.objects.values_list("entry_id", "key__about"))
        assert SubjectKey.objects.filter(about="customer:c-1").count() == 1
    assert (key[first.pk], key[second.pk], key[other.pk]) == ("customer:c-1", "customer:c-1", "customer:c-2")
    assert key[nobody.pk] == "books:4"


def test_many_entries_cost_one_key_read(cast: Cast, django_assert_num_queries: Any) -> None:
    with workspace.within(cast.ws) as now:
        subjects.keys_of(cast.ws, [f"customer:c-{n}" for n in range(5)])
        drafts = [
            log.draft(
                workspace=cast.ws, subject=f"books:{n}", event=Event.BOOKS_IMPORTED, actor="system:test", now=now,
                version=1, personal={"name": f"N{n}"}, about=f"customer:c-{n % 5}",
            )
            for n in range(25)
        ]  # fmt: skip
        log.attribute("")
        with django_assert_num_queries(3):  # entries, keys, payloads
            log.record_all(drafts)


@pytest.mark.parametrize("role", ["apply", "agents"])
def test_who_writes_for_others_reads_neither_values_nor_the_keys_that_open(cast: Cast, role: str) -> None:
    note(cast, "books:1", about="customer:c-1", email=ANNA)
    with signed_in(role), workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute("SELECT public FROM audit_subjectkey")
        assert len(cursor.fetchall()) == 1
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute("SELECT wrapped FROM audit_subjectkey")
    assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]


def test_an_agents_process_seals_what_concerns_its_run_and_cannot_read_it_back(cast: Cast) -> None:
    run = steps.begin_run(cast, steps.ticket(cast))
    with signed_in("agents"):
        with workspace.within(cast.ws) as now:
            log.record(
                workspace=cast.ws, subject=f"run:{run.pk}", event=Event.RUN_FAILED, actor="agent:triage", now=now,
                case=f"case:{run.case_id}", personal={"why": ANNA},
            )  # fmt: skip
        with pytest.raises(DatabaseError) as caught, workspace.within(cast.ws):
            list(Payload.objects.all())
        assert caught.value.__cause__.sqlstate == "42501"  # type: ignore[union-attr]
    with workspace.within(cast.ws):
        assert Payload.objects.get(entry__subject=f"run:{run.pk}").value == ANNA


def test_without_the_private_key_nothing_is_opened(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    note(cast, "books:1", about="customer:c-1", email=ANNA)
    monkeypatch.setattr(settings, "DATA_PRIVATE_KEY", None)
    envelopes._unwrapped.cache_clear()
    with workspace.within(cast.ws), pytest.raises(envelopes.NoKey):
        Payload.objects.get().value  # noqa: B018  # it opens when it is read


def test_without_the_public_key_nothing_is_kept_in_the_open_instead(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setattr(settings, "DATA_PUBLIC_KEY", "")
    with pytest.raises(envelopes.NoKey):
        note(cast, "books:1", about="customer:c-1", email=ANNA)
    with workspace.within(cast.ws):
        assert not Entry.objects.filter(subject="books:1").exists()


@pytest.mark.parametrize("role", ["web", "owner"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_payload SET name = 'x'", "DELETE FROM audit_payload", "TRUNCATE audit_payload",
        "UPDATE audit_subjectkey SET about = 'x'", "DELETE FROM audit_subjectkey",
    ],
)  # fmt: skip
def test_nobody_changes_a_value_or_a_key(cast: Cast, role: str, statement: str) -> None:
    note(cast, "books:1", about="customer:c-1", email=ANNA)
    with signed_in(role), workspace.within(cast.ws), connection.cursor() as cursor:
        with pytest.raises(DatabaseError) as caught, transaction.atomic():
            cursor.execute(statement)
        assert caught.value.__cause__.sqlstate == ("CS001" if role == "owner" else "42501")  # type: ignore[union-attr]


def test_a_value_in_the_open_is_refused_and_an_old_one_stays_readable(cast: Cast) -> None:
    entry = note(cast, "books:1", about="customer:c-1", email=ANNA)
    salt, row = b"s" * 32, "INSERT INTO audit_payload (workspace_id, entry_id, name, salt, value)"
    values = [cast.ws, entry.pk, "old", salt, json.dumps({"city": "Wien"})]
    with pytest.raises(DatabaseError) as caught, workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute(f"{row} VALUES (%s, %s, %s, %s, %s)", values)
    assert caught.value.__cause__.sqlstate == "CS001"  # type: ignore[union-attr]
    with signed_in("owner"), workspace.within(cast.ws), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_payload DISABLE TRIGGER sealed")  # as before there were keys
        cursor.execute(f"{row} VALUES (%s, %s, %s, %s, %s)", values)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE audit_payload ENABLE ALWAYS TRIGGER sealed")
    with workspace.within(cast.ws):
        old = Payload.objects.get(name="old")
    assert (old.salt, old.value) == (salt, {"city": "Wien"})
