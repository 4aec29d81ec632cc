"""Finds the same matter told before: open tickets of the same customer with nearly the same words.
Pure: no Django, clock, network or settings. It names the other ticket; nothing is merged or closed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue
from rapidfuzz import fuzz, utils

from agents import hostile
from agents.triage import matters
from agents.types import Draft, Evidence, Outcome
from portal.retold import kept

ALIKE = 82.0
"""Share of the words, 0 to 100, that two messages must have in common, in any order (rapidfuzz, token sort ratio)."""
ALIKE_ON_ONE_ORDER = 60.0
"""The same where both name one order: a matter told in other words is about the same number all the same."""
FEWEST_WORDS = 4
MOST = 3
READ = 4_000
LONGEST_TAG = 40
_SAME = kept("tells the same as ticket %(ticket)s, alike by %(likeness)s%%")
_MAY_BE_SAME = kept("It may be the same as ticket %(ticket)s, which is open.")
_NUMBER = re.compile(r"#?[A-Z]{0,3}\d{5,12}\b")


@dataclass(frozen=True, slots=True)
class Other:
    """Another open ticket of the customer; `text` is what they wrote there."""

    ticket_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """`likeness` is 0 to 100; `passage` stands in the other ticket to the letter."""

    ticket_id: str
    likeness: int
    passage: str


def find(text: str, others: Sequence[Other]) -> tuple[Duplicate, ...]:
    """Those that tell the same matter, the likest first."""
    own = _plain(text)
    if len(own.split()) < FEWEST_WORDS:
        return ()
    numbers = set(_NUMBER.findall(text))
    found = []
    for other in others:
        likeness = fuzz.token_sort_ratio(own, _plain(other.text), processor=utils.default_process)
        needed = ALIKE_ON_ONE_ORDER if numbers & set(_NUMBER.findall(other.text)) else ALIKE
        if likeness >= needed:
            found.append(Duplicate(other.ticket_id, round(likeness), other.text.strip()[:200]))
    return tuple(sorted(found, key=lambda one: -one.likeness)[:MOST])


def name(outcome: Outcome, text: str, others: Sequence[Other]) -> Outcome:
    """The outcome with each duplicate as evidence, as a tag of the draft, and in the words of a hand-off."""
    found = find(text, others)
    if not found:
        return outcome
    evidence = tuple(
        Evidence(_SAME % {"ticket": one.ticket_id, "likeness": one.likeness}, f"ticket:{one.ticket_id}", one.passage,
                 "tags")
        for one in found
    )  # fmt: skip
    drafts = tuple(_tagged(draft, found, evidence) for draft in outcome.drafts)
    handoff = outcome.handoff
    if handoff is not None:
        told: list[JsonValue] = [one.ticket_id for one in found]
        words = f"{handoff.summary} {_MAY_BE_SAME % {'ticket': found[0].ticket_id}}"
        handoff = replace(
            handoff, summary=words, found={**handoff.found, "duplicates": told}, evidence=(*handoff.evidence, *evidence)
        )
    return replace(outcome, drafts=drafts, handoff=handoff)


def _tagged(draft: Draft, found: Sequence[Duplicate], evidence: tuple[Evidence, ...]) -> Draft:
    tags = draft.args.get("tags")
    if not isinstance(tags, list):
        return draft
    named: list[JsonValue] = [tag for one in found if len(tag := f"duplicate:{one.ticket_id}") <= LONGEST_TAG]
    return replace(draft, args={**draft.args, "tags": [*tags, *named]}, evidence=(*draft.evidence, *evidence))


def _plain(text: str) -> str:
    return matters.own_words(hostile.reveal(text[:READ]))
