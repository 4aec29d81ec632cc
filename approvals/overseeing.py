"""Reads of the managers' page: what is late, stuck, unknown or dead, and who has how much to do.

Every list stops at `MOST`; the number of statements is fixed, however much there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import proposals, pulse, queries, reversal, sending
from approvals.models import Attempt, Claim, Handoff, Outbox, Proposal, Pulse
from approvals.state import State
from audit.events import Event
from audit.models import Entry
from portal import hours, retold
from portal.models import Delegation, Person
from portal.templatetags.language import role_words

MOST = 25
SOON, WEEK, RATED = timedelta(hours=1), timedelta(days=7), timedelta(days=30)
# How long nobody may know what became of a write before a manager is called.
UNKNOWN_CALLS = timedelta(minutes=15)

_WORK = {
    proposals.GATE: (noop("Check submission"), "submission"),
    proposals.APPLY: (noop("Carry out proposal"), "proposal"),
    proposals.SETTLE: (noop("Clean up behind proposal"), "proposal"),
    sending.RECONCILE: (noop("Find out what became of proposal"), "proposal"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One item with what matters about it here; times are UTC, `who` an actor; `alarm` shows it red."""

    item: str
    headline: str
    about: str
    who: str
    due: datetime | None = None
    since: datetime | None = None
    note: str = ""
    alarm: bool = False
    holder: Person | None = None
    matter: str = ""

    @property
    def kind(self) -> str:
        """`proposal` or `handoff`: also the name of its page."""
        return self.item.partition(":")[0]

    @property
    def key(self) -> int:
        """Its id."""
        return int(self.item.partition(":")[2])


@dataclass(frozen=True, slots=True)
class Lines:
    """At most `MOST` of them, and whether there are more."""

    rows: tuple[Line, ...] = ()
    more: bool = False

    @property
    def alarm(self) -> bool:
        """Whether any of them calls."""
        return any(row.alarm for row in self.rows)


@dataclass(frozen=True, slots=True)
class Dead:
    """Work that ended its worker three times; `page` and `object_id` lead to what it is about."""

    pk: int
    what: str
    page: str
    object_id: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Load:
    """One person's work: in hand now, decided within a day and a week (of these yes and no)."""

    person: int
    name: str
    roles: str
    in_hand: int
    day: int
    week: int
    approved: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the managers' page shows; `people` names those among the actors."""

    late: Lines
    stale: Lines
    unknown: Lines
    escalated: Lines
    stranded: Lines
    held: Lines
    dead: tuple[Dead, ...]
    lost: tuple[Attempt, ...]
    queues: tuple[tuple[Pulse, bool], ...]
    load: tuple[Load, ...]
    away: tuple[Delegation, ...]
    rates: tuple[reversal.Rate, ...]
    people: dict[int, str]


def overview(*, workspace: int, now: datetime) -> Overview:
    """What a manager must see, most urgent first."""
    stuck = {state: _stuck(workspace, state) for state in (State.STALE, State.UNKNOWN)}
    since = _since([row for rows in stuck.values() for row in rows])
    marks, claims = _marks(workspace), _claims(workspace, now)
    lines = _lines(workspace, [*(m[0] for m in marks), *(c.item for c in claims)])
    late = _late(workspace, now)
    stale = listed([_of_proposal(row, since=since.get(row.pk)) for row in stuck[State.STALE]])
    unknown = listed([_unknown(row, since.get(row.pk), now) for row in stuck[State.UNKNOWN]])
    stranded = listed([_of_proposal(row) for row in queries.nobody_left(workspace)])
    everybody = (*late.rows, *stale.rows, *unknown.rows, *stranded.rows, *lines.values())
    return Overview(
        late=late,
        stale=stale,
        unknown=unknown,
        escalated=listed(
            [
                *wanted(workspace),
                *(_marked(lines[item], percent, at) for item, percent, at in marks if item in lines),
            ]
        ),
        stranded=stranded,
        held=listed([replace(lines[c.item], holder=c.person, due=c.until) for c in claims if c.item in lines]),
        dead=_dead(workspace),
        lost=_lost(workspace, now),
        queues=tuple((row, _is_silent(row, now)) for row in Pulse.objects.order_by("-queue")),
        load=load(workspace, now),
        away=_away(workspace, now),
        rates=reversal.undo_rate(workspace=workspace, since=now - RATED)[:MOST],
        people=queries.names(line.who for line in everybody),
    )


def _late(workspace: int, now: datetime) -> Lines:
    """Overdue and due within a working hour; what waits for its customer has no clock that runs."""
    by = int(hours.of(workspace).after(now, SOON).timestamp())
    due = {"workspace_id": workspace, "urgency__lte": by, "case__waiting_since": None}
    waiting = _whole(Proposal.objects.filter(state=State.PENDING, **due))[: MOST + 1]
    handed = Handoff.objects.filter(state="open", **due).select_related("case")
    lines = [*map(_of_proposal, waiting), *map(_of_handoff, handed.order_by("urgency", "pk")[: MOST + 1])]
    lines.sort(key=lambda line: line.due or now)
    return listed([replace(line, alarm=line.due is not None and line.due < now) for line in lines])


def _stuck(workspace: int, state: State) -> list[Proposal]:
    return list(_whole(Proposal.objects.filter(workspace_id=workspace, state=state))[: MOST + 1])


def _whole(rows: QuerySet[Proposal]) -> QuerySet[Proposal]:
    return rows.select_related("case").defer("basis").order_by("urgency", "pk")


def _since(rows: Iterable[Proposal]) -> dict[int, datetime]:
    """When each came into the state it is in: its last entry says so."""
    versions = {f"proposal:{row.pk}": row for row in rows}
    found = Entry.objects.filter(
        workspace_id__in={row.workspace_id for row in versions.values()}, subject__in=list(versions),
        event__in=[Event.PROPOSAL_STALE, Event.PROPOSAL_UNKNOWN],
    )  # fmt: skip
    return {
        versions[subject].pk: at
        for subject, version, at in found.values_list("subject", "version", "at")
        if versions[subject].version == version
    }


def _marks(workspace: int) -> list[tuple[str, int, datetime]]:
    """Open items whose time is used up by three quarters or all, with when that was reached; newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.item, max(m.percent), max(m.reached_at) FROM approvals_mark m"
            " JOIN approvals_claim c ON c.workspace_id = m.workspace_id AND c.item = m.item AND c.urgency = m.due"
            " WHERE m.workspace_id = %s AND m.percent >= 75 GROUP BY m.item"
            " ORDER BY max(m.percent) DESC, max(m.reached_at) LIMIT %s",
            [workspace, MOST + 1],
        )
        return [(item, percent, reached) for item, percent, reached in cursor.fetchall()]


def wanted(workspace: int) -> list[Line]:
    """To what a person called a manager, and why; most urgent first, one more than is shown."""
    rows = Claim.objects.filter(workspace_id=workspace).exclude(escalated="").order_by("urgency", "pk")[: MOST + 1]
    lines = _lines(workspace, [row.item for row in rows])
    return [
        replace(lines[row.item], note=_("“%(name)s”") % {"name": row.escalated}, alarm=True, matter=row.matter)
        for row in rows if row.item in lines
    ]  # fmt: skip


def _claims(workspace: int, now: datetime) -> list[Claim]:
    held = Claim.objects.filter(workspace_id=workspace, person__isnull=False, until__gt=now)
    return list(held.select_related("person").order_by("until", "pk")[: MOST + 1])


def _lines(workspace: int, items: Sequence[str]) -> dict[str, Line]:
    """The items of these names."""
    keys = {kind: {int(i.partition(":")[2]) for i in items if i.startswith(kind)} for kind in ("proposal", "handoff")}
    waiting = _whole(Proposal.objects.filter(workspace_id=workspace, pk__in=keys["proposal"]))
    handed = Handoff.objects.filter(workspace_id=workspace, pk__in=keys["handoff"]).select_related("case")
    return {line.item: line for line in (*map(_of_proposal, waiting), *map(_of_handoff, handed))}


def _of_proposal(row: Proposal, *, since: datetime | None = None) -> Line:
    return Line(
        f"proposal:{row.pk}",
        retold.say(row.summary),
        row.case.title,
        row.proposer,
        due=queries.moment(row.urgency),
        since=since,
    )


def _of_handoff(row: Handoff) -> Line:
    due = queries.moment(row.urgency)
    return Line(f"handoff:{row.pk}", queries.headline(row), row.case.title, row.proposer, due=due)


def _unknown(row: Proposal, since: datetime | None, now: datetime) -> Line:
    return replace(_of_proposal(row, since=since), alarm=since is None or since < now - UNKNOWN_CALLS)


def _marked(line: Line, percent: int, reached: datetime) -> Line:
    used = _("%(percent)s of its time is used") % {"percent": f"{percent}%"}
    words = _("its time is over") if percent == 100 else used
    return replace(line, since=reached, note=words, alarm=percent == 100)


def listed(lines: Sequence[Line]) -> Lines:
    """As many as are shown."""
    return Lines(tuple(lines[:MOST]), len(lines) > MOST)


def _dead(workspace: int) -> tuple[Dead, ...]:
    rows = Outbox.objects.filter(workspace_id=workspace).exclude(dead_at=None).order_by("dead_at", "pk")[:MOST]
    return tuple(Dead(row.pk, *_work(row.task), row.object_id, row.dead_at) for row in rows)


def _work(task: str) -> tuple[str, str]:
    what, page = _WORK.get(task, (task, ""))
    return _(what), page


def _lost(workspace: int, now: datetime) -> tuple[Attempt, ...]:
    """Calls whose outcome nobody heard, of the last week; the proposal says what became of it."""
    rows = Attempt.objects.filter(workspace_id=workspace, state=Attempt.State.LOST, sent_at__gt=now - WEEK)
    return tuple(rows.select_related("proposal").defer("proposal__basis", "request").order_by("-sent_at")[:MOST])


def _is_silent(row: Pulse, now: datetime) -> bool:
    return max(row.asked_at, row.answered_at or row.asked_at) < now - pulse.SILENT_AFTER


def load(workspace: int, now: datetime) -> tuple[Load, ...]:
    """Who decides here, busiest first: each one's last words on proposals, of their newest thousand at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.id, p.name, m.roles, (SELECT count(*) FROM approvals_claim c WHERE c.workspace_id = %(ws)s"
            " AND c.person_id = p.id AND c.until > %(now)s), d.day, d.week, d.approved, d.rejected"
            " FROM (SELECT person_id, string_agg(role, ', ' ORDER BY role) AS roles FROM portal_membership"
            " WHERE workspace_id = %(ws)s AND active AND role IN ('reviewer', 'manager') GROUP BY person_id) m"
            " JOIN portal_person p ON p.id = m.person_id AND p.is_active"
            " CROSS JOIN LATERAL (SELECT count(*) FILTER (WHERE created_at > %(day)s) AS day, count(*) AS week,"
            " count(*) FILTER (WHERE kind = 'approve') AS approved, count(*) FILTER (WHERE kind = 'reject') AS rejected"
            " FROM (SELECT DISTINCT ON (proposal_id) kind, created_at FROM (SELECT id, proposal_id, kind, created_at"
            " FROM approvals_decision WHERE workspace_id = %(ws)s AND person_id = p.id ORDER BY id DESC LIMIT 1000)"
            " newest WHERE created_at > %(week)s ORDER BY proposal_id, id DESC) last"
            " WHERE kind NOT IN ('stop', 'unvote', 'reopen')) d"
            " ORDER BY d.week DESC, p.name",
            {"ws": workspace, "now": now, "day": now - timedelta(days=1), "week": now - WEEK},
        )
        return tuple(
            Load(person, name, role_words(held.split(", ")), *counts) for person, name, held, *counts in cursor
        )


def _away(workspace: int, now: datetime) -> tuple[Delegation, ...]:
    """Who is out of office now or will be, and who stands in."""
    rows = Delegation.objects.filter(workspace_id=workspace, ended_at=None, ends_at__gt=now)
    return tuple(rows.select_related("person", "stand_in").order_by("starts_at", "pk")[:MOST])
