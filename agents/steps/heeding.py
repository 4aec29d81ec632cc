"""What people rejected in this case before: not proposed to the letter again, cited where another draft comes of it.

Theirs is the word of staff, apart from what a customer wrote; it takes drafts away and adds none. Pure.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from agents.gateway.base import Part
from agents.marking import Data
from agents.types import Draft, Evidence, Handoff, Outcome, Rejected
from portal.retold import kept

STEP, REPEATED = "heed", "rejected_before"
LONGEST_QUOTE = 300
_BEFORE = kept("A reviewer rejected another draft of this before (%(why)s)")
_SAME = kept("A reviewer rejected exactly this before (%(why)s)")
_COMES_AGAIN = kept("The agent comes to what was rejected here before (%(why)s). A person decides what to do instead.")
LEFT_OUT = kept("Left out, since people rejected exactly this here before: %(what)s.")


def heed(outcome: Outcome, before: Sequence[Rejected], subject: str) -> Outcome:
    """Without the drafts that were rejected to the letter, and those that wait for them.

    Where nothing is left of a ticket, a person gets it: somebody waits for an answer. Of a record nobody does.
    """
    refused = [(draft, one) for draft in outcome.drafts if (one := _same(draft, before)) and not one.may_come_again]
    gone = _with_dependents({draft.key for draft, _one in refused}, outcome.drafts)
    left = tuple(_cited(draft, before) for draft in outcome.drafts if draft.key not in gone)
    if not refused or left or outcome.handoff or outcome.question or not subject.startswith("ticket:"):
        return replace(outcome, drafts=left)
    one = refused[0][1]
    evidence = tuple(Evidence(_SAME % {"why": r.why}, r.source, r.note[:LONGEST_QUOTE]) for _draft, r in refused)
    found = {"drafts": to_jsonable_python([_bare(draft) for draft, _one in refused])}
    summary = _COMES_AGAIN % {"why": one.why}
    return replace(outcome, drafts=(), handoff=Handoff(REPEATED, summary, found, evidence))


def left_out(before: Outcome, after: Outcome) -> str:
    """What was left out, in words for the run; "" where nothing was."""
    there = {draft.key for draft in after.drafts}
    names = [f"{draft.action} {draft.target}" for draft in before.drafts if draft.key not in there]
    return LEFT_OUT % {"what": ", ".join(names)} if names else ""


def part(rejected: Sequence[Rejected], holds: frozenset[Data]) -> tuple[Part, ...]:
    """The same for a model, marked as the word of staff; nothing where nothing was rejected."""
    if not rejected:
        return ()
    rows = [
        {"action": r.action, "target": r.target, "args": dict(r.args), "why": r.why, "note": r.note} for r in rejected
    ]
    text = json.dumps(to_jsonable_python(rows), ensure_ascii=False, sort_keys=True)
    return (Part("data", "rejected", text, origin="staff", holds=holds),)


def _same(draft: Draft, before: Sequence[Rejected]) -> Rejected | None:
    bare = to_jsonable_python(_bare(draft))
    return next((r for r in reversed(before) if {"action": r.action, "target": r.target, "args": r.args} == bare), None)


def _bare(draft: Draft) -> Mapping[str, JsonValue]:
    return {"action": draft.action, "target": draft.target, "args": dict(draft.args)}


def _with_dependents(keys: set[str], drafts: Sequence[Draft]) -> set[str]:
    """Each that waits for one that is gone goes too: a reply never speaks of a refund that is not proposed."""
    gone = set(keys)
    while more := {d.key for d in drafts if d.key not in gone and gone & set(d.depends_on)}:
        gone |= more
    return gone


def _cited(draft: Draft, before: Sequence[Rejected]) -> Draft:
    same = _same(draft, before)
    told = [r for r in before if (r.action, r.target) == (draft.action, draft.target)]
    pieces = tuple(
        Evidence((_SAME if r is same else _BEFORE) % {"why": r.why}, r.source, r.note[:LONGEST_QUOTE]) for r in told
    )
    return replace(draft, evidence=(*draft.evidence, *pieces))
