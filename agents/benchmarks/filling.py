"""Fills a throwaway database by COPY as its owner, with the triggers off meanwhile and ALWAYS again afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from agents.evals.throwaway import sign_in

AT_ONCE = 5_000  # lines to a piece of COPY


class NotWatched(Exception):
    """A trigger of ours is not in force: what would be measured is not the product."""


@contextmanager
def untriggered(tables: Sequence[str]) -> Iterator[None]:
    """As owner, with our triggers on `tables` off; they are on again, for every kind of session, at the end.

    Raises:
        NotWatched.
    """
    sign_in("owner")
    for table in tables:
        _alter(table, "DISABLE TRIGGER USER")
    try:
        yield
    finally:
        for table, name in _own_triggers():
            _alter(table, "ENABLE ALWAYS TRIGGER {}", name)
    if missing := [f"{table}.{name}" for table, name in _own_triggers(but_always=True)]:
        raise NotWatched(", ".join(missing))


@contextmanager
def unindexed(tables: Sequence[str]) -> Iterator[None]:
    """As owner, without the foreign keys and the plain indexes of `tables`; all are built again at the end.

    Built at once over what is there, they take a tenth of what they take row by row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])",
            [list(tables)],
        )
        keys = cursor.fetchall()
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " WHERE i.indrelid = ANY (%s::regclass[]) AND NOT i.indisunique",
            [list(tables)],
        )
        indexes = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for _, definition in indexes:
            cursor.execute(definition)
        for table, name, definition in keys:
            cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows into a table; dictionaries and lists go in as JSON."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row([Jsonb(value) if isinstance(value, dict | list) else value for value in row])


def copy_text(table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """The same where there are millions: each line as COPY takes it, values behind tabs."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")  # of this session alone, which ends with the filling
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for piece in _pieces(iter(lines)):
            copying.write(piece)


def _pieces(lines: Iterator[str]) -> Iterator[str]:
    """Many lines at once: a call for each would cost more than the rows."""
    while piece := "".join(f"{line}\n" for line in islice(lines, AT_ONCE)):
        yield piece


def _alter(table: str, how: str, *names: str) -> None:
    statement = sql.SQL("ALTER TABLE {} " + how).format(sql.Identifier(table), *map(sql.Identifier, names))
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _own_triggers(*, but_always: bool = False) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND (NOT %s OR t.tgenabled <> 'A') ORDER BY 1, 2",
            [but_always],
        )
        return list(cursor.fetchall())
