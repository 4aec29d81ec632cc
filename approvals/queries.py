"""Reads of the queue: one page by keyset, capped counters, who holds what. No COUNT of all, no OFFSET.

The number of statements is fixed, however long the page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Count, F, Func, Model, QuerySet, Value
from django.db.models.lookups import GreaterThan, LessThan

from approvals import claims, deadlines, eligibility, sealed, times, wording
from approvals.models import Case, Claim, Decision, Handoff, Proposal
from approvals.searching import HANDOFF_TABS, TABS, Filters
from approvals.state import Kind
from portal.models import Person

PAGE = 25
# Counters stop here: an exact count of a long list costs more than anybody gains from it.
COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the queue; `item` is `proposal:12` or `handoff:3`, `due` is UTC, `votes` '1 of 2' or "".

    `waiting_since` is set while its case waits for the customer, `unsealed_since` while it waits for the sealer.
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
    holder: Claim | None
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
    """Rows in the order of the queue; `after` asks for the next page, "" at the end."""

    rows: tuple[Row, ...]
    after: str


def page(*, workspace: int, filters: Filters, person: int, now: datetime, after: str = "") -> Page:
    """The next `PAGE` items behind the cursor `after`."""
    found = list(_behind(_matching(workspace, filters, person, now), filters, after)[: PAGE + 1])
    shown = found[:PAGE]
    cursor = f"{shown[-1].urgency}.{shown[-1].pk}" if len(found) > PAGE else ""
    make = handoff_rows if filters.handoffs else proposal_rows
    return Page(make(workspace, shown, now), cursor)


def following(*, workspace: int, filters: Filters, person: int, now: datetime, cursor: str, item: str) -> str:
    """The item behind `cursor`, else the first one that is not `item`; "" where nothing is left."""
    rows = _matching(workspace, filters, person, now)
    behind = _behind(rows, filters, cursor)[:2]
    for found in (*behind, *_behind(rows, filters, "")[:2]):
        if _item(found) != item:
            return _item(found)
    return ""


def newer(*, workspace: int, filters: Filters, person: int, now: datetime, since: int) -> int:
    """How many of what the filters ask for came after the id `since`, at most 99."""
    return len(_matching(workspace, filters, person, now).filter(pk__gt=since).values_list("pk")[:99])


def newest(workspace: int, filters: Filters) -> int:
    """The highest id there is, so that a page can ask what came after it."""
    rows: QuerySet[Any] = (Handoff if filters.handoffs else Proposal)._default_manager.all()
    return rows.filter(workspace_id=workspace).order_by("-pk").values_list("pk", flat=True).first() or 0


def _matching(workspace: int, filters: Filters, person: int, now: datetime) -> QuerySet[Any]:
    if filters.handoffs:
        rows: QuerySet[Any] = Handoff.objects.select_related("case").filter(
            workspace_id=workspace, state=HANDOFF_TABS[filters.state]
        )
    else:
        rows = Proposal.objects.filter(workspace_id=workspace, **filters.columns)
        rows = rows.select_related("case").defer("basis")
        if filters.search.targets:
            rows = rows.filter(target__in=filters.search.targets)
        if filters.state != "any":
            rows = rows.filter(state=filters.state)
    if filters.mine:
        kind = "handoff:" if filters.handoffs else "proposal:"
        held = claims.held_by(workspace=workspace, person=person, now=now)
        rows = rows.filter(pk__in=[int(item.removeprefix(kind)) for item in held if item.startswith(kind)])
    return rows


def _behind(rows: QuerySet[Any], filters: Filters, after: str) -> QuerySet[Any]:
    """In order, behind the cursor: one row comparison over (urgency, id), so that one index serves it."""
    rows = rows.order_by("urgency", "pk") if filters.rising else rows.order_by("-urgency", "-pk")
    urgency, _, key = after.partition(".")
    if not (urgency.isdecimal() and key.isdecimal() and len(after) < 40):
        return rows
    lookup = GreaterThan if filters.rising else LessThan
    return rows.filter(lookup(_tuple(F("urgency"), F("pk")), _tuple(Value(int(urgency)), Value(int(key)))))


def _tuple(*parts: Any) -> Func:
    return Func(*parts, template="(%(expressions)s)", output_field=BigIntegerField())


def _item(row: Model) -> str:
    return f"{'handoff' if isinstance(row, Handoff) else 'proposal'}:{row.pk}"


def proposal_rows(workspace: int, found: Sequence[Proposal], now: datetime) -> tuple[Row, ...]:
    """Rows of the queue for proposals, in at most six further statements."""
    held = claims.holders(workspace=workspace, items=[f"proposal:{p.pk}" for p in found], now=now)
    people = names(p.proposer for p in found)
    given, wrote = _votes([p for p in found if p.people > 1]), times.wrote_since(workspace, found)
    unsealed = sealed.waiting(workspace, found)
    return tuple(
        Row(
            item=f"proposal:{p.pk}",
            key=p.pk,
            headline=p.summary,
            about=p.case.title,
            who=wording.actor(p.proposer, people),
            state=p.state,
            tier=p.tier,
            label=f"undo of {p.undoes_id}" if p.undoes_id else "",
            confidence_pct=p.confidence_pct if p.proposer.startswith("agent:") else None,
            due=moment(p.urgency),
            flags=(*([times.WROTE] if p.pk in wrote else []), *(wording.flag(flag) for flag in p.flags)),
            holder=held.get(f"proposal:{p.pk}"),
            votes=f"{given.get((p.pk, p.revision, p.round), 0)} of {p.people}" if p.people > 1 else "",
            amount=wording.amount(p.amount_minor, p.currency),
            waiting_since=p.case.waiting_since,
            unsealed_since=unsealed.get(p.pk),
        )
        for p in found
    )


def handoff_rows(workspace: int, found: Sequence[Handoff], now: datetime) -> tuple[Row, ...]:
    """Rows of the queue for hand-offs and questions."""
    held = claims.holders(workspace=workspace, items=[f"handoff:{h.pk}" for h in found], now=now)
    people, wrote = names(h.proposer for h in found), times.wrote_since(workspace, found)
    return tuple(
        Row(
            item=f"handoff:{h.pk}",
            key=h.pk,
            headline=headline(h),
            about=h.case.title,
            who=wording.actor(h.proposer, people),
            state=h.state,
            tier="",
            label=wording.reason(h.reason),
            confidence_pct=None,
            due=moment(h.urgency),
            flags=(times.WROTE,) if h.pk in wrote else (),
            holder=held.get(f"handoff:{h.pk}"),
            votes="",
            amount=wording.amount(h.found.get("amount_minor"), h.found.get("currency", "")),
            waiting_since=h.case.waiting_since,
        )
        for h in found
    )


def headline(handoff: Handoff) -> str:
    """One line of a hand-off; of a question what is asked, without the salutation."""
    lines = [line.strip() for line in handoff.summary.splitlines() if line.strip()]
    if handoff.kind == Handoff.Is.QUESTION:
        asked = [line for line in lines if "?" in line]
        return (asked or lines)[0]
    return lines[0]


def _votes(found: Iterable[Proposal]) -> dict[tuple[int, int, int], int]:
    rows = Decision.objects.filter(kind=Kind.APPROVE, proposal_id__in=[p.pk for p in found])
    counted = rows.values_list("proposal_id", "revision", "round").annotate(n=Count("person", distinct=True))
    return {(proposal, revision, turn): n for proposal, revision, turn, n in counted}


def names(actors: Iterable[str]) -> dict[int, str]:
    """Names of the people among `person:<id>` actors."""
    keys = {int(a.removeprefix("person:")) for a in actors if a.startswith("person:") and a[7:].isdecimal()}
    return dict(Person.objects.filter(pk__in=keys).values_list("pk", "name"))


def moment(urgency: int) -> datetime:
    """The due time behind an urgency (whole seconds since 1970)."""
    return deadlines.moment(urgency)


def nobody_left(workspace: int) -> list[Proposal]:
    """Pending proposals whose quorum nobody is left to complete, most urgent first; managers see them."""
    return eligibility.nobody_left(workspace)


def counters(workspace: int) -> dict[str, str]:
    """How many stand behind each tab, at most `COUNTED`: '12', '1,000+'."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s, (SELECT count(*) FROM (SELECT FROM approvals_proposal p"
            " WHERE p.workspace_id = %s AND p.state = s LIMIT %s) counted) FROM unnest(%s::text[]) AS s"
            " UNION ALL SELECT 'handoffs', (SELECT count(*) FROM (SELECT FROM approvals_handoff h"
            " WHERE h.workspace_id = %s AND h.state = 'open' LIMIT %s) counted)",
            [
                workspace,
                COUNTED + 1,
                [tab for tab in TABS if tab not in HANDOFF_TABS],
                workspace,
                COUNTED + 1,
            ],
        )
        return {tab: f"{COUNTED:,}+" if n > COUNTED else str(n) for tab, n in cursor.fetchall()}


def agents(workspace: int) -> list[str]:
    """Names of agents that ever proposed, by skipping along an index; at most twenty."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found AS ((SELECT proposer AS name FROM approvals_proposal WHERE workspace_id = %s"
            " AND proposer > 'agent:' ORDER BY proposer LIMIT 1) UNION ALL SELECT (SELECT proposer"
            " FROM approvals_proposal WHERE workspace_id = %s AND proposer > found.name ORDER BY proposer LIMIT 1)"
            " FROM found WHERE found.name LIKE 'agent:%%')"
            " SELECT name FROM found WHERE name LIKE 'agent:%%' LIMIT 20",
            [workspace, workspace],
        )
        return [name.removeprefix("agent:") for (name,) in cursor.fetchall()]


def cases(workspace: int, *, subject: str = "", before: int | None = None) -> list[Case]:
    """Cases behind the id `before`, newest first, one more than a page holds; or the one of a subject."""
    rows = Case.objects.filter(workspace_id=workspace).order_by("-pk")
    rows = rows.filter(subject=subject) if subject else rows
    return list((rows.filter(pk__lt=before) if before else rows)[: PAGE + 1])
