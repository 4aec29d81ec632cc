"""Who has a queue item in hand: a lease of ten minutes, three per person; safety is version and digest.

What is held by somebody else is refused to others until it ends, is released, or a manager takes it over.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection

from approvals.models import Claim

LEASE = timedelta(minutes=10)
MOST = 3


class ClaimError(Exception):
    """Base of why an item cannot be claimed; the message is for the person."""


class Held(ClaimError):
    """Somebody else has it in hand."""


class TooMany(ClaimError):
    """The person holds as many as one can look at."""


def claim(*, workspace: int, item: str, person: int, now: datetime, take_over: bool = False) -> Claim:
    """Take an item (`proposal:12`, `handoff:3`) in hand, or renew the lease one has.

    `take_over` is a manager's: it ends somebody else's lease.

    Raises:
        Held, TooMany.
    """
    _lock(workspace, person)
    mine = Claim.objects.filter(workspace_id=workspace, person_id=person, until__gt=now).exclude(item=item)
    if mine.count() >= MOST:
        raise TooMany(f"You hold {MOST} items already; decide or release one first.")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO approvals_claim (workspace_id, item, person_id, token, until)"
            " VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT (workspace_id, item) DO UPDATE"
            " SET person_id = excluded.person_id, token = excluded.token, until = excluded.until"
            " WHERE approvals_claim.until <= %s OR approvals_claim.person_id = excluded.person_id OR %s",
            [workspace, item, person, secrets.token_hex(16), now + LEASE, now, take_over],
        )
    holder = holders(workspace=workspace, items=[item], now=now)[item]
    if holder.person_id != person:
        raise Held(_words(holder))
    return holder


def release(*, workspace: int, item: str, person: int) -> None:
    """Put one's own item back; nothing happens where it is not."""
    Claim.objects.filter(workspace_id=workspace, item=item, person_id=person).delete()


def check(*, workspace: int, item: str, person: int, now: datetime) -> None:
    """Let a decision through where nobody else has the item in hand.

    Raises:
        Held.
    """
    holder = holders(workspace=workspace, items=[item], now=now).get(item)
    if holder is not None and holder.person_id != person:
        raise Held(_words(holder))


def holders(*, workspace: int, items: Iterable[str], now: datetime) -> dict[str, Claim]:
    """Leases that are in force on these items, with their person."""
    rows = Claim.objects.filter(workspace_id=workspace, item__in=list(items), until__gt=now)
    return {row.item: row for row in rows.select_related("person")}


def held_by(*, workspace: int, person: int, now: datetime) -> list[str]:
    """Items one person has in hand."""
    rows = Claim.objects.filter(workspace_id=workspace, person_id=person, until__gt=now)
    return list(rows.values_list("item", flat=True))


def _lock(workspace: int, person: int) -> None:
    """Two claims of one person at once must not both count two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [f"{workspace}:claims:{person}"])


def _words(holder: Claim) -> str:
    return f"{holder.person.name} has this in hand until the lease ends or is released."
