"""`record`, the only way to write an entry, inside the caller's transaction. Refuses to run outside one."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from audit import canonical
from audit.events import Event
from audit.models import Entry, Payload

# Whether this connection has named an action that no entry has ended; without it there is nothing to clear.
ATTRIBUTED = "countersign_attributed"


class LogError(Exception):
    """Base of what can go wrong while recording."""


class NotInTransaction(LogError):
    """An entry outside a transaction could survive a write that did not."""


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
) -> Entry:
    """Write the entry for (`subject`, `version`) and end the attribution of the write before it.

    `body` holds ids, states, digests and versions; `personal` holds values that may have to be erased: only
    a commitment to each enters the hashed bytes. Without `version` the subject's next number is taken.

    Raises:
        NotInTransaction: outside `transaction.atomic`.
        canonical.NotCanonical: a value that has no RFC 8785 form.
        django.db.IntegrityError: (`subject`, `version`) is on the log already.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{event} of {subject}: record() belongs inside the transaction of the write")
    number = next_version(workspace, subject) if version is None else version
    salts = {name: secrets.token_bytes(canonical.SALT_BYTES) for name in personal or {}}
    leaf = {
        "actor": actor,
        "at": now.isoformat(),
        "body": dict(body or {}),
        "case": case,
        "commitments": {n: canonical.commit(n, v, salts[n]) for n, v in (personal or {}).items()},
        "event": str(event),
        "state": state,
        "subject": subject,
        "trace_id": trace_id,
        "version": number,
        "workspace": workspace,
    }
    entry = Entry.objects.create(
        workspace_id=workspace, subject=subject, version=number, event=event, state=state, actor=actor,
        case=case, trace_id=trace_id, at=now, canonical=canonical.encode(leaf).decode(),
    )  # fmt: skip
    Payload.objects.bulk_create(
        Payload(workspace_id=workspace, entry=entry, name=name, salt=salts[name], value=value)
        for name, value in (personal or {}).items()
    )
    if getattr(connection, ATTRIBUTED, True):
        attribute("")
    return entry


def next_version(workspace: int, subject: str) -> int:
    """The next number of a subject that has no row of its own to lock; holds an advisory lock till commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT audit_next_version(%s, %s)", [workspace, subject])
        return int(cursor.fetchone()[0])


def attribute(action: str) -> None:
    """Name the action the next writes of this transaction belong to; `record` clears it again.

    A write to a watched table without it is staged by a trigger and reported as `change.unattributed`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('countersign.action', %s, true)", [action])
    setattr(connection, ATTRIBUTED, bool(action))
