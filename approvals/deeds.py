"""What somebody just did about an item other than deciding it, in one sentence, and the way back. Shown as a toast.

Said only while it is so: an address that names a deed tells nothing that does not stand.
"""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from approvals import handoffs, queries
from approvals.models import Claim, Handoff, Proposal
from portal import roles

WORDS = {
    "snoozed": noop("Laid aside for everybody."),
    "woken": noop("Brought back."),
    "escalated": noop("A manager is called."),
    "settled": noop("No manager is called any more."),
    "claimed": noop("In your hands."),
    "released": noop("Put back for everybody."),
    "resolved": noop("Resolved."),
    "reopened": noop("Reopened."),
}
# The route that takes it back.
WAYS_BACK = {"snoozed": "wake", "escalated": "settle", "claimed": "release", "resolved": "reopen_handoff"}
ASIDE = frozenset({"wake", "settle", "release"})  # routes that take an item by its name
OF_HANDOFFS = {"resolved": "resolved", "reopened": "open"}


@dataclass(frozen=True, slots=True)
class Deed:
    """`way_back` is the name of a route or ""; `until` is when it ends by itself (UTC)."""

    item: str
    headline: str
    text: str
    way_back: str = ""
    until: datetime | None = None

    @property
    def where(self) -> str:
        """The address of the item."""
        kind, _colon, key = self.item.partition(":")
        return reverse(kind, args=[int(key)])

    @property
    def back(self) -> str:
        """The address that takes it back."""
        named = self.item if self.way_back in ASIDE else int(self.item.partition(":")[2])
        return reverse(self.way_back, args=[named])


def of(name: str, item: str, *, workspace: int, person: int, now: datetime) -> Deed | None:
    """The toast for what `name` says was done about `item`; None where that is not so, or not so any more."""
    kind, _colon, key = item.partition(":")
    if name not in WORDS or not key.isdecimal() or len(key) > 18:
        return None
    if name in OF_HANDOFFS:
        return _of_handoff(name, int(key), workspace, person, now) if kind == "handoff" else None
    place = Claim.objects.filter(workspace_id=workspace, item=item).first()
    headline = _headline(workspace, kind, int(key))
    if not headline or not _stands(name, place, person, now):
        return None
    until = place.snoozed_until if place and name == "snoozed" else None
    return Deed(item, headline, _(WORDS[name]), WAYS_BACK.get(name, ""), until)


def _stands(name: str, place: Claim | None, person: int, now: datetime) -> bool:
    if place is None or not place.proposer:
        return False
    asleep = place.snoozed_until is not None and place.snoozed_until > now
    held = place.person_id == person and place.until is not None and place.until > now
    stands = {
        "snoozed": asleep, "woken": not asleep, "escalated": bool(place.escalated), "settled": not place.escalated,
        "claimed": held, "released": not held,
    }  # fmt: skip
    return stands[name]


def _of_handoff(name: str, key: int, workspace: int, person: int, now: datetime) -> Deed | None:
    """What was done to a hand-off as a whole; the way back only where this person has it."""
    row = Handoff.objects.filter(workspace_id=workspace, pk=key, state=OF_HANDOFFS[name]).first()
    if row is None:
        return None
    back = WAYS_BACK.get(name, "")
    if back and handoffs.why_closed(row, person, roles.of(person, workspace), now=now):
        back = ""
    return Deed(f"handoff:{key}", queries.headline(row), _(WORDS[name]), back)


def _headline(workspace: int, kind: str, key: int) -> str:
    if kind == "handoff":
        row = Handoff.objects.filter(workspace_id=workspace, pk=key, state="open").first()
        return queries.headline(row) if row else ""
    if kind == "proposal":
        return Proposal.objects.filter(workspace_id=workspace, pk=key).values_list("summary", flat=True).first() or ""
    return ""
