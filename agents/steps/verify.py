"""Rules for every agent that do not trust what was proposed. Pure: no Django, clock, network or settings.

What fails becomes a hand-off with the evidence, never a corrected draft: a person looks at both.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from pydantic_core import to_jsonable_python

from agents.types import Draft, Evidence, Handoff, Outcome
from portal.retold import kept

FAILED = "verification_failed"
# Not registered: its few words stand in what people write, too.
NOT_THE_CASE = "%(target)s is not %(subject)s"
AGREES = kept("It was held against the records once more, apart from what proposed it, and agrees with them.")
_GONE = kept("There is no %(subject)s in the books.")
_DISAGREES = kept("The agent's draft does not agree with the records: %(faults)s.")
_NOT_ITS = kept("%(action)s is not its to propose")
_ONE_KEY = kept("two drafts carry one key")
_NO_KEY = kept("nothing carries the key %(key)s")
_NOT_THERE = kept("%(quote)s does not stand in %(subject)s")


def gone(subject: str) -> Outcome:
    """The record was there at intake and is not any more."""
    return Outcome(handoff=Handoff("missing_data", _GONE % {"subject": subject}))


def settle(outcome: Outcome, *, subject: str, texts: Sequence[str], actions: Collection[str]) -> Outcome:
    """Name the case's own record where a pure decision could not, and check what any agent must keep.

    `subject` is `kind:id`, `texts` is what a quote from it may stand in, `actions` what may be proposed.
    """
    drafts = tuple(_place(draft, subject, number) for number, draft in enumerate(outcome.drafts, 1))
    handoff, question = outcome.handoff, outcome.question
    placed = replace(
        outcome, drafts=drafts,
        handoff=handoff and replace(handoff, evidence=_source(handoff.evidence, subject)),
        question=question and replace(question, evidence=_source(question.evidence, subject)),
    )  # fmt: skip
    return judge(placed, [*_forms(drafts, actions), *_quotes(drafts, subject, texts)])


def judge(outcome: Outcome, faults: Sequence[str]) -> Outcome:
    """The outcome, its drafts as verified, or a hand-off that names each fault beside what was drafted."""
    if not faults:
        return replace(outcome, drafts=tuple(replace(d, verified=d.verified or AGREES) for d in outcome.drafts))
    found = {"faults": list(faults), "drafts": to_jsonable_python([_bare(d) for d in outcome.drafts])}
    evidence = tuple(piece for draft in outcome.drafts for piece in draft.evidence)
    summary = _DISAGREES % {"faults": "; ".join(faults)}
    return Outcome(handoff=Handoff(FAILED, summary[:1000], found, evidence), flags=outcome.flags)


def _bare(draft: Draft) -> dict[str, object]:
    return {"action": draft.action, "target": draft.target, "args": dict(draft.args)}


def _place(draft: Draft, subject: str, number: int) -> Draft:
    return replace(
        draft, target=draft.target or subject, key=draft.key or f"{draft.action}:{number}",
        evidence=_source(draft.evidence, subject),
    )  # fmt: skip


def _source(evidence: Sequence[Evidence], subject: str) -> tuple[Evidence, ...]:
    """`ticket:` without an id is the case's own."""
    kind = subject.partition(":")[0] + ":"
    return tuple(replace(e, source=subject) if e.source == kind else e for e in evidence)


def _forms(drafts: Sequence[Draft], actions: Collection[str]) -> list[str]:
    keys = [draft.key for draft in drafts]
    faults = [_NOT_ITS % {"action": draft.action} for draft in drafts if draft.action not in actions]
    faults += [_ONE_KEY] if len(set(keys)) < len(keys) else []
    waits = {name for draft in drafts for name in draft.depends_on}
    return faults + [_NO_KEY % {"key": name} for name in sorted(waits - set(keys))]


def _quotes(drafts: Sequence[Draft], subject: str, texts: Sequence[str]) -> list[str]:
    """A quote from the case's own record stands in it to the letter."""
    quotes = [e.quote for draft in drafts for e in draft.evidence if e.source == subject and e.quote]
    missing = [quote for quote in quotes if not any(quote in text for text in texts)]
    return [_NOT_THERE % {"quote": repr(quote[:60]), "subject": subject} for quote in missing]
