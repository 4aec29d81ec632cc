"""Clauses by what they mean: what is asked of an embedding model, and the vectors that came back, named by its model.

A vector belongs to words, by their SHA-256, and is made once, when a run first looks for something; the column is there
where the database has pgvector. Refuses nothing: without column or model nobody is asked, and words alone are searched.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from django.db import connection

from agents import marking
from agents.gateway.base import Move, Part, Reply, Request, Said
from agents.gateway.plans import EMBEDDING
from audit import redaction
from portal.systems.records import Clause

TEXTS, QUESTION = "embed_pages", "embed"
AT_ONCE = 16
"""Texts in one call: as many vectors of 3,072 numbers as an answer of 1 MiB holds."""
LONGEST = 2_000


class Vectors(Said):
    """What an embedding model is asked for: a vector a text, in their order."""

    vectors: list[list[float]]


def is_one(request: Request) -> bool:
    """Whether vectors are asked for, rather than words."""
    return request.schema is Vectors


def of_clauses(clauses: Sequence[Clause], but_models: frozenset[str] = frozenset()) -> Request:
    """Ask for the vectors of the first of these clauses."""
    parts = tuple(Part("data", digest(one), said(one), origin="page") for one in clauses[:AT_ONCE])
    return Request(TEXTS, Vectors, parts, most_tokens=0, but_models=but_models, tiers=frozenset({EMBEDDING}))


def of_question(text: str, but_models: frozenset[str] = frozenset()) -> Request:
    """Ask for the vector of what a customer asks, without personal data."""
    part = Part("data", "question", redaction.scrub(text[:LONGEST]), holds=frozenset({marking.Data.MESSAGE}))
    return Request(QUESTION, Vectors, (part,), most_tokens=0, but_models=but_models, tiers=frozenset({EMBEDDING}))


def said(clause: Clause) -> str:
    """The words of a clause that its vector stands for."""
    return f"{clause.section}\n{clause.text}"[:LONGEST]


def digest(clause: Clause) -> str:
    """SHA-256 (hex) of these words."""
    return hashlib.sha256(said(clause).encode()).hexdigest()


def texts(request: Request) -> list[str]:
    """What is sent."""
    return [part.text for part in request.parts]


def keep(workspace: int, move: Move, reply: Reply) -> None:
    """Write down the vectors of clauses that an answer brought, in the transaction in which it is settled."""
    if not is_one(move.request) or move.request.step != TEXTS or reply.value is None:
        return
    names = [part.name for part in move.request.parts]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO agents_clausevector (workspace_id, digest, model, vector) VALUES (%s, %s, %s, %s::vector)"
            " ON CONFLICT DO NOTHING",
            [
                (workspace, name, move.offer.model, literal(one))
                for name, one in zip(names, reply.value["vectors"], strict=True)
            ],
        )


def kept_apart(move: Move, reply: Reply) -> Reply:
    """The answer as its call keeps it: vectors of clauses have a table of their own."""
    if not is_one(move.request) or move.request.step != TEXTS or reply.value is None:
        return reply
    return replace(reply, value={**reply.value, "vectors": []})


def missing(workspace: int, model: str, clauses: Sequence[Clause]) -> list[Clause]:
    """Those that have no vector of this model yet, in their order."""
    by_digest = {digest(one): one for one in clauses}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest FROM agents_clausevector WHERE workspace_id = %s AND model = %s AND digest = ANY(%s)",
            [workspace, model, list(by_digest)],
        )
        there = {row[0] for row in cursor.fetchall()}
    return [one for name, one in by_digest.items() if name not in there]


def nearest(workspace: int, model: str, clauses: Sequence[Clause], vector: Sequence[float], *, limit: int) -> list[str]:
    """Ids of these clauses, the nearest by cosine distance first; vectors of another length are left out."""
    by_digest = {digest(one): one.clause_id for one in clauses}
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH same AS MATERIALIZED (SELECT digest, vector FROM agents_clausevector WHERE workspace_id = %s"
            " AND model = %s AND digest = ANY(%s) AND vector_dims(vector) = %s)"
            " SELECT digest FROM same ORDER BY vector <=> %s::vector, digest LIMIT %s",
            [workspace, model, list(by_digest), len(vector), literal(vector), limit],
        )
        return [by_digest[row[0]] for row in cursor.fetchall()]


def literal(vector: Sequence[float]) -> str:
    """As pgvector reads one."""
    return f"[{','.join(repr(float(number)) for number in vector)}]"
