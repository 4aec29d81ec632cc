"""Which clauses speak to a question: by words (PostgreSQL's full-text search) and, where a model server embeds, by what
they mean (pgvector), merged by rank. Pages that agent and reviewers may not read are out before either looks.

Reciprocal rank fusion: Cormack, Clarke and Büttcher, SIGIR 2009, with their k of 60.
"""

from collections.abc import Sequence

from agents.gateway import ledger, vectors
from agents.gateway.asker import Asker
from agents.gateway.base import Answer, Request
from portal import pages
from portal.retold import kept
from portal.systems.books import clause as as_record
from portal.systems.records import Clause

K = 60
LOOKED_AT, GIVEN = 20, 12
_BY_WORDS = kept("Searched by words alone: %(why)s")
BATCHES = 2
"""Of clauses that one run has vectors made for; the next run goes on, and words find the others meanwhile."""


def fuse(rankings: Sequence[Sequence[str]]) -> list[str]:
    """One order out of several: each gives 1 / (60 + its rank), equals in the order of the first that names them."""
    score: dict[str, float] = {}
    for ranking in rankings:
        for place, name in enumerate(ranking, 1):
            score[name] = score.get(name, 0.0) + 1 / (K + place)
    return sorted(score, key=lambda name: -score[name])


def search(workspace: int, agent: str, question: str, asker: Asker) -> tuple[Clause, ...]:
    """The clauses nearest to a question among those that the agent may rest on. Raises `Needs` as `Asker.ask`."""
    rows = pages.for_agent(workspace, agent)
    there = {row.clause_id: as_record(row) for row in rows.order_by("position", "id")}
    by_words = [found.clause.clause_id for found in pages.search(rows, question, limit=LOOKED_AT)]
    by_meaning = _near(workspace, list(there.values()), question, asker)
    return tuple(there[name] for name in fuse([by_words, by_meaning])[:GIVEN])


def _near(workspace: int, clauses: Sequence[Clause], question: str, asker: Asker) -> Sequence[str]:
    """By meaning; nothing, and a word on the run, where no model can say."""
    model, but = asker.embedding, asker.other_embeddings
    request = vectors.of_question(question, but)
    known = ledger.embedded(workspace, request.key, model)
    vector = known or _ask(request, asker)
    if not vector:
        return ()
    if (left := vectors.missing(workspace, model, clauses)) and asker.asked(vectors.TEXTS) < BATCHES:
        asker.ask(vectors.of_clauses(left, but))
    return vectors.nearest(workspace, model, clauses, vector, limit=LOOKED_AT)


def _ask(request: Request, asker: Asker) -> Sequence[float]:
    answer = asker.ask(request)
    if isinstance(answer, Answer):
        found: list[list[float]] = answer.value.model_dump()["vectors"]
        return found[0]
    asker.note("suggest", _BY_WORDS % {"why": answer.words})
    return ()
