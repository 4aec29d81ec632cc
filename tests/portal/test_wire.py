"""Statements over libpq itself keep what Django promises: transactions, errors, a connection that broke."""

import pytest
from django.db import DatabaseError, OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from portal import wire, workspace


def transaction_of_now() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(pg_current_xact_id_if_assigned()::text, ''), current_setting('x.y', true)")
        return str(cursor.fetchone()[1] or "")


def test_begin_travels_with_the_first_statement_and_what_is_local_ends_with_the_transaction(live: None) -> None:
    with CaptureQueriesContext(connection) as counted, transaction.atomic():
        wire.first("SELECT set_config('x.y', 'here', true)")
        assert transaction_of_now() == "here"
    assert "BEGIN; SELECT" in counted.captured_queries[1]["sql"]
    assert transaction_of_now() == ""


def test_a_later_statement_joins_the_transaction_there_is(live: None) -> None:
    with transaction.atomic():
        wire.first("SELECT set_config('x.y', 'here', true)")
        assert wire.first("SELECT current_setting('x.y')") == ["here"]
        with transaction.atomic():
            assert wire.given("SELECT current_setting($1), $2::int + 1", ["x.y", "1"]) == ["here", "2"]


def test_what_fails_rolls_back_and_says_why_as_any_statement(live: None) -> None:
    with pytest.raises(DatabaseError) as refused, transaction.atomic():
        wire.first("SELECT 1/0")
    assert refused.value.__cause__.sqlstate == "22012"
    with transaction.atomic():
        with pytest.raises(DatabaseError), transaction.atomic():
            wire.given("SELECT $1::int", ["no number"])
        assert wire.first("SELECT 1") == ["1"]  # the savepoint took it back
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            wire.first("SELECT 1")


def test_a_broken_connection_is_operational_and_the_next_one_answers(live: None) -> None:
    asked = "SELECT pg_backend_pid(), $1::text"
    first = wire.given(asked, ["x"])
    assert wire.given(asked, ["x"]) == first
    with pytest.raises(OperationalError):
        wire.first("SELECT pg_terminate_backend(pg_backend_pid())")
    connection.close()
    assert wire.given(asked, ["y"])[1] == "y"


def test_a_statement_with_values_outlives_what_is_rolled_back(live: None) -> None:
    asked = "SELECT $1::text"
    for _ in range(2):
        assert wire.given(asked, ["x"]) == ["x"]
        with transaction.atomic(), connection.cursor() as cursor:
            for _ in range(9):
                cursor.execute("SELECT 1 + %s", [1])  # often enough for the driver to prepare it
            transaction.set_rollback(True)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1")  # now it makes the database forget all that is prepared


def test_a_null_is_an_empty_text(live: None) -> None:
    assert wire.first("SELECT null, ''") == ["", ""]


def test_the_clock_of_a_transaction_is_utc_and_the_databases(live: None) -> None:
    with workspace.within(None) as now, connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        later = cursor.fetchone()[0]
    assert now.utcoffset().total_seconds() == 0
    assert 0 <= (later - now).total_seconds() < 5
