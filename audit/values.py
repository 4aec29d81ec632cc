"""Opens the personal values of entries, for who may: each is held against what its entry committed to."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection

from audit import canonical, envelopes
from audit.models import Payload
from audit.verify import TAMPERED, Finding

CHUNK = 2_000


def workspaces() -> list[int]:
    """Every workspace that has an entry, for who enters them one by one; 0, the log's own, is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_workspaces() AS id WHERE id <> 0")
        return [row[0] for row in cursor.fetchall()]


def enter(workspace: int) -> None:
    """Look into this workspace until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('countersign.workspace', %s, true)", [str(workspace)])


def opened(workspace: int, *, before: int | None = None) -> Iterator[dict[str, Any]]:
    """What is sealed (below the leaf `before`), in the order of the tree: as lines of payloads.jsonl.

    Raises:
        Finding: a value is not what its entry committed to, or cannot be opened.
    """
    rows = Payload.objects.filter(workspace_id=workspace).select_related("entry__leaf")
    if before is not None:
        rows = rows.filter(entry__leaf__index__lt=before)
    for row in rows.order_by("entry__leaf__index", "name").iterator(CHUNK):
        try:
            salt, value = bytes(row.salt), row.value
        except Exception as error:  # whatever keeps it closed: it was sealed for another key, or changed since
            raise Finding(TAMPERED, f"audit_payload {row.pk} ({row.name}) does not open: {error}") from error
        if row.key is not None and not envelopes.is_pair(bytes(row.key.public), bytes(row.key.wrapped)):
            raise Finding(TAMPERED, f"audit_payload {row.pk}: what is sealed for whom it is about will not open")
        said = json.loads(row.entry.canonical)["commitments"].get(row.name)
        if said != canonical.commit(row.name, value, salt):
            raise Finding(TAMPERED, f"audit_payload {row.pk}: {row.name} is not what entry {row.entry} committed to")
        index = row.entry.leaf.index if hasattr(row.entry, "leaf") else None
        yield {"index": index, "name": row.name, "salt": base64.b64encode(salt).decode(), "value": value}
