"""Books out of a folder of CSV and JSONL tables into a workspace, whole or not at all.

Refuses what is broken by file, line and column, and what would overwrite: books are only added to, and rows
that are there already, unchanged, are passed over. `reading` reads, by the forms in `rows`; `writing` stores.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.db import transaction

from audit import log
from audit.events import Event
from portal.imports import policy, reading, writing
from portal.imports.refusal import BooksRefused
from portal.models import Workspace

__all__ = ["BooksRefused", "Counts", "load"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by table (a file's name without its ending): `read` in the folder, `new` to the workspace."""

    read: dict[str, int]
    new: dict[str, int]


def load(folder: Path, *, workspace: int, actor: str, now: datetime, progress: Callable[[str], None]) -> Counts:
    """Bring the six tables of `folder` into the workspace the transaction is inside of (`workspace.within`).

    One entry `books.imported` with the counts and each file's SHA-256; none if nothing was new. `progress`
    gets a line per table. Gift card balances are in the workspace's currency, since their table names none.

    Raises:
        BooksRefused: naming file, line, column and the way out; nothing is written then.
    """
    with transaction.atomic():
        home = Workspace.objects.get(pk=workspace)
        subject = f"books:{workspace}"
        version = log.next_version(workspace, subject)  # its lock lets one import at a time see what is there
        books = reading.read(folder, home.currency, progress)
        log.attribute(subject)
        new = writing.write(books, workspace, progress)
        new["policy_clauses"] = policy.publish(books.policy_clauses, workspace=workspace, actor=actor, now=now)
        progress(f"{books.policy_clauses.file}: {new['policy_clauses']} rows to add")
        counts = Counts({name: len(table.lines) for name, table in books.tables().items()}, new)
        if not any(new.values()):
            log.attribute("")
            return counts
        digests = {table.file: table.sha256 for table in books.tables().values()}
        log.record(
            workspace=workspace, subject=subject, version=version, event=Event.BOOKS_IMPORTED, actor=actor,
            now=now, body={"rows": counts.read, "new": counts.new, "sha256": digests},
        )  # fmt: skip
    return counts
