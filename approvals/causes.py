"""What an entry of the log is news of, and for whom: one function an event. Reads only, in the entry's workspace.

Who did it is not told of it; who is told holds a role here when it is told.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from approvals import eligibility
from approvals.models import Decision, Loosening, Proposal
from approvals.state import Kind as Decided
from approvals.state import State
from audit.events import Event
from audit.models import Entry
from portal.models import Role
from portal.notices import House, Kind, News

NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Heard:
    """An entry, and the workspace it is told in."""

    entry: Entry
    home: House

    @cached_property
    def body(self) -> Mapping[str, Any]:
        """What it says."""
        found: Mapping[str, Any] = json.loads(self.entry.canonical)["body"]
        return found

    @property
    def key(self) -> int:
        """The number of its subject."""
        return int(self.entry.subject.partition(":")[2])

    def news(self, kind: Kind, subject: str, people: frozenset[int], **facts: Any) -> News:
        """For these, but for who did it."""
        actor = self.entry.actor
        return News(kind, f"entry:{self.entry.pk}", subject, people - _person(actor), {"by": actor, **facts})


def of(entry: Entry, home: House) -> News | None:
    """The news of an entry, None where it is none."""
    return CAUSES[Event(entry.event)](Heard(entry, home))


def _person(actor: str) -> frozenset[int]:
    kind, _, key = actor.partition(":")
    return frozenset({int(key)}) if kind == "person" and key.isdecimal() else NOBODY


def _escalated(heard: Heard) -> News | None:
    return heard.news(Kind.ESCALATED, heard.body["item"], heard.home.having(Role.MANAGER))


def _given(heard: Heard) -> News | None:
    to = frozenset({int(heard.body["to"])})
    return None if to == _person(heard.entry.actor) else heard.news(Kind.ASSIGNED, heard.body["item"], to)


def _marked(heard: Heard) -> News | None:
    """Who had it in hand, and managers; half of the time is no news."""
    percent, holder = heard.body["percent"], heard.body.get("holder")
    if percent < 75:
        return None
    people = heard.home.having(Role.MANAGER) | ({holder} if holder else NOBODY)
    return heard.news(Kind.BREACHED if percent >= 100 else Kind.LATE, heard.body["item"], people, percent=percent)


def _decided(heard: Heard) -> News | None:
    kind = heard.body["kind"]
    if kind not in (Decided.APPROVE, Decided.SEND_BACK, Decided.REJECT):
        return None
    row = Proposal.objects.get(workspace_id=heard.home.workspace, pk=heard.body["proposal"])
    if kind == Decided.APPROVE:
        return _one_more(heard, row)
    whose = _person(row.proposer) - _person(heard.entry.actor)
    return heard.news(Kind.RETURNED, f"proposal:{row.pk}", whose, decision=kind) if whose else None


def _one_more(heard: Heard, row: Proposal) -> News | None:
    """Where it still waits for somebody else: whoever may be that."""
    if row.state != State.PENDING or row.people < 2:
        return None
    left = frozenset(one.id for one in eligibility.seats(row).left)
    return heard.news(Kind.SECOND, f"proposal:{row.pk}", left)


def _turned(heard: Heard) -> News | None:
    """Stale, failed, unknown: whoever approved it."""
    return _to_approvers(heard, Kind.TURNED, heard.key, state=heard.entry.state)


def _bounced(heard: Heard) -> News | None:
    return _to_approvers(heard, Kind.TURNED, int(heard.body["proposal"]), state="bounced")


def _applied(heard: Heard) -> News | None:
    """An undo was carried out: whoever approved what it undid."""
    rows = Proposal.objects.filter(workspace_id=heard.home.workspace, pk=heard.key)
    undone = rows.values_list("undoes", flat=True).first()
    return _to_approvers(heard, Kind.UNDONE, undone) if undone else None


def _to_approvers(heard: Heard, kind: Kind, proposal: int, **facts: Any) -> News | None:
    votes = Decision.objects.filter(
        workspace_id=heard.home.workspace, proposal_id=proposal, kind=Decided.APPROVE, created_at__lte=heard.entry.at
    )
    people = frozenset(votes.values_list("person_id", flat=True))
    return heard.news(kind, f"proposal:{proposal}", people, **facts) if people else None


def _thrown(heard: Heard) -> News | None:
    return heard.news(Kind.SWITCH, heard.entry.subject, frozenset(heard.home.roles))


def _wanted_looser(heard: Heard) -> News | None:
    """Another admin's agreement is wanted."""
    return heard.news(Kind.SECOND, heard.entry.subject, heard.home.having(Role.ADMIN))


def _loosened(heard: Heard) -> News | None:
    row = Loosening.objects.get(workspace_id=heard.home.workspace, pk=heard.key)
    whose = frozenset({row.proposed_by_id}) - _person(heard.entry.actor)
    agreed = heard.entry.event == Event.LOOSENING_AGREED
    return heard.news(Kind.LOOSENING, heard.entry.subject, whose, agreed=agreed) if whose else None


def _opened(heard: Heard) -> News | None:
    return heard.news(Kind.VAULT, heard.entry.subject, heard.home.having(Role.ADMIN))


def _called(heard: Heard) -> News | None:
    """Whom a colleague named in a note."""
    return heard.news(Kind.MENTION, heard.body["item"], frozenset(heard.body["people"]))


def _died(heard: Heard) -> News | None:
    return heard.news(Kind.DEAD, heard.entry.subject, heard.home.having(Role.MANAGER))


CAUSES: Mapping[Event, Callable[[Heard], News | None]] = {
    Event.ITEM_ESCALATED: _escalated,
    Event.ITEM_ASSIGNED: _given,
    Event.ITEM_TAKEN_OVER: _given,
    Event.MARK_REACHED: _marked,
    Event.DECISION_RECORDED: _decided,
    Event.PROPOSAL_STALE: _turned,
    Event.PROPOSAL_FAILED: _turned,
    Event.PROPOSAL_UNKNOWN: _turned,
    Event.PROPOSAL_APPLIED: _applied,
    Event.EFFECT_BOUNCED: _bounced,
    Event.SWITCH_THROWN: _thrown,
    Event.LOOSENING_PROPOSED: _wanted_looser,
    Event.LOOSENING_AGREED: _loosened,
    Event.LOOSENING_REFUSED: _loosened,
    Event.VAULT_OPENED: _opened,
    Event.WORK_DIED: _died,
    Event.COLLEAGUE_CALLED: _called,
}


def seal_stands(size: int, since: datetime, home: House) -> News:
    """The log is not sealed any more: no entry can say so."""
    return News(Kind.SEAL, f"seal:{size}", f"seal:{size}", home.having(Role.ADMIN), {"since": since.isoformat()})
