"""Statements handed to libpq itself: for what is asked with every transaction, where each round trip counts.

Everything else goes through Django's cursors. Values are text; the caller casts. Counted with Django's queries.
"""

from collections.abc import Callable, Sequence

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import debug_transaction
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult


def first(sql: str) -> list[str]:
    """The row of a statement without values; where Django has begun a transaction and said nothing yet, BEGIN
    travels with it.

    Raises:
        django.db.DatabaseError: as any statement of Django's.
    """
    db = _open()
    begun = db.connection.pgconn.transaction_status != TransactionStatus.IDLE
    whole = sql if begun or not db.in_atomic_block else f"BEGIN; {sql}"
    return _row(db, whole, lambda libpq: libpq.exec_(whole.encode()))


def given(sql: str, values: Sequence[str]) -> list[str]:
    """The row of a statement (`$1`, `$2`) with values; "" stands for null. Under no name of ours: psycopg forgets
    whatever is prepared on a connection when it rolls back.

    Raises:
        django.db.DatabaseError: as any statement of Django's.
    """
    return _row(_open(), sql, lambda libpq: libpq.exec_params(sql.encode(), [value.encode() for value in values]))


def _open() -> BaseDatabaseWrapper:
    db = connections[DEFAULT_DB_ALIAS]
    if db.connection is None:
        db.ensure_connection()
    db.validate_no_broken_transaction()
    return db


def _row(db: BaseDatabaseWrapper, sql: str, send: Callable[[PGconn], PGresult]) -> list[str]:
    if not db.queries_logged:
        return _values(_run(db, send))
    with debug_transaction(db, sql):
        return _values(_run(db, send))


def _values(result: PGresult) -> list[str]:
    return [(result.get_value(0, column) or b"").decode() for column in range(result.nfields)]


def _run(db: BaseDatabaseWrapper, send: Callable[[PGconn], PGresult]) -> PGresult:
    with db.wrap_database_errors:
        result = send(db.connection.pgconn)
        if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
            return result
        if db.connection.pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError(result.get_error_message())
        raise psycopg.errors.error_from_result(result)
