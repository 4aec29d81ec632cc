"""`record`, the only way to write an entry, inside the caller's transaction. Refuses to run outside one.

`draft` and `record_all` are the same for many at once.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from audit import canonical, subjects
from audit.events import Event
from audit.models import Entry

# Whether this connection has named an action that no entry has ended; without it there is nothing to clear.
ATTRIBUTED = "countersign_attributed"


class LogError(Exception):
    """Base of what can go wrong while recording."""


class NotInTransaction(LogError):
    """An entry outside a transaction could survive a write that did not."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that is not written yet, with the personal values it commits to, and whom these are `about`."""

    entry: Entry
    personal: tuple[subjects.Value, ...]
    about: str


def record(
    *,
    workspace: int,
    subject: str,
    event: Event,
    actor: str,
    now: datetime,
    version: int | None = None,
    state: str = "",
    case: str = "",
    trace_id: str = "",
    body: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    about: str = "",
) -> Entry:
    """Write the entry for (`subject`, `version`) and end the attribution of the write before it.

    `body` holds ids, states, digests and versions; `personal` holds values that may have to be erased: only
    a commitment to each enters the hashed bytes. They are sealed under the key of whom they are `about`
    (`customer:c-1`), of the case or the subject where that is nobody. Without `version` the subject's next number is
    taken.

    Raises:
        NotInTransaction: outside `transaction.atomic`.
        canonical.NotCanonical: a value that has no RFC 8785 form.
        django.db.IntegrityError: (`subject`, `version`) is on the log already.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{event} of {subject}: record() belongs inside the transaction of the write")
    drafted = draft(
        workspace=workspace, subject=subject, event=event, actor=actor, now=now, state=state, case=case,
        version=next_version(workspace, subject) if version is None else version, trace_id=trace_id, body=body,
        personal=personal, about=about,
    )  # fmt: skip
    return record_all([drafted])[0]


def draft(
    *,
    workspace: int,
    subject: str,
    event: Event,
    actor: str,
    now: datetime,
    version: int,
    state: str = "",
    case: str = "",
    trace_id: str = "",
    body: Mapping[str, Any] | None = None,
    personal: Mapping[str, Any] | None = None,
    about: str = "",
) -> Draft:
    """An entry for `record_all`, as `record` would write it.

    Raises:
        canonical.NotCanonical.
    """
    kept = tuple(
        subjects.Value(name, secrets.token_bytes(canonical.SALT_BYTES), value)
        for name, value in (personal or {}).items()
    )
    leaf = {
        "actor": actor,
        "at": now.isoformat(),
        "body": dict(body or {}),
        "case": case,
        "commitments": {one.name: canonical.commit(one.name, one.value, one.salt) for one in kept},
        "event": str(event),
        "state": state,
        "subject": subject,
        "trace_id": trace_id,
        "version": version,
        "workspace": workspace,
    }
    entry = Entry(
        workspace_id=workspace, subject=subject, version=version, event=event, state=state, actor=actor,
        case=case, trace_id=trace_id, at=now, canonical=canonical.encode(leaf).decode(),
    )  # fmt: skip
    return Draft(entry, kept, about or case or subject)


def record_all(drafts: Sequence[Draft]) -> list[Entry]:
    """Write many entries at once, in their order, and end the attribution of the writes before them.

    Raises:
        NotInTransaction, django.db.IntegrityError: as `record`; nothing is written then.
        envelopes.NoKey: there are personal values, and DATA_PUBLIC_KEY is not set.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction("record_all() belongs inside the transaction of the writes")
    entries = Entry.objects.bulk_create([one.entry for one in drafts])
    pairs = zip(entries, drafts, strict=True)
    subjects.keep([(entry, one.about, one.personal) for entry, one in pairs if one.personal])
    if getattr(connection, ATTRIBUTED, True):
        attribute("")
    return entries


def next_version(workspace: int, subject: str) -> int:
    """The next number of a subject that has no row of its own to lock; holds an advisory lock till commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_next_version(%s, %s)", [workspace, subject])
        return int(cursor.fetchone()[0])


def next_versions(workspace: int, subjects: Sequence[str]) -> dict[str, int]:
    """`next_version` of many subjects, their locks taken in one order, whoever asks."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s, audit_next_version(%s, s) FROM unnest(%s::text[]) AS s ORDER BY s",
            [workspace, sorted(set(subjects))],
        )
        return dict(cursor.fetchall())


def attribute(action: str) -> None:
    """Name the action the next writes of this transaction belong to; `record` clears it again.

    A write to a watched table without it is staged by a trigger and reported as `change.unattributed`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('countersign.action', %s, true)", [action])
    setattr(connection, ATTRIBUTED, bool(action))
