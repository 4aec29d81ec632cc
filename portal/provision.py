"""Makes the sign-ins and the database, as the server's administrator. The one place that connects so."""

import psycopg
import psycopg.conninfo
from psycopg import sql

from portal import env


class ProvisionError(Exception):
    """The server refused; the message says what to run there by hand."""


def provision(admin_dsn: str, database: str) -> None:
    """Create each role (no superuser, no bypass of row security) and the database, where missing.

    Raises:
        ProvisionError: the sign-in of `admin_dsn` may not create roles or databases.
    """
    settings = env.read()
    try:
        with psycopg.connect(admin_dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext('countersign.provision'))")
            for role in env.ROLES:
                _role(connection, role, settings.user_of(role), settings.password_of(role))
            _database(connection, database, settings.user_of("owner"))
            _vectors(admin_dsn, database)
    except psycopg.errors.InsufficientPrivilege as error:
        raise ProvisionError(
            f"the database server refused to make roles ({error}); docs/operations.md has the SQL"
        ) from error
    except psycopg.OperationalError as error:
        raise ProvisionError(f"no answer from the database server: {error}".strip()) from error


def _role(connection: psycopg.Connection, role: env.Role, name: str, password: str) -> None:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
        return
    # owner makes test databases, eval throwaway clones; nobody else makes anything.
    extra = "CREATEDB" if role in ("owner", "eval") else "NOCREATEDB"
    connection.execute(
        sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER NOCREATEROLE NOBYPASSRLS {} PASSWORD {}").format(
            sql.Identifier(name), sql.SQL(extra), sql.Literal(password or None)
        )
    )


def _database(connection: psycopg.Connection, database: str, owner: str) -> None:
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
        return
    connection.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
            sql.Identifier(database), sql.Identifier(owner)
        )
    )


def _vectors(admin_dsn: str, database: str) -> None:
    """pgvector, once, where the server has it: without, policy pages are searched by words alone.

    Test and throwaway databases are made from template1.
    """
    for name in (database, "template1"):
        with psycopg.connect(psycopg.conninfo.make_conninfo(admin_dsn, dbname=name), autocommit=True) as connection:
            there = "SELECT installed_version IS NULL FROM pg_available_extensions WHERE name = 'vector'"
            if connection.execute(there).fetchone() != (True,):
                return
            connection.execute("CREATE EXTENSION vector")
