"""A throwaway database for an evaluation: made and dropped by the sign-in `eval`, migrated as owner.

Whatever happens inside, Ctrl-C included, it is gone at the end; the installation's own data is never touched.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from celery import Celery, current_app
from django.core.management import call_command
from django.db import connection
from psycopg import sql

from portal import env

DROP_TRIES = 50


@contextmanager
def database(*, durable: bool = False) -> Iterator[None]:
    """Every query of this process goes to a fresh, migrated database until the end. Call `sign_in` next.

    Its commits reach the disk before they are reported only where it is `durable`: a measure asks for it.
    """
    name = f"countersign_eval_{os.getpid()}_{secrets.token_hex(3)}"
    before = dict(connection.settings_dict)
    celery_before = current_app._get_current_object()
    # What is due is worked through here; a message would reach workers of the installation.
    Celery("evaluation", broker="memory://localhost/").set_current()
    _as_eval(before["NAME"], sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'"), name)
    try:
        _as_eval(name, sql.SQL("GRANT ALL ON SCHEMA public TO {} WITH GRANT OPTION"), env.read().user_of("owner"))
        if not durable:
            _as_eval(name, sql.SQL("ALTER DATABASE {} SET synchronous_commit = off"), name)
        connection.settings_dict["NAME"] = name
        sign_in("owner")
        call_command("migrate", verbosity=0)
        yield
    finally:
        celery_before.set_current()
        connection.close()
        connection.settings_dict.update(before)
        _drop(before["NAME"], name)


def sign_in(role: env.Role) -> None:
    """From the next query on this process is signed in as another role."""
    connection.close()
    connection.settings_dict["USER"] = env.read().user_of(role)
    connection.settings_dict["PASSWORD"] = env.read().password_of(role)


def analyze() -> None:
    """What autovacuum does within a minute in service: tell the planner how large the tables have become."""
    sign_in("owner")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def settle() -> None:
    """The same for a table that was just filled with millions, marked as whole so that an index alone answers."""
    sign_in("owner")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _drop(where: str, name: str) -> None:
    """A backend that was just left may still be on its way out."""
    for tries_left in reversed(range(DROP_TRIES)):
        try:
            return _as_eval(where, sql.SQL("DROP DATABASE IF EXISTS {}"), name)
        except psycopg.errors.ObjectInUse:
            if not tries_left:
                raise
            time.sleep(0.1)
    return None


def _as_eval(where: str, statement: sql.SQL, name: str) -> None:
    settings, chosen = connection.settings_dict, env.read()
    with psycopg.connect(
        host=settings["HOST"] or None, port=settings["PORT"] or None, dbname=where, autocommit=True,
        user=chosen.user_of("eval"), password=chosen.password_of("eval") or None,
    ) as eval_connection:  # fmt: skip
        eval_connection.execute(statement.format(sql.Identifier(name)))
