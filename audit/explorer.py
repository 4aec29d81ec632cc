"""Searches the log: who, what, about what, in which case, when. Newest first, one page by its keys, or all of it.

Each filter has an index that ends with (at, id): no COUNT, no OFFSET. Knows no other app: what a record or a run
means as subjects, the caller says.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, F, Func, Q, QuerySet, Value
from django.db.models.lookups import LessThan

from audit.models import Entry

PAGE = 50
CHUNK = 500
ZERO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for; each that is set narrows. `subjects` and `cases` together are one record's.

    `trace` is meant together with a case. Times are UTC, `until` is not included.
    """

    actor: str = ""
    event: str = ""
    subjects: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    case: str = ""
    trace: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Entries with their values; `after` asks for the next page, "" at the end."""

    entries: tuple[Entry, ...]
    after: str


def page(*, workspace: int, wanted: Wanted, after: str = "") -> Page:
    """The next `PAGE` entries behind the cursor."""
    found = list(rows(workspace, wanted, after).prefetch_related("payloads")[: PAGE + 1])
    shown = found[:PAGE]
    return Page(tuple(shown), _cursor(shown[-1]) if len(found) > PAGE else "")


def rows(workspace: int, wanted: Wanted, after: str = "") -> QuerySet[Entry]:
    """What is searched for, newest first, behind the cursor."""
    return _behind(_matching(workspace, wanted), after).order_by("-at", "-id")


def every(*, workspace: int, wanted: Wanted, up_to: int) -> Iterator[Entry]:
    """All of them up to an id, newest first, read in pieces; expects a transaction that lasts as long."""
    return rows(workspace, wanted).filter(pk__lte=up_to).prefetch_related("payloads").iterator(CHUNK)


def _matching(workspace: int, wanted: Wanted) -> QuerySet[Entry]:
    columns = {
        "actor": wanted.actor, "event": wanted.event, "case": wanted.case, "trace_id": wanted.trace,
        "at__gte": wanted.since, "at__lt": wanted.until,
    }  # fmt: skip
    found = Entry.objects.filter(workspace_id=workspace, **{name: value for name, value in columns.items() if value})
    if wanted.subjects or wanted.cases:
        found = found.filter(Q(subject__in=wanted.subjects) | Q(case__in=wanted.cases))
    return found


def _behind(found: QuerySet[Entry], after: str) -> QuerySet[Entry]:
    """One comparison of (at, id), so that the index which gives the order also finds the place."""
    micros, _, key = after.partition(".")
    if not (micros.isdecimal() and key.isdecimal() and len(micros) < 18 and len(key) < 19):
        return found
    at = ZERO + timedelta(microseconds=int(micros))
    return found.filter(LessThan(_pair(F("at"), F("id")), _pair(Value(at), Value(int(key)))))


def _pair(*parts: Any) -> Func:
    return Func(*parts, template="(%(expressions)s)", output_field=BigIntegerField())


def _cursor(entry: Entry) -> str:
    return f"{(entry.at - ZERO) // timedelta(microseconds=1)}.{entry.pk}"
