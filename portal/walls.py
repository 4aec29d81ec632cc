"""The walls between workspaces, and each app's triggers and grants: built anew after every migration.

Read from the models, so that a new table cannot be forgotten: `UNIQUE (workspace_id, id)` where it serves, a composite
foreign key between tables of a workspace, row security. Then each app's `sql/*.sql` with `@role@` put in. Idempotent.
"""

from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from portal import env

APPS = ("audit", "portal", "approvals", "agents")
HERE = "workspace_id = nullif(current_setting('countersign.workspace', true), '')::bigint"


def build(connection: BaseDatabaseWrapper) -> None:
    """Install everything, in one transaction, signed in as owner."""
    with connection.cursor() as cursor:
        cursor.execute(render(grants()))
        for statement in walls():
            cursor.execute(statement)
        for path in scripts():
            cursor.execute(render(path.read_text()))


def tables() -> list[type[models.Model]]:
    """Every model of ours whose table carries a workspace."""
    ours = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    return [m for m in ours if any(f.column == "workspace_id" for f in m._meta.concrete_fields)]


def composite_keys() -> Iterator[tuple[str, str, str]]:
    """(table, column, target table) of every foreign key between two tables of a workspace."""
    inside = {model._meta.db_table for model in tables()}
    for model in tables():
        for field in model._meta.concrete_fields:
            if isinstance(field, models.ForeignKey):
                target = field.related_model._meta.db_table
                if target in inside:
                    yield model._meta.db_table, str(field.column), target


def needs_key(model: type[models.Model]) -> bool:
    """Whether `UNIQUE (workspace_id, id)` serves something: a composite foreign key to it, or whoever reads the rows
    of a workspace, where no other whole index begins with it."""
    referenced = model._meta.db_table in {target for *_, target in composite_keys()}
    own = [tuple(one.fields) for one in model._meta.indexes if one.condition is None]
    own += [
        tuple(one.fields) for one in model._meta.constraints
        if isinstance(one, models.UniqueConstraint) and one.condition is None
    ]  # fmt: skip
    return referenced or not any(fields[:1] in (("workspace",), ("workspace_id",)) for fields in own)


def walls() -> Iterator[str]:
    """The statements that keep rows of one workspace away from another."""
    for model in tables():
        table = model._meta.db_table
        if needs_key(model):
            yield f"CREATE UNIQUE INDEX IF NOT EXISTS {table}_inside ON {table} (workspace_id, id)"
        else:
            yield f"DROP INDEX IF EXISTS {table}_inside"
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield f"DROP POLICY IF EXISTS inside ON {table}"
        yield f"CREATE POLICY inside ON {table} USING ({HERE}) WITH CHECK ({HERE})"
    for table, column, target in composite_keys():
        name = f"{table}_{column}_inside"[:63]
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = '{name}') THEN"  # nosec B608
            f" ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY (workspace_id, {column})"
            f" REFERENCES {target} (workspace_id, id) DEFERRABLE INITIALLY DEFERRED; END IF; END $$"
        )


def grants() -> str:
    """Nothing is inherited: what each role may is taken away first; the apps' scripts give it back."""
    roles = ", ".join(f"@{role}@" for role in env.ROLES if role != "owner")
    return (
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}, PUBLIC;"
        f"REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public FROM {roles};"
        f"GRANT USAGE ON SCHEMA public TO {roles};"
        "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO @web@, @agents@, @apply@;"
    )


def scripts() -> Iterator[Path]:
    """Each app's SQL in the order of the arrows."""
    for app in APPS:
        yield from sorted((Path(apps.get_app_config(app).path) / "sql").glob("*.sql"))


def render(sql: str) -> str:
    """Put the sign-in names of this installation in place of `@role@`."""
    settings = env.read()
    for role in env.ROLES:
        sql = sql.replace(f"@{role}@", f'"{settings.user_of(role)}"')
        sql = sql.replace(f"@'{role}'@", f"'{settings.user_of(role)}'")
    return sql
