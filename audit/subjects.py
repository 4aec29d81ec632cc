"""Keeps the personal values of entries, sealed under the key of whom they are about; makes that key with the first.

A process that writes reads public halves alone. Refuses to keep anything in the open.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from audit import envelopes
from audit.models import Entry, SubjectKey


@dataclass(frozen=True, slots=True)
class Value:
    """A personal value with its name among the entry's, and the salt of its commitment."""

    name: str
    salt: bytes
    value: Any


def keep(owned: Sequence[tuple[Entry, str, Sequence[Value]]]) -> None:
    """Seal the values of many entries, each for whom its entry is about. One key read, whatever their number.

    Raises:
        envelopes.NoKey: DATA_PUBLIC_KEY is not set.
    """
    if not owned:
        return
    wanted: dict[int, set[str]] = {}
    for entry, about, _ in owned:
        wanted.setdefault(entry.workspace_id, set()).add(about)
    keys = {workspace: keys_of(workspace, abouts) for workspace, abouts in wanted.items()}
    sealer = envelopes.Sealer()
    _insert(
        [
            (entry.workspace_id, entry.pk, one.name, key, sealer.seal(one.salt, one.value, public))
            for entry, about, values in owned
            for one in values
            for key, public in [keys[entry.workspace_id][about]]
        ]
    )


def _insert(rows: Sequence[tuple[int, int, str, int, bytes]]) -> None:
    """One statement that asks for nothing back: who writes may not read."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_payload (workspace_id, entry_id, name, key_id, sealed)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[], %s::bytea[])",
            [list(column) for column in zip(*rows, strict=True)],
        )


def keys_of(workspace: int, abouts: Collection[str]) -> dict[str, tuple[int, bytes]]:
    """Id and public half of each subject's key, made where it is not there."""
    found = _there(workspace, abouts)
    if missing := sorted(set(abouts) - set(found)):
        found |= _made(workspace, missing)
    if missing := sorted(set(abouts) - set(found)):  # another transaction made them meanwhile
        found |= _there(workspace, missing)
    return found


def _there(workspace: int, abouts: Collection[str]) -> dict[str, tuple[int, bytes]]:
    rows = SubjectKey.objects.filter(workspace_id=workspace, about__in=sorted(abouts))
    return {about: (pk, bytes(public)) for pk, about, public in rows.values_list("pk", "about", "public")}


def _made(workspace: int, abouts: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """In one order, whoever makes them, so that two that make the same wait and do not lock each other."""
    pairs = [envelopes.fresh() for _ in abouts]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_subjectkey (workspace_id, about, public, wrapped)"
            " SELECT %s, * FROM unnest(%s::text[], %s::bytea[], %s::bytea[])"
            " ON CONFLICT DO NOTHING RETURNING id, about, public",
            [workspace, list(abouts), [pair.public for pair in pairs], [pair.wrapped for pair in pairs]],
        )
        return {about: (pk, bytes(public)) for pk, about, public in cursor.fetchall()}
