"""Inserting a row that somebody else may be inserting too, in one statement and without a savepoint."""

from functools import lru_cache

from django.db import connection, models
from django.db.models.expressions import DatabaseDefault


def insert_once(row: models.Model) -> bool:
    """Insert the row and give it its key; False, and nothing written, where a unique constraint has its like.

    Waits for another transaction that is inserting the same. Database defaults are not read back.
    """
    fields = [f for f in row._meta.local_concrete_fields if not isinstance(getattr(row, f.attname), DatabaseDefault)]
    fields = [field for field in fields if not field.primary_key]
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(_statement(type(row), tuple(field.column for field in fields)), values)
        found = cursor.fetchone()
    if found is None:
        return False
    row.pk, row._state.adding = found[0], False
    return True


@lru_cache(maxsize=64)
def _statement(model: type[models.Model], columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    names, marks = ", ".join(map(quote, columns)), ", ".join(["%s"] * len(columns))
    key = quote(next(str(field.column) for field in model._meta.local_concrete_fields if field.primary_key))
    table = quote(model._meta.db_table)
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING RETURNING {key}"  # nosec B608
