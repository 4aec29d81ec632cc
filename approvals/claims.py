"""Who has a queue item in hand: a lease of ten minutes, three per person; safety is version and digest.

What is held by somebody else is refused to others until it ends, is released, or a manager takes it over. What a
manager gives is held for hours of work and beside the three. An item whose lease is over is free again.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from approvals.models import Claim, Handoff, Proposal
from audit import log
from audit.events import Event
from portal import hours, standing_in, wire
from portal import roles as appointed
from portal.models import Person, Role

LEASE = timedelta(minutes=10)
# Working time: given at lunch or in the evening, it is there when they come back. Managers hear of its clock meanwhile.
GIVEN = timedelta(hours=4)
MOST = 3
_TAKE = """
INSERT INTO approvals_claim AS c
    (workspace_id, item, person_id, token, until, given, urgency, team, language, proposer)
VALUES (%(ws)s, %(item)s, %(person)s, %(token)s, %(until)s, %(given)s, 0, '', '', '')
ON CONFLICT (workspace_id, item) DO UPDATE SET
    person_id = excluded.person_id,
    token = CASE WHEN c.person_id = excluded.person_id AND c.until > %(now)s THEN c.token ELSE excluded.token END,
    until = CASE WHEN c.person_id = excluded.person_id AND c.until > %(now)s
            THEN greatest(c.until, excluded.until) ELSE excluded.until END,
    given = excluded.given OR (c.given AND c.person_id = excluded.person_id AND c.until > %(now)s)
WHERE c.person_id IS NULL OR c.until <= %(now)s OR c.person_id = excluded.person_id OR %(force)s
"""
CLAIM_NEXT = "SELECT approvals_take_next($1, $2, $3, $4, $5, $6, $7)"
FULL = "full"
FREE = {"person": None, "token": "", "until": None, "given": False}


class ClaimError(Exception):
    """Base of why an item cannot be claimed; the message is for the person."""


class Held(ClaimError):
    """Somebody else has it in hand."""


class TooMany(ClaimError):
    """The person holds as many as one can look at."""


class NotYours(ClaimError):
    """The role is missing, or the item is one that this person cannot decide."""


class NoSuchItem(ClaimError):
    """Nothing of that name is in the workspace."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What claim-next gave: the item (`proposal:12`), the token of this very claim, the end of the lease (UTC)."""

    item: str
    token: str
    until: datetime


def claim(*, workspace: int, item: str, person: int, now: datetime) -> Claim:
    """Take an item (`proposal:12`, `handoff:3`) in hand, or renew the lease one has.

    Raises:
        Held, TooMany.
    """
    _lock(workspace, person)
    mine = Claim.objects.filter(workspace_id=workspace, person_id=person, until__gt=now)
    held = dict(mine.values_list("item", "given"))
    if item not in held and list(held.values()).count(False) >= MOST:
        raise _too_many(MOST)
    return _take(workspace, item, person, now)


def claim_next(*, workspace: int, person: int, now: datetime, roles: Iterable[str], most: int = MOST) -> Taken | None:
    """Take the most urgent free item the person may work: not their own, of their teams and languages; else None.

    A person without skills of a kind works all of them; an item without a team or language is everybody's.

    Raises:
        NotYours: none of `roles` decides. TooMany.
    """
    held = set(roles)
    if not appointed.deciding(held):
        raise NotYours(_("Only reviewers and managers take items in hand."))
    token, until = secrets.token_hex(16), now + LEASE
    may = f"{{{','.join(sorted(held))}}}"
    values = (str(workspace), str(person), may, now.isoformat(), until.isoformat(), str(most), token)
    (item,) = wire.given(CLAIM_NEXT, values)
    if item == FULL:
        raise _too_many(most)
    return Taken(item, token, until) if item else None


def heartbeat(*, workspace: int, person: int, token: str, now: datetime) -> bool:
    """Renew the lease of this very claim; False where it ended, or somebody took it over."""
    mine = Claim.objects.filter(workspace_id=workspace, person_id=person, token=token, until__gt=now)
    return bool(token and mine.update(until=Greatest("until", now + LEASE)))


def release(*, workspace: int, item: str, person: int) -> None:
    """Put one's own item back; nothing happens where it is not."""
    _put_back(workspace, person, [item])


def release_all(*, workspace: int, person: int) -> int:
    """Put back whatever the person took in hand here, not what they were given; returns how many."""
    taken = Claim.objects.filter(workspace_id=workspace, person_id=person, given=False)
    items = taken.values_list("item", flat=True)
    return _put_back(workspace, person, list(items))


def free_expired(*, workspace: int, now: datetime) -> int:
    """End the leases that are over, so that claim-next finds the items in their order; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT approvals_free_claims(%s, %s)", [workspace, now])
        return int(cursor.fetchone()[0])


def take_over(*, workspace: int, item: str, by: int, now: datetime) -> Claim:
    """A manager ends somebody else's lease and has the item in hand, however many they have.

    Raises:
        NotYours, NoSuchItem.
    """
    _require_manager(by, workspace)
    before = holders(workspace=workspace, items=[item], now=now).get(item)
    return _give(workspace, item, by, before, Event.ITEM_TAKEN_OVER, by, now, now + LEASE)


def assign(*, workspace: int, item: str, to: int, by: int, now: datetime) -> Claim:
    """A manager gives an item into somebody's hands for `GIVEN` of working time, however many they have.

    Where that person is out of office, their stand-in gets it.

    Raises:
        NotYours: `by` is no manager, or `to` cannot decide it. NoSuchItem.
    """
    _require_manager(by, workspace)
    name = Person.objects.filter(pk=to).values_list("name", flat=True).first() or _("This person")
    if not appointed.deciding(appointed.of(to, workspace)):
        raise NotYours(_("%(name)s is no reviewer or manager here.") % {"name": name})
    present = standing_in.effective(workspace=workspace, person=to, now=now)
    if present is None:
        words = _("%(name)s is out of office, and who stands in may not decide as much; choose somebody else.")
        raise NotYours(words % {"name": name})
    to = present
    before = holders(workspace=workspace, items=[item], now=now).get(item)
    until = hours.of(workspace).after(now, GIVEN)
    return _give(workspace, item, to, before, Event.ITEM_ASSIGNED, by, now, until)


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
    rows = Claim.objects.filter(workspace_id=workspace, item__in=list(items), person__isnull=False, until__gt=now)
    return {row.item: row for row in rows.select_related("person")}


def held_by(*, workspace: int, person: int, now: datetime) -> list[str]:
    """Items one person has in hand."""
    rows = Claim.objects.filter(workspace_id=workspace, person_id=person, until__gt=now)
    return list(rows.values_list("item", flat=True))


def _take(workspace: int, item: str, person: int, now: datetime, forced_until: datetime | None = None) -> Claim:
    """One's own lease is renewed under its token, never shortened; everything else is a new claim with a new one."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "ws": workspace, "item": item, "person": person, "token": secrets.token_hex(16), "now": now,
                "until": forced_until or now + LEASE, "force": forced_until is not None,
                "given": forced_until is not None and forced_until > now + LEASE,
            },
        )  # fmt: skip
    holder = holders(workspace=workspace, items=[item], now=now)[item]
    if holder.person_id != person:
        raise Held(_words(holder))
    return holder


def _give(
    workspace: int, item: str, to: int, before: Claim | None, event: Event, by: int, now: datetime, until: datetime
) -> Claim:
    """Into `to`'s hands, whoever had it, with its entry."""
    case, proposer = _about(workspace, item)
    if proposer == f"person:{to}":
        raise NotYours(_("Who proposed this cannot decide it; give it to somebody else."))
    taken = _take(workspace, item, to, now, until)
    log.record(
        workspace=workspace, subject=f"claim:{item}", event=event, actor=f"person:{by}", now=now, case=f"case:{case}",
        body={"item": item, "from": before.person_id if before else None, "to": to},
    )  # fmt: skip
    return taken


def _about(workspace: int, item: str) -> tuple[int, str]:
    """Case and proposer of an item.

    Raises:
        NoSuchItem.
    """
    kind, _colon, key = item.partition(":")
    models: dict[str, type[Proposal] | type[Handoff]] = {"proposal": Proposal, "handoff": Handoff}
    model = models.get(kind) if key.isdecimal() and len(key) < 19 else None
    row = model._default_manager.filter(workspace_id=workspace, pk=int(key)).first() if model else None
    if row is not None:
        return row.case_id, row.proposer
    raise NoSuchItem(_("This item is not in this workspace."))


def _put_back(workspace: int, person: int, items: list[str]) -> int:
    mine = Claim.objects.filter(workspace_id=workspace, person_id=person, item__in=items)
    gone, _each = mine.filter(proposer="").delete()  # it has no place in the queue to go back to
    return gone + mine.update(**FREE)


def _require_manager(person: int, workspace: int) -> None:
    if Role.MANAGER not in appointed.of(person, workspace):
        raise NotYours(_("Only a manager takes over or assigns what others have in hand."))


def _lock(workspace: int, person: int) -> None:
    """Two claims of one person at once must not both count two."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 3))", [f"{workspace}:claims:{person}"])


def _too_many(most: int) -> TooMany:
    return TooMany(_("Nobody holds more than %(most)s items at once; decide or release one first.") % {"most": most})


def _words(holder: Claim) -> str:
    name = holder.person.name if holder.person else _("Somebody")
    return _("%(name)s has this in hand until the lease ends or is released.") % {"name": name}
