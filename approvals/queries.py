"""Reads of the queue: one page by keyset, what comes next, what is new. No COUNT of all, no OFFSET.

The number of statements is fixed, however long the page; an item that stands below the first page asks for more.
"""

import json
from collections import namedtuple
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils.translation import gettext as _

from approvals import deadlines, eligibility, listing, sealed, times, wording
from approvals.models import Case, Decision, Handoff, Proposal
from approvals.searching import Filters
from approvals.state import Kind, State
from portal import figures, retold
from portal.models import Person

PAGE, REACH = 25, 200
_BOTH = (
    "p.id, p.urgency, p.state, p.proposer, c.title, c.waiting_since, c.subject, h.id AS holder, h.name AS holder_name"
)
_NEWEST = "(SELECT max(n.id) FROM {} n WHERE n.workspace_id = %s) AS newest"
_HELD = (
    " LEFT JOIN (approvals_claim k JOIN portal_person h ON h.id = k.person_id) ON k.workspace_id = p.workspace_id"
    " AND k.item = %s || p.id AND k.until > %s"
)
_PROPOSAL = (
    "p.summary, p.tier, p.undoes_id, p.confidence_pct, p.flags, p.people, p.revision, p.round, p.amount_minor,"
    " p.currency"
)
_HANDOFF = "p.summary, p.kind, p.reason, p.found->>'amount_minor' AS amount, p.found->>'currency' AS currency"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue; `item` is `proposal:12` or `handoff:3`, `due` is UTC, `votes` '1 of 2' or "".

    `holder` is who has it in hand, by id. `waiting_since` is set while its case waits for the customer,
    `unsealed_since` while it waits for the sealer.
    """

    item: str
    key: int
    headline: str
    about: str
    who: str
    state: str
    tier: str
    label: str
    confidence_pct: int | None
    due: datetime
    flags: tuple[tuple[str, str], ...]
    holder: int | None
    holder_name: str
    votes: str
    amount: str
    waiting_since: datetime | None = None
    unsealed_since: datetime | None = None

    @property
    def is_handoff(self) -> bool:
        """Whether a person must do something by hand."""
        return self.item.startswith("handoff:")


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in the order of the queue; `after` asks for the next page, "" at the end.

    `newest` is the highest id there was, whatever the filters, so that the page can ask what came after it; 0 without
    rows, when all is new that comes.
    """

    rows: tuple[Row, ...]
    after: str
    newest: int


def page(*, workspace: int, filters: Filters, person: int, now: datetime, after: str = "", most: int = PAGE) -> Page:
    """The next `most` items behind the cursor `after`."""
    part = listing.of(workspace=workspace, filters=filters, person=person, now=now).behind(after)
    found = _read(part, _HANDOFF if filters.handoffs else _PROPOSAL, workspace, now, most)
    shown = found[:most]
    cursor = f"{shown[-1].urgency}.{shown[-1].id}" if len(found) > most else ""
    make = handoff_rows if filters.handoffs else proposal_rows
    return Page(make(workspace, shown), cursor, found[0].newest if found else 0)


def reaching(item: str, *, workspace: int, filters: Filters, person: int, now: datetime) -> Page:
    """The first page, with those behind it down to the one that holds `item` where that is among the first `REACH`:
    who works further down goes on from there.
    """
    first = page(workspace=workspace, filters=filters, person=person, now=now)
    if not item or not first.after or item in [row.item for row in first.rows]:
        return first
    part = listing.of(workspace=workspace, filters=filters, person=person, now=now)
    items = [f"{part.kind}:{key}" for key in _keys(part, f"{part.order} LIMIT {REACH}")]
    if item not in items:
        return first
    most = (items.index(item) // PAGE + 1) * PAGE
    return page(workspace=workspace, filters=filters, person=person, now=now, most=most)


def _read(part: listing.Part, columns: str, workspace: int, now: datetime, most: int) -> list[Any]:
    """One statement: the items, their cases and who holds them; an object of each would be most of a page."""
    asked = f"{columns}, {_BOTH}, {_NEWEST.format(part.table)}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked} {part.beside(_HELD)} {part.order} LIMIT {most + 1}",  # nosec B608  # as `listing` says it
            [workspace, f"{part.kind}:", now, *part.values],
        )
        line = _line(tuple(one.name for one in cursor.description))
        return [line(*row) for row in cursor.fetchall()]


@lru_cache(maxsize=16)
def _line(columns: tuple[str, ...]) -> Any:
    """A class of its own for what was asked for; making one takes as long as ten rows."""
    return namedtuple("line", columns)


def following(*, workspace: int, filters: Filters, person: int, now: datetime, cursor: str, item: str) -> str:
    """The item behind `cursor`, else the first one that is not `item`; "" where nothing is left."""
    part = listing.of(workspace=workspace, filters=filters, person=person, now=now)
    for some in (part.behind(cursor), part):
        for key in _keys(some, f"{part.order} LIMIT 2"):
            if (found := f"{part.kind}:{key}") != item:
                return found
    return ""


def newer(*, workspace: int, filters: Filters, person: int, now: datetime, since: int) -> int:
    """How many of what the filters ask for came after the id `since`, at most 99."""
    part = listing.of(workspace=workspace, filters=filters, person=person, now=now)
    return len(_keys(part.since(since), "LIMIT 99"))


def _keys(part: listing.Part, tail: str) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT p.id {part.source} {tail}", part.values)  # nosec B608  # as `listing` says it
        return [key for (key,) in cursor.fetchall()]


def proposal_rows(workspace: int, found: Sequence[Any]) -> tuple[Row, ...]:
    """Rows of the queue for proposals, in at most four further statements."""
    people = names(p.proposer for p in found)
    given, wrote = (
        _votes([p for p in found if p.people > 1]),
        times.wrote_since(workspace, "proposal", [p.id for p in found]),
    )
    unsealed = sealed.waiting(workspace, [p.id for p in found if p.state == State.APPROVED])
    return tuple(
        _proposal_row(
            p._replace(newest=0),
            wording.actor(p.proposer, people) if people else "",
            given.get((p.id, p.revision, p.round), 0),
            p.id in wrote,
            unsealed.get(p.id),
            figures.manner(),
        )
        for p in found
    )


@lru_cache(maxsize=4_096)
def _proposal_row(p: Any, who: str, given: int, wrote: bool, unsealed_since: datetime | None, _manner: str) -> Row:
    """Kept, in the language and the numbers in force: the same lines are looked at again and again.

    `who` is "" where none of the page's lines is a person's.
    """
    return Row(
        item=f"proposal:{p.id}",
        key=p.id,
        headline=retold.say(p.summary),
        about=p.title,
        who=who or wording.actor(p.proposer, {}),
        state=p.state,
        tier=p.tier,
        label=_("undo of %(number)s") % {"number": p.undoes_id} if p.undoes_id else "",
        confidence_pct=p.confidence_pct if p.proposer.startswith("agent:") else None,
        due=moment(p.urgency),
        flags=(*([times.words()] if wrote else []), *(wording.flag(flag) for flag in json.loads(p.flags))),
        holder=p.holder,
        holder_name=p.holder_name or "",
        votes=_("%(given)s of %(people)s") % {"given": given, "people": p.people} if p.people > 1 else "",
        amount=wording.amount(p.amount_minor, p.currency),
        waiting_since=p.waiting_since,
        unsealed_since=unsealed_since,
    )


def handoff_rows(workspace: int, found: Sequence[Any]) -> tuple[Row, ...]:
    """Rows of the queue for hand-offs and questions."""
    people, wrote = names(h.proposer for h in found), times.wrote_since(workspace, "handoff", [h.id for h in found])
    return tuple(
        Row(
            item=f"handoff:{h.id}",
            key=h.id,
            headline=headline(h),
            about=h.title,
            who=wording.actor(h.proposer, people),
            state=h.state,
            tier="",
            label=wording.reason(h.reason),
            confidence_pct=None,
            due=moment(h.urgency),
            flags=(times.words(),) if h.id in wrote else (),
            holder=h.holder,
            holder_name=h.holder_name or "",
            votes="",
            amount=wording.amount(h.amount and int(h.amount), h.currency or ""),
            waiting_since=h.waiting_since,
        )
        for h in found
    )


def headline(handoff: Handoff | Any) -> str:
    """One line of a hand-off; of a question what is asked, without the salutation."""
    lines = [line.strip() for line in retold.say(handoff.summary).splitlines() if line.strip()]
    if handoff.kind == Handoff.Is.QUESTION:
        asked = [line for line in lines if "?" in line]
        return (asked or lines)[0]
    return lines[0]


def _votes(found: Sequence[Any]) -> dict[tuple[int, int, int], int]:
    if not found:
        return {}
    rows = Decision.objects.filter(kind=Kind.APPROVE, proposal_id__in=[p.id for p in found])
    counted = rows.values_list("proposal_id", "revision", "round").annotate(n=Count("person", distinct=True))
    return {(proposal, revision, turn): n for proposal, revision, turn, n in counted}


def names(actors: Iterable[str]) -> dict[int, str]:
    """Names of the people among `person:<id>` actors."""
    keys = {int(a.removeprefix("person:")) for a in actors if a.startswith("person:") and a[7:].isdecimal()}
    return {} if not keys else dict(Person.objects.filter(pk__in=keys).values_list("pk", "name"))


def moment(urgency: int) -> datetime:
    """The due time behind an urgency (whole seconds since 1970)."""
    return deadlines.moment(urgency)


def nobody_left(workspace: int) -> list[Proposal]:
    """Pending proposals whose quorum nobody is left to complete, most urgent first; managers see them."""
    return eligibility.nobody_left(workspace)


def cases(workspace: int, *, before: int | None = None) -> list[Case]:
    """Cases behind the id `before`, newest first, one more than a page holds."""
    rows = Case.objects.filter(workspace_id=workspace).order_by("-pk")
    return list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
