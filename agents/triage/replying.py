"""Suggests an answer where one clause of the policy pages clearly gives it, quoted to the letter.
Pure: no Django, clock, network or settings. It words nothing about the customer's own case, and never answers a
message with two matters, hostile flags, or in a language the pages are not in.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from agents.triage import language, matters
from agents.types import Draft, Evidence, Outcome
from portal.retold import kept
from portal.systems.records import Clause

ACTION = "ticket.reply"
COVERED = 0.62
"""Share of what a question asks about, by weight of its words, that a clause must speak of."""
AHEAD = 0.15
"""And by how much it must be ahead of the next: two that answer alike leave a person to choose."""
FEWEST_TERMS = 2
MOST_WORDS = 60
SURE_OF_QUEUE = 0.5
_QUOTED = kept("The question is answered by %(clause)s, quoted to the letter.")
_ASKED = kept("The customer asks")
_ASKS = re.compile(
    r"[^.!?\n]*\?|(?:^|(?<=[.!?\n]))\s*(?:can|could|may|do|does|is|are|how|what|which|when|where|who|why|will|would)\b"
    r"[^.!?\n]*",
    re.IGNORECASE,
)
# Said to staff, about the customer or of themselves: true, and no letter to anybody.
_INWARD = re.compile(
    r"\b(?:users?|agents?|colleagues?|customers?|writer|team|staff|system|tools?|database"
    r"|you (?:should|must|can only|have to)|human|transfer|authenticate|message)\b",
    re.IGNORECASE,
)
_OWN_CASE = re.compile(
    r"#?\b[A-Z]{0,3}\d{5,}\b|\b(?:my|our) (?:order|refund|parcel|return|package|account|money)\b", re.I
)
_EMPTY = frozenset(
    "a about an and any are as at be been but by can could did do does for from had has have how i if in is it its"
    " know like may me my need no not of on one or our please possible so some tell than that the their them then"
    " there these they this to us want was we what when where which who why will with would you your hello hi thanks"
    " get got go long take it's i'd just also long".split()
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The clause that answers `question`; `covered` is the share of the question it speaks of."""

    clause: Clause
    question: str
    covered: float


def asks(outcome: Outcome, text: str) -> bool:
    """Whether it is worth looking into the policy pages: one plain question, routed, and about no case of their own."""
    words = matters.own_words(text)
    return (
        len(outcome.drafts) == 1 and not outcome.flags and outcome.confidence >= SURE_OF_QUEUE
        and len(words.split()) <= MOST_WORDS and bool(_ASKS.search(words)) and not _OWN_CASE.search(words)
        and not language.name_language(words)
    )  # fmt: skip


def suggest(outcome: Outcome, text: str, clauses: Sequence[Clause]) -> Outcome:
    """The outcome, with a reply beside it where a clause clearly answers."""
    found = find(text, clauses)
    if found is None:
        return outcome
    clause = found.clause
    body = (
        "Hello,\n\nThank you for writing to us. This is what our terms say:\n\n"
        f"“{clause.text}” ({clause.section}, {clause.clause_id})\n\n"
        "If this does not answer your question, reply to this message and a colleague looks at it.\n\n"
        "Kind regards\nCustomer service"
    )
    reply = Draft(
        action=ACTION, target="", args={"body": body, "clauses": [clause.clause_id]}, key="reply",
        confidence=round(min(outcome.confidence, found.covered), 3),
        justification=_QUOTED % {"clause": clause.clause_id},
        evidence=(
            Evidence(_ASKED, "ticket:", found.question, "body"),
            Evidence(f"{clause.section}: {clause.clause_id}", f"clause:{clause.clause_id}", clause.text, "body"),
        ),
    )  # fmt: skip
    return replace(outcome, drafts=(*outcome.drafts, reply))


def find(text: str, clauses: Sequence[Clause]) -> Answer | None:
    """The one clause that speaks of what is asked; None where none does, or several."""
    questions = [found.group().strip() for found in _ASKS.finditer(text)]
    outward = tuple(clause for clause in clauses if not _INWARD.search(clause.text))
    if len(questions) != 1 or not outward:
        return None
    terms, weights = _terms(questions[0]), _weights(outward)
    total = sum(weights.get(term, _rare(len(outward))) for term in terms)
    if len(terms) < FEWEST_TERMS or not total:
        return None
    ranked = sorted(
        ((_covered(terms, clause, weights) / total, clause) for clause in outward), key=lambda pair: -pair[0]
    )
    best, clause = ranked[0]
    next_best = ranked[1][0] if len(ranked) > 1 else 0.0
    if best < COVERED or best - next_best < AHEAD:
        return None
    return Answer(clause, questions[0], best)


def _covered(terms: frozenset[str], clause: Clause, weights: dict[str, float]) -> float:
    return sum(weights[term] for term in terms & _terms(f"{clause.section} {clause.text}"))


@lru_cache(maxsize=4096)
def _terms(text: str) -> frozenset[str]:
    """Stems of the words that mean something."""
    words = (word for word in re.findall(r"[^\W\d_]{2,}", text.lower()) if word not in _EMPTY)
    return frozenset(_stem(word) for word in words)


def _stem(word: str) -> str:
    """Without an English ending, and never shorter than four letters."""
    for ending in ("ations", "ation", "ings", "ing", "able", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            word = word.removesuffix(ending)
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] else word


@lru_cache(maxsize=16)
def _weights(clauses: tuple[Clause, ...]) -> dict[str, float]:
    """Inverse document frequency over the clauses."""
    counted = Counter(term for clause in clauses for term in _terms(f"{clause.section} {clause.text}"))
    return {term: math.log((1 + len(clauses)) / (1 + times)) + 1 for term, times in counted.items()}


def _rare(clauses: int) -> float:
    """Weight of a word that no clause holds."""
    return math.log(1 + clauses) + 1
