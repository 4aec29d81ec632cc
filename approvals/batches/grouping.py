"""What is equivalent: the same action, the same fields changed and effects caused, under the same rules. Reads only.

High tier, flags, warnings, what was laid aside or needs a manager and what the customer wrote to since are looked at
one by one and are in no group. Two members of each group are drawn by a secret of the server and must be opened.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from approvals import diff, marks, showing, switches, thresholds, times
from approvals.models import Claim, Decision, Proposal, Revision, Threshold
from approvals.state import Kind, State
from audit import canonical
from portal.retold import kept

LEAST, MOST, DRAWN = 2, 25, 2
# How much of the queue is looked through for groups, most urgent first.
LOOKED_AT = 500
TIERS = (kept("low"), kept("medium"))


@dataclass(frozen=True, slots=True, order=True)
class Template:
    """What equivalent proposals share. `fields` are `name:op`, `effects` their kinds, `rules` those that decided."""

    action: str
    tier: str
    currency: str
    fields: tuple[str, ...]
    effects: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One proposal as the form posts it back, with what it would write. `wrote`: its customer did so since."""

    proposal: Proposal
    changes: tuple[diff.Change, ...]
    effects: tuple[Mapping[str, Any], ...]
    wrote: bool

    @property
    def seen(self) -> tuple[int, int, str]:
        """Id, revision and digest."""
        return self.proposal.pk, self.proposal.revision, self.proposal.digest


@dataclass(frozen=True, slots=True)
class Group:
    """Equivalent proposals, most urgent first. `drawn` must be opened; `differs` names fields that are not all alike.

    Amounts are in minor units of the template's currency; together they stay under `limit_minor` (None: no money).
    """

    template: Template
    members: tuple[Member, ...]
    batch: str
    drawn: frozenset[int]
    differs: tuple[str, ...]
    total_minor: int
    limit_minor: int | None
    more: bool


def groups(*, workspace: int, person: int, now: datetime) -> tuple[Group, ...]:
    """What this person could decide together now, largest group first."""
    found: dict[Template, list[Member]] = defaultdict(list)
    stopping = switches.in_force(workspace=workspace)
    rows = [
        row for row in _open(workspace, person, now)[:LOOKED_AT]
        if not any(switch.stops(row.action, row.proposer) for switch in stopping)
    ]  # fmt: skip
    revisions = revisions_of(rows)
    for member in members_of(workspace, rows, revisions):
        if not why_alone(member):
            found[template_of(member, revisions[member.proposal.pk])].append(member)
    edges = limits(workspace, found)
    made = [_group(workspace, person, template, members, edges) for template, members in found.items()]
    return tuple(sorted((one for one in made if one), key=lambda one: (-len(one.members), one.template)))


def _open(workspace: int, person: int, now: datetime) -> QuerySet[Proposal]:
    """What waits, is fresh and not put apart, and neither this person's own, voted on by them, nor in others' hands."""
    me = f"person:{person}"
    edited = Revision.objects.filter(proposal=OuterRef("pk"), made_by=me, alone=False)
    voted = Decision.objects.filter(
        proposal=OuterRef("pk"), person=person, kind=Kind.APPROVE, revision=OuterRef("revision"),
        round=OuterRef("round"),
    )  # fmt: skip
    held = Q(until__gt=now, person__isnull=False) & ~Q(person=person)
    taken = Claim.objects.filter(held | _apart(now), workspace_id=workspace, item__startswith="proposal:")
    rows = Proposal.objects.filter(
        workspace_id=workspace, state=State.PENDING, tier__in=TIERS, flags=[], fresh_until__gt=now
    )
    rows = rows.exclude(proposer=me).exclude(pk__in=[_key(claim) for claim in taken])
    rows = rows.filter(~Exists(edited), ~Exists(voted))
    return rows.select_related("case").defer("basis").order_by("urgency", "pk")


def _apart(now: datetime) -> Q:
    return Q(snoozed_until__gt=now) | ~Q(escalated="")


def _key(claim: Claim) -> int:
    return int(claim.item.removeprefix("proposal:"))


def why_apart(workspace: int, proposals: Iterable[int], now: datetime) -> dict[int, str]:
    """Those of these that somebody laid aside or called a manager to, each with that in words."""
    rows = Claim.objects.filter(_apart(now), workspace_id=workspace, item__in=[f"proposal:{pk}" for pk in proposals])
    aside = _("It was laid aside meanwhile; look at it by itself.")
    called = _("A manager was called to it; look at it by itself.")
    return {_key(row): called if row.escalated else aside for row in rows}


def revisions_of(rows: Iterable[Proposal]) -> dict[int, Revision]:
    """The revision each stands at, by the proposal's id."""
    at = {row.pk: row.revision for row in rows}
    found = Revision.objects.filter(proposal__in=list(at)).order_by("number")
    return {one.proposal_id: one for one in found if at[one.proposal_id] == one.number}


def members_of(workspace: int, rows: Sequence[Proposal], revisions: Mapping[int, Revision]) -> tuple[Member, ...]:
    """Proposals, each with what its current bytes would write and whether its customer wrote since."""
    wrote = times.wrote_since(workspace, "proposal", [row.pk for row in rows])
    return tuple(Member(row, *diff.read_content(revisions[row.pk].content), row.pk in wrote) for row in rows)


def template_of(member: Member, revision: Revision) -> Template:
    """What the proposal shares with its equals."""
    row = member.proposal
    return Template(
        row.action, row.tier, row.currency if row.amount_minor else "",
        tuple(sorted(f"{change.field}:{change.op}" for change in member.changes)),
        tuple(sorted(str(effect.get("kind", "")) for effect in member.effects)),
        tuple(revision.verdict.get("rules", ())),
    )  # fmt: skip


def why_alone(member: Member) -> str:
    """Why this one must be looked at by itself, in words, or ""."""
    row = member.proposal
    if row.tier not in TIERS:
        return _("High tier is decided one by one.")
    if row.flags:
        return _("It carries a flag; look at it by itself.")
    if member.wrote:
        return _("The customer wrote since; look at it by itself.")
    said = [str(value) for effect in member.effects for value in effect.values() if isinstance(value, str)]
    if marks.warnings([*showing.texts(member.changes, member.effects), *said]):
        return _("It holds a text that may deceive the eye; look at it by itself.")
    return ""


def limits(workspace: int, templates: Iterable[Template]) -> dict[Template, int | None]:
    """The most each may move together, in minor units: no more than one decision of that tier could.

    That is the upper edge of the band that its rules put it in, else the smallest daily cap on money of that
    currency. None where no money moves; 0 where no limit stands, so that nothing goes together.
    """
    wanted = [template for template in templates if template.currency]
    if not wanted:
        return dict.fromkeys(templates)
    named = {rule for template in wanted for rule in template.rules}
    rows = Threshold.objects.filter(workspace_id=workspace, series__in={rule.rpartition(" v")[0] for rule in named})
    edges = {f"{row.series} v{row.version}": row.up_to_minor for row in rows}
    caps = thresholds.caps_in_force(workspace)
    found: dict[Template, int | None] = dict.fromkeys(templates)
    for template in wanted:
        bands = [edge for rule in template.rules if (edge := edges.get(rule)) is not None]
        daily = [c.amount_minor for c in caps if c.currency == template.currency and c.amount_minor is not None]
        found[template] = min(bands or daily, default=0)
    return found


def total(members: Iterable[Member]) -> int:
    """Money that moves, in minor units."""
    return sum(member.proposal.amount_minor or 0 for member in members)


def batch_id(workspace: int, person: int, members: Iterable[tuple[int, int, str]]) -> str:
    """32 hexadecimal digits that name exactly these members in this person's hands."""
    named = [str(workspace), str(person), *([str(part) for part in member] for member in sorted(members))]
    return hashlib.sha256(canonical.encode(named)).hexdigest()[:32]


def drawn_of(batch: str, proposals: Iterable[int]) -> frozenset[int]:
    """The two that must be opened: nobody without the server's secret can tell which before they are drawn."""
    lots = {pk: salted_hmac("approvals.batches", f"{batch}:{pk}", algorithm="sha256").digest() for pk in proposals}
    return frozenset(sorted(lots, key=lambda pk: lots[pk])[:DRAWN])


def _group(
    workspace: int, person: int, template: Template, members: Sequence[Member], edges: Mapping[Template, int | None]
) -> Group | None:
    """As many as fit under the limit, most urgent first; None where that is fewer than two."""
    limit, chosen = edges[template], list[Member]()
    for member in members:
        if len(chosen) < MOST and (limit is None or total([*chosen, member]) <= limit):
            chosen.append(member)
    if len(chosen) < LEAST:
        return None
    batch = batch_id(workspace, person, [member.seen for member in chosen])
    return Group(
        template, tuple(chosen), batch, drawn_of(batch, [member.proposal.pk for member in chosen]),
        _differing(chosen), total(chosen), limit, len(chosen) < len(members),
    )  # fmt: skip


def _differing(members: Sequence[Member]) -> tuple[str, ...]:
    """Fields and effects that are not the same in all of them."""
    values: dict[str, set[str]] = defaultdict(set)
    for member in members:
        for change in member.changes:
            values[change.field].add(repr((change.before, change.after)))
        for effect in member.effects:
            for name, value in effect.items():
                values[name].add(repr(value))
    return tuple(sorted(name for name, those in values.items() if len(those) > 1))
