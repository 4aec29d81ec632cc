"""What was escalated and why, what it costs today, and how much of it tomorrow will find. Reads only.

The number of statements is fixed, and none counts more than `LOOKED_AT` rows of a kind, however much there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Q, Sum

from approvals import claims, counting, matters, overseeing, queries, wording
from approvals.models import CapUse, Claim, Handoff
from approvals.state import State
from audit.events import Event
from portal import hours
from portal.models import Person

LOOKED_AT, SHOWN, SOON = 1_000, 8, timedelta(hours=1)
CAME = (Event.PROPOSAL_PROPOSED, Event.HANDOFF_OPENED)
WENT = (
    Event.PROPOSAL_APPROVED, Event.PROPOSAL_REJECTED, Event.PROPOSAL_WITHDRAWN, Event.PROPOSAL_EXPIRED,
    Event.HANDOFF_RESOLVED,
)  # fmt: skip
OUT = (State.APPLYING, State.APPLIED, State.UNKNOWN)
# Each case is read by its key, so that no more of them than items are looked at. What runs is counted past what waits;
# what waits among as many of the most urgent as are looked at, since few may wait behind very many that run.
_OF = """(SELECT {what} FROM approvals_{kind} i WHERE i.workspace_id = %(ws)s AND i.state = '{state}'
    AND i.urgency >= b.low AND i.urgency < b.high {more} ORDER BY i.urgency LIMIT %(most)s)"""
_WAITS = "(SELECT c.waiting_since FROM approvals_case c WHERE c.id = i.case_id)"
_KINDS = (("proposal", "pending"), ("handoff", "open"))
_RUN, _WAIT = (
    " UNION ALL ".join(
        _OF.format(kind=kind, state=state, what=f"{_WAITS} AS since", more=more) for kind, state in _KINDS
    )
    for more in (f"AND {_WAITS} IS NULL", "")
)
_OPEN = f"""SELECT (SELECT count(*) FROM ({_RUN}) r), (SELECT count(w.since) FROM ({_WAIT}) w)
    FROM unnest(%(low)s::bigint[], %(high)s::bigint[]) WITH ORDINALITY AS b (low, high, n) ORDER BY b.n"""  # nosec B608


@dataclass(frozen=True, slots=True)
class Item:
    """One hand-off; `due` is UTC, `paused` while its customer is to write, `holder` who has it in hand."""

    key: int
    case: int
    headline: str
    about: str
    reason: str
    due: datetime
    paused: bool
    holder: Person | None
    is_ticket: bool

    @property
    def item(self) -> str:
        """Its name in the queue."""
        return f"handoff:{self.key}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """To what people called a manager, of one matter, in their words."""

    title: str
    lines: overseeing.Lines


@dataclass(frozen=True, slots=True)
class Group:
    """Hand-offs of one kind: how many, of these overdue and due within a working hour, the most urgent of them."""

    name: str
    title: str
    total: int
    breached: int
    soon: int
    first: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Money:
    """What one agent moved today where the workspace is: sent, and waiting for somebody."""

    agent: str
    sent: str
    sent_writes: int
    waiting: str
    waiting_writes: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open items by when they are due, `paused` while the customer is to write, and a day's coming and going.

    Of each kind and span of time at most `LOOKED_AT` are counted.
    """

    overdue: int
    today: int
    tomorrow: int
    later: int
    paused: int
    came: int
    went: int

    @property
    def expected(self) -> int:
        """What is open in a day if it comes and goes as in the last one."""
        open_now = self.overdue + self.today + self.tomorrow + self.later + self.paused
        return max(0, open_now + self.came - self.went)


@dataclass(frozen=True, slots=True)
class Escalations:
    """All of the page; `more` says that more is open than was looked at, `more_wanted` that more managers are wanted
    than is listed, `people` names those `wanted` speaks of."""

    wanted: tuple[Wanted, ...]
    more_wanted: bool
    people: dict[int, str]
    groups: tuple[Group, ...]
    more: bool
    money: tuple[Money, ...]
    backlog: Backlog


def escalations(*, workspace: int, now: datetime) -> Escalations:
    """What a manager's round goes through, most urgent first."""
    groups, more = _groups(workspace, now)
    wanted = overseeing.listed(overseeing.wanted(workspace))
    people = queries.names(line.who for line in wanted.rows)
    return Escalations(
        _by_matter(wanted), wanted.more, people, groups, more, _money(workspace, now), _backlog(workspace, now)
    )


def _by_matter(wanted: overseeing.Lines) -> tuple[Wanted, ...]:
    """The matter of the most urgent one first."""
    by_matter: dict[str, list[overseeing.Line]] = {}
    for line in wanted.rows:
        by_matter.setdefault(matters.title(line.matter), []).append(line)
    return tuple(Wanted(title, overseeing.Lines(tuple(lines))) for title, lines in by_matter.items())


def _groups(workspace: int, now: datetime) -> tuple[tuple[Group, ...], bool]:
    rows = Handoff.objects.filter(workspace_id=workspace, state="open").select_related("case")
    found = list(rows.defer("found", "evidence").order_by("urgency", "pk")[: LOOKED_AT + 1])
    by_group: dict[str, list[Handoff]] = {name: [] for name in matters.GROUPS}
    for row in found[:LOOKED_AT]:
        by_group[matters.group_of(row.reason)].append(row)
    shown = [row for rows in by_group.values() for row in rows[:SHOWN]]
    held = claims.holders(workspace=workspace, items=[f"handoff:{row.pk}" for row in shown], now=now)
    ends = hours.of(workspace).after(now, SOON)
    made = (_group(name, by_group[name], held, now, ends) for name in matters.GROUPS if by_group[name])
    return tuple(sorted(made, key=lambda group: (-group.breached, -group.soon))), len(found) > LOOKED_AT


def _group(name: str, rows: list[Handoff], held: Mapping[str, Claim], now: datetime, ends: datetime) -> Group:
    """`ends` is when the next hour of work is over."""
    running = [queries.moment(row.urgency) for row in rows if row.case.waiting_since is None]
    breached = sum(due < now for due in running)
    soon = sum(now <= due < ends for due in running)
    return Group(name, matters.title(name), len(rows), breached, soon, tuple(_item(row, held) for row in rows[:SHOWN]))


def _item(row: Handoff, held: Mapping[str, Claim]) -> Item:
    claim = held.get(f"handoff:{row.pk}")
    return Item(
        row.pk, row.case_id, queries.headline(row), row.case.title, wording.reason(row.reason),
        queries.moment(row.urgency), row.case.waiting_since is not None, claim.person if claim else None,
        row.case.subject.startswith("ticket:"),
    )  # fmt: skip


def _money(workspace: int, now: datetime) -> tuple[Money, ...]:
    """By agent and currency, from what is reserved of the day's caps: the books of the gate itself."""
    sent = Q(proposal__state__in=OUT)
    rows = CapUse.objects.filter(
        workspace_id=workspace, scope="agent", released=False, day=hours.today(workspace, now), amount_minor__gt=0,
        holder__in=counting.agents(workspace),
    )  # fmt: skip
    found = rows.values("holder", "currency").annotate(
        out=Sum("amount_minor", filter=sent), out_n=Count("pk", filter=sent),
        waits=Sum("amount_minor", filter=~sent), waits_n=Count("pk", filter=~sent),
    )  # fmt: skip
    return tuple(
        Money(
            wording.actor(f"agent:{row['holder']}", {}), wording.amount(row["out"] or 0, row["currency"]), row["out_n"],
            wording.amount(row["waits"] or 0, row["currency"]), row["waits_n"],
        )
        for row in found.order_by("holder", "currency")
    )  # fmt: skip


def _backlog(workspace: int, now: datetime) -> Backlog:
    tonight = hours.midnight(workspace, now)
    ends = [now, tonight, tonight + timedelta(days=1), now + timedelta(days=3660)]
    starts = [now - timedelta(days=3660), *ends[:-1]]
    with connection.cursor() as cursor:
        cursor.execute(
            _OPEN,
            {
                "ws": workspace, "most": LOOKED_AT,
                "low": [int(one.timestamp()) for one in starts], "high": [int(one.timestamp()) for one in ends],
            },
        )  # fmt: skip
        found = cursor.fetchall()
        flow = []
        for events in (CAME, WENT):
            cursor.execute(
                "SELECT coalesce(sum(n), 0) FROM unnest(%s::text[]) AS e CROSS JOIN LATERAL (SELECT count(*) AS n FROM"
                " (SELECT FROM audit_entry WHERE workspace_id = %s AND event = e AND at > %s LIMIT %s) x) c",
                [[str(event) for event in events], workspace, now - timedelta(days=1), LOOKED_AT],
            )
            flow.append(int(cursor.fetchone()[0]))
    overdue, today, tomorrow, later = (running for running, _paused in found)
    return Backlog(overdue, today, tomorrow, later, sum(paused for _running, paused in found), flow[0], flow[1])
