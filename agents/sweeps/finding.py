"""What one sweep finds: pairs of contacts, the one that stays named first, without those that people have seen.

Reads the contacts in one short transaction and compares them outside of any.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.dedupe.finding import Match, find
from agents.ending import STOPPED
from agents.sweeps.models import Finding, Sweep
from approvals.models import Proposal
from approvals.state import State
from portal.models import Contact

# What a sweep keeps of what it finds, the surest first; no desk works off more between two sweeps.
MOST_KEPT = 10_000
CHUNK = 2_000
# Proposals that ended so say nothing about the pair: it may be proposed again.
SAYS_NOTHING = (State.EXPIRED, State.WITHDRAWN, State.FAILED)

Records = list[tuple[str, Mapping[str, str]]]
Ranks = Mapping[str, tuple[int, int, str]]


def read(workspace: int) -> tuple[Records, Ranks]:
    """Contacts that stand for themselves, and which of two stays: locks, then what it holds, then the older id."""
    rows = Contact.objects.filter(workspace=workspace, merged_into=None).order_by("pk")
    records: Records = []
    ranks = {}
    for name, fields, locks in rows.values_list("contact_id", "fields", "locked_fields").iterator(CHUNK):
        records.append((name, fields))
        ranks[name] = (-len(locks), -sum(bool(value) for value in fields.values()), name)
    return records, ranks


def pairs(records: Records, ranks: Ranks) -> list[tuple[str, str, Match]]:
    """(the one that stays, the other, what speaks for it), most certain first."""
    found = []
    for match in find(records):
        keep, other = sorted((match.left, match.right), key=lambda name: ranks[name])
        found.append((keep, other, match))
    return found


def rows(sweep: Sweep, found: Sequence[tuple[str, str, Match]]) -> list[Finding]:
    """As they are kept. Who is to be retired is not proposed as the one that stays: that comes later."""
    known, retiring = seen(sweep.workspace_id), set[str]()
    made = []
    for keep, other, match in found[:MOST_KEPT]:
        state = Finding.State.WAITING
        if frozenset((keep, other)) in known:
            state = Finding.State.KNOWN
        elif keep in retiring or other in retiring:
            state = Finding.State.LATER
        else:
            retiring.add(other)
        made.append(
            Finding(
                workspace_id=sweep.workspace_id, sweep=sweep, keep=keep, other=other, bits=round(match.bits * 100),
                said=_said(match), state=state,
            )
        )  # fmt: skip
    staying = {row.keep for row in made if row.state == Finding.State.WAITING}
    for row in made:
        if row.state == Finding.State.WAITING and row.other in staying:
            row.state = Finding.State.LATER
    return made


def _said(match: Match) -> list[dict[str, Any]]:
    return [{"field": one.field, "level": int(one.level), "bits": round(one.bits * 100)} for one in match.said]


def seen(workspace: int) -> set[frozenset[str]]:
    """Pairs that people have before them, or have decided on: a no is a no, however often it is found again."""
    handed_in = Finding.objects.filter(workspace=workspace).exclude(run=None).exclude(run__outcome=STOPPED)
    proposals = Proposal.objects.filter(workspace=workspace, action="contact.merge", submission__undoes=None)
    again: set[frozenset[str]] = set()
    told = {frozenset(pair) for pair in handed_in.values_list("keep", "other")}
    columns = ("target", "submission__payload__args__other", "state")
    for target, other, state in proposals.order_by("pk").values_list(*columns):
        pair = frozenset((target.partition(":")[2], str(other)))
        told.add(pair)
        (again.add if state in SAYS_NOTHING else again.discard)(pair)
    return told - again
