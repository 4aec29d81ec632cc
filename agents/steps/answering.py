"""The answer to an instruction: of all an agent comes to, the one draft that was sent back, or words. Pure.

Nothing else may come of such a run: an agent that is asked about one proposal adds none and takes none away.
"""

from dataclasses import replace

from agents.types import Draft, Evidence, Handoff, Outcome, Told
from portal.retold import kept

NOT_FOLLOWED = "not_followed"
LONGEST_QUOTE = 300
_ANOTHER_ANSWER = kept("With the records as they are now the agent comes to another answer.")
_ASKED = kept("A reviewer asked for this")


def keep(words: str) -> Outcome:
    """Why the proposal stays as it is, in words for the reviewer."""
    return Outcome(handoff=Handoff(NOT_FOLLOWED, words))


def choose(outcome: Outcome, told: Told) -> Outcome:
    """The draft of the same action on the same target, with the instruction as evidence; else why there is none."""
    draft = next((d for d in outcome.drafts if (d.action, d.target) == (told.action, told.target)), None)
    if draft is not None:
        return Outcome((_cited(draft, told),), flags=outcome.flags, confidence=outcome.confidence)
    if outcome.handoff is not None:
        return Outcome(handoff=outcome.handoff, flags=outcome.flags, confidence=outcome.confidence)
    question = outcome.question
    return keep(question.text if question else _ANOTHER_ANSWER)


def _cited(draft: Draft, told: Told) -> Draft:
    piece = Evidence(_ASKED, told.source, told.text[:LONGEST_QUOTE])
    return replace(draft, evidence=(piece, *draft.evidence), depends_on=())
