"""What a search of the queue found, as CSV or JSON lines: read page by page along the queue's index.

What is recognised by its form as personal or secret is left out: a file travels. Its words are English, whoever takes
it: programs read it. A row stands as it was when its page
was read.
"""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from django.utils import translation

from approvals import queries, tabular
from approvals.queries import Row
from approvals.searching import Filters
from audit import log, redaction
from audit.events import Event
from portal import figures
from portal import workspace as inside
from portal.models import Role

COLUMNS = (
    "item", "state", "tier", "what", "about", "who", "confidence_pct", "due", "amount", "votes", "flags", "in_hand",
    "waiting_since",
)  # fmt: skip
PIECE = 500
TAKERS = frozenset({Role.MANAGER, Role.ADMIN, Role.AUDITOR})


def note(*, workspace: int, person: int, form: str, query: str, now: datetime) -> None:
    """Put on the log who takes what along."""
    log.record(
        workspace=workspace, subject="queue:export", event=Event.QUEUE_EXPORTED, actor=f"person:{person}", now=now,
        body={"format": form, "filters": query},
    )  # fmt: skip


def stream(*, workspace: int, person: int, filters: Filters, form: str, now: datetime) -> Iterator[bytes]:
    """The lines, inside a transaction of their own: the request's is over when they are sent."""
    with inside.within(workspace, person):
        if form == "csv":
            yield tabular.row(COLUMNS)
        after: str | None = ""
        while after is not None:
            with translation.override(settings.LANGUAGE_CODE), figures.written(figures.PLAIN):
                page = queries.page(
                    workspace=workspace, filters=filters, person=person, now=now, after=after, most=PIECE
                )  # fmt: skip
                piece = b"".join(_line(row, form) for row in page.rows)
            yield piece
            after = page.after or None


def _line(row: Row, form: str) -> bytes:
    cells = {
        "item": row.item, "state": row.state, "tier": row.tier, "what": redaction.scrub(row.headline),
        "about": redaction.scrub(row.about), "who": row.who, "confidence_pct": row.confidence_pct,
        "due": row.due.isoformat(), "amount": row.amount, "votes": row.votes,
        "flags": [label for label, _ in row.flags], "in_hand": row.holder_name,
        "waiting_since": row.waiting_since and row.waiting_since.isoformat(),
    }  # fmt: skip
    if form == "csv":
        return tabular.row(" ".join(v) if isinstance(v, list) else v if v is not None else "" for v in cells.values())
    return f"{tabular.compact(cells)}\n".encode()
