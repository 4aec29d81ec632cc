"""Evidence held against what the run read: nothing is cited that no tool gave. Pure: no Django, clock or network.

Puts the version of each clause in as it was read, so that the gate can tell whether that is still in force.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from agents.steps import verify
from agents.types import Evidence, Outcome
from portal.retold import kept

# What a tool can give; other sources, like an instruction, are put in by the workflow itself.
_UNREAD = kept("%(source)s is cited and was never read")
KINDS = frozenset({"ticket", "contact", "customer", "order", "method", "clause"})


def check(outcome: Outcome, read: Collection[str], versions: Mapping[str, int]) -> Outcome:
    """The outcome with versions of its clauses, or a hand-off that names what was cited and never read.

    `read` are the sources that tools gave (`order:#W100`), `versions` those of the clauses by id.
    """
    handoff, question = outcome.handoff, outcome.question
    placed = replace(
        outcome,
        drafts=tuple(replace(draft, evidence=_versions(draft.evidence, versions)) for draft in outcome.drafts),
        handoff=handoff and replace(handoff, evidence=_versions(handoff.evidence, versions)),
        question=question and replace(question, evidence=_versions(question.evidence, versions)),
    )
    unread = {e.source for draft in outcome.drafts for e in draft.evidence if _is_unread(e.source, read)}
    return verify.judge(placed, [_UNREAD % {"source": source} for source in sorted(unread)])


def _is_unread(source: str, read: Collection[str]) -> bool:
    return source.partition(":")[0] in KINDS and source not in read


def _versions(evidence: Iterable[Evidence], versions: Mapping[str, int]) -> tuple[Evidence, ...]:
    placed = []
    for one in evidence:
        kind, _, key = one.source.partition(":")
        placed.append(replace(one, version=versions.get(key, 0)) if kind == "clause" else one)
    return tuple(placed)
