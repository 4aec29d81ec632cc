"""Fills a throwaway database by COPY as its owner, with the triggers off meanwhile and ALWAYS again afterwards."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from psycopg import sql
from psycopg.types.json import Jsonb

from agents.evals.throwaway import sign_in


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


def copy(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Rows into a table; dictionaries and lists go in as JSON."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copying:
        for row in rows:
            copying.write_row([Jsonb(value) if isinstance(value, dict | list) else value for value in row])


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
