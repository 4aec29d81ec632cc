"""What people are told: written once each for whoever may see it and wants it, read by themselves alone.

No words of anybody are kept: what a notice says is made from its kind and numbers when it is shown.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from portal import choices, slack
from portal.models import Membership, Notice, NoticeChoice, Role

Kind = Notice.Kind
COUNTED, SHOWN = 99, 50
# What a channel hears of in its quiet hours too, beside what nobody knows the end of.
URGENT = frozenset({Kind.SWITCH, Kind.SEAL, Kind.DEAD})
# Nobody reads what is older; its entry stays on the log.
KEPT, FORGOTTEN_AT_ONCE = timedelta(days=90), 1_000


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened, for these people: `cause` makes it one, however often it is told."""

    kind: Kind
    cause: str
    subject: str
    people: frozenset[int]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class House:
    """Who is at home in a workspace now, how each wants to be told, and what its channel in Slack hears of."""

    workspace: int
    now: datetime
    roles: Mapping[int, frozenset[str]]
    choices: Mapping[int, NoticeChoice]
    posted: frozenset[str]

    def having(self, *roles: Role) -> frozenset[int]:
        """People who hold one of these roles."""
        return frozenset(person for person, held in self.roles.items() if held & set(roles))


def house(*, workspace: int, now: datetime) -> House:
    """Read once for all that is told in one transaction."""
    held: dict[int, set[str]] = {}
    rows = Membership.objects.filter(workspace_id=workspace, active=True, person__is_active=True)
    for person, role in rows.values_list("person_id", "role"):
        held.setdefault(person, set()).add(role)
    chosen = NoticeChoice.objects.filter(workspace_id=workspace).select_related("person").only(
        *(one.attname for one in NoticeChoice._meta.concrete_fields), "person__time_zone"
    )  # fmt: skip
    return House(
        workspace, now, {person: frozenset(roles) for person, roles in held.items()},
        {row.person_id: row for row in chosen}, slack.wanted(workspace),
    )  # fmt: skip


def tell(news: News, home: House) -> int:
    """A notice for each of them who is at home and wants it, a line for the channel; returns how many are meant.

    Told again, nothing comes of it.
    """
    rows = []
    for person in sorted(news.people & home.roles.keys()):
        channel = choices.channel(home.choices.get(person), news.kind)
        if channel != choices.NONE:
            mailed = channel == choices.DIGEST and choices.mails(home.choices.get(person))
            rows.append(
                Notice(
                    workspace_id=home.workspace, person_id=person, kind=news.kind, cause=news.cause,
                    subject=news.subject, facts=dict(news.facts), by_mail=mailed, created_at=home.now,
                )
            )  # fmt: skip
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        if row.by_mail:
            choices.expect_mail(home.choices[row.person_id], now=home.now)
    if news.kind in home.posted:
        slack.put(
            workspace=home.workspace, cause=news.cause, kind=news.kind, subject=news.subject, now=home.now,
            urgent=news.kind in URGENT or news.facts.get("state") == "unknown",
        )  # fmt: skip
    return len(rows)


def unread(*, workspace: int, person: int) -> str:
    """How many wait to be read: "", "7" or "99+"; one statement along their own index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM portal_notice WHERE workspace_id = %s AND person_id = %s"
            " AND read_at IS NULL LIMIT %s) found",
            [workspace, person, COUNTED + 1],
        )
        found = int(cursor.fetchone()[0])
    return f"{COUNTED}+" if found > COUNTED else str(found or "")


def newest(*, workspace: int, person: int, before: int | None = None) -> list[Notice]:
    """One page and the first of the next, newest first, by key."""
    rows = Notice.objects.filter(workspace_id=workspace, person_id=person)
    rows = rows if before is None else rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: SHOWN + 1])


def read(*, workspace: int, person: int, notice: int, now: datetime) -> bool:
    """Mark one read; False where it is not theirs."""
    mine = Notice.objects.filter(workspace_id=workspace, person_id=person, pk=notice)
    return bool(mine.filter(read_at=None).update(read_at=now)) or mine.exists()


def read_all(*, workspace: int, person: int, upto: int, now: datetime) -> int:
    """Mark read what was on the screen and what is older; what came meanwhile stays new."""
    rows = Notice.objects.filter(workspace_id=workspace, person_id=person, read_at=None, pk__lte=upto)
    return rows.update(read_at=now)


def forget_old(*, workspace: int, now: datetime) -> int:
    """Drop what nobody reads any more, a number at a time; returns how many notices went."""
    old = Notice.objects.filter(workspace_id=workspace, created_at__lt=now - KEPT).order_by("created_at")
    gone, _ = Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])).delete()
    slack.forget_old(workspace=workspace, before=now - KEPT, most=FORGOTTEN_AT_ONCE)
    return gone


def kinds_for(roles: Iterable[str]) -> tuple[Kind, ...]:
    """What somebody with these roles may ever be told of."""
    held = set(roles)
    return tuple(kind for kind in Kind if AUDIENCE[kind] & held)


_DECIDERS = frozenset({Role.REVIEWER, Role.MANAGER})
AUDIENCE: Mapping[str, frozenset[str]] = {
    Kind.ESCALATED: frozenset({Role.MANAGER}),
    Kind.ASSIGNED: _DECIDERS,
    Kind.LATE: _DECIDERS,
    Kind.BREACHED: _DECIDERS,
    Kind.SECOND: _DECIDERS | {Role.ADMIN},
    Kind.TURNED: _DECIDERS,
    Kind.UNDONE: _DECIDERS,
    Kind.SWITCH: frozenset(Role),
    Kind.RETURNED: _DECIDERS,
    Kind.LOOSENING: frozenset({Role.ADMIN}),
    Kind.VAULT: frozenset({Role.ADMIN}),
    Kind.SEAL: frozenset({Role.ADMIN}),
    Kind.DEAD: frozenset({Role.MANAGER}),
    Kind.MENTION: frozenset(Role),
}
