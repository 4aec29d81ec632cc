"""Policy pages: published as a whole, version by version; searched, and cited clause by clause.

A version is in force from one moment to another and never changes. Who may read it stands on it, for people and for
agents; refuses a clause that stands on another page in force, since a citation names the clause alone.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.contrib.postgres.search import SearchVectorField
from django.db import connection, transaction
from django.db.models import BooleanField, F, FloatField, Func, Q, QuerySet, Value
from django.db.models.functions import Now

from audit import log
from audit.events import Event
from portal.models import Clause, Page, Role

STAFF, MANAGERS, AGENTS = "staff", "managers", "agents"
EVERYBODY = (STAFF, AGENTS)
LONGEST_QUESTION = 2_000
_READER = re.compile(r"staff|managers|agents|agent:[a-z0-9_]{1,40}")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PageError(ValueError):
    """A page that cannot be published; the message names the field and the way out."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A clause as it is published. `position` is its place among the others."""

    clause_id: str
    section: str
    text: str
    position: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A clause that a search found, best first; `rank` is PostgreSQL's cover density, higher is closer."""

    clause: Clause
    rank: float


def readers_of(roles: Collection[str]) -> tuple[str, ...]:
    """What a person with these roles reads."""
    return (STAFF, MANAGERS) if {Role.MANAGER, Role.ADMIN} & set(roles) else (STAFF,) if roles else ()


def in_force(workspace: int) -> QuerySet[Clause]:
    """The clauses of all pages that are in force now."""
    begun = Q(page__effective_from__lte=Now())
    lasts = Q(page__effective_until=None) | Q(page__effective_until__gt=Now())
    return Clause.objects.filter(begun, lasts, workspace=workspace).select_related("page")


def readable(rows: QuerySet[Clause], readers: Collection[str]) -> QuerySet[Clause]:
    """Those on pages for at least one of the readers."""
    return rows.filter(page__readers__has_any_keys=list(readers))


def for_agent(workspace: int, agent: str) -> QuerySet[Clause]:
    """What an agent may rest on: what it may read, and everybody who reviews its work too."""
    return readable(readable(in_force(workspace), (AGENTS, f"agent:{agent}")), (STAFF,))


def search(rows: QuerySet[Clause], words: str, *, limit: int) -> list[Found]:
    """The clauses that share words with a question, by PostgreSQL's full-text search in the language of each page."""
    words = words.replace("\x00", " ")[:LONGEST_QUESTION]
    found: list[Found] = []
    for language in rows.order_by().values_list("page__language", flat=True).distinct():
        question = Func(Value(language), Value(words), function="portal_question", output_field=SearchVectorField())
        rank = Func(F("search"), question, Value(1), function="ts_rank_cd", output_field=FloatField())
        match = Func(
            F("search"), question, template="(%(expressions)s)", arg_joiner=" @@ ", output_field=BooleanField()
        )
        of_language = (
            rows.filter(match, page__language=language).annotate(rank=rank).order_by("-rank", "position", "pk")
        )
        found += [Found(row, row.rank) for row in of_language[:limit]]
    return sorted(found, key=lambda one: -one.rank)[:limit]


def publish(
    *, workspace: int, slug: str, title: str, sentences: Sequence[Sentence], actor: str, now: datetime,
    language: str = "en", readers: Sequence[str] = EVERYBODY, effective_from: datetime | None = None,
) -> Page:  # fmt: skip
    """The next version of a page, in force from `effective_from` (UTC, now by default); the one before ends there.

    The same again writes nothing. A clause keeps its own version while its words stay the same.

    Raises:
        PageError: nothing is written.
    """
    start = effective_from or now
    _check(slug, title, sentences, readers)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 6))", [f"{workspace}:pages"])
        before = Page.objects.filter(workspace=workspace, slug=slug).order_by("-version").first()
        old = list(before.clauses.order_by("position", "pk")) if before else []
        page = Page(
            workspace_id=workspace, slug=slug, version=before.version + 1 if before else 1, title=title,
            language=language, readers=list(readers), effective_from=start, made_by=actor,
        )  # fmt: skip
        if before and _says(before, old) == _says(page, sentences):
            return before
        if before and before.effective_from >= start:
            raise PageError(f"effective_from: version {before.version} begins only then; begin later than it")
        _refuse_elsewhere(workspace, slug, sentences)
        return _write(page, before, _numbered(workspace, old, sentences), actor=actor, now=now)


def _check(slug: str, title: str, sentences: Sequence[Sentence], readers: Sequence[str]) -> None:
    if not _SLUG.fullmatch(slug) or len(slug) > 60:
        raise PageError("slug: small letters, digits and single hyphens, at most 60")
    if not title.strip() or len(title) > 120:
        raise PageError("title: between 1 and 120 characters")
    if wrong := [one for one in readers if not _READER.fullmatch(one)]:
        raise PageError(f"readers: {wrong[0]!r} is none of staff, managers, agents, agent:<name>")
    ids = [one.clause_id for one in sentences]
    if not ids or len(set(ids)) < len(ids) or not all(one.clause_id and one.text.strip() for one in sentences):
        raise PageError("clauses: at least one, each with words and an id of its own")


def _refuse_elsewhere(workspace: int, slug: str, sentences: Iterable[Sentence]) -> None:
    live = Clause.objects.filter(
        Q(page__effective_until=None) | Q(page__effective_until__gt=Now()), workspace=workspace
    )
    taken = live.filter(clause_id__in=[one.clause_id for one in sentences]).exclude(page__slug=slug)
    for clause_id, other in taken.values_list("clause_id", "page__slug")[:1]:
        raise PageError(f"clauses: {clause_id} stands on the page {other}; take it out there first")


def _says(page: Page, clauses: Iterable[Clause | Sentence]) -> object:
    """What makes two versions the same."""
    words = [(one.clause_id, one.section, one.text) for one in clauses]
    return page.title, page.language, sorted(page.readers), words


def _numbered(workspace: int, old: Iterable[Clause], sentences: Sequence[Sentence]) -> list[tuple[Sentence, int]]:
    """Each sentence with its version: kept where its words stand as they did, else one that was never used."""
    kept = {one.clause_id: one for one in old}
    used: dict[str, int] = {}
    past = Clause.objects.filter(workspace=workspace, clause_id__in=[one.clause_id for one in sentences])
    for clause_id, version in past.values_list("clause_id", "version"):
        used[clause_id] = max(version, used.get(clause_id, 0))
    numbered = []
    for one in sentences:
        was = kept.get(one.clause_id)
        same = was is not None and (was.section, was.text) == (one.section, one.text)
        numbered.append((one, was.version if was is not None and same else used.get(one.clause_id, 0) + 1))
    return numbered


def _write(
    page: Page, before: Page | None, numbered: Sequence[tuple[Sentence, int]], *, actor: str, now: datetime
) -> Page:
    subject = f"page:{page.slug}"
    log.attribute(subject)
    if before is not None:
        Page.objects.filter(pk=before.pk).update(effective_until=page.effective_from)
    page.save(force_insert=True)
    Clause.objects.bulk_create(
        Clause(
            workspace_id=page.workspace_id, page=page, clause_id=one.clause_id, section=one.section, text=one.text,
            position=one.position or place, version=version,
        )
        for place, (one, version) in enumerate(numbered)
    )  # fmt: skip
    log.record(
        workspace=page.workspace_id, subject=subject, version=page.version, event=Event.PAGE_PUBLISHED, actor=actor,
        now=now,
        body={
            "language": page.language, "readers": list(page.readers), "effective_from": page.effective_from.isoformat(),
            "clauses": {one.clause_id: version for one, version in numbered},
        },
    )  # fmt: skip
    return page


def merge(*, workspace: int, rows: Sequence[Sentence], slug_of: Mapping[str, str], actor: str, now: datetime) -> int:
    """Bring sentences onto their pages, beside what stands there; returns how many were on none before.

    A sentence whose id is in force stays on its page; another goes to the page `slug_of` names for its section.
    """
    live = {one.clause_id: one for one in in_force(workspace)}
    wanted: dict[str, list[Sentence]] = {}
    for row in rows:
        known = live.get(row.clause_id)
        wanted.setdefault(known.page.slug if known else slug_of[row.section], []).append(row)
    for slug, new in wanted.items():
        there = [one for one in live.values() if one.page.slug == slug]
        whole = {one.clause_id: Sentence(one.clause_id, one.section, one.text, one.position) for one in there}
        for one in new:
            was = whole.get(one.clause_id)
            whole[one.clause_id] = replace(one, position=was.position) if was else one
        page = there[0].page if there else None
        publish(
            workspace=workspace, slug=slug, title=page.title if page else new[0].section or slug, actor=actor, now=now,
            sentences=sorted(whole.values(), key=lambda one: one.position),
            language=page.language if page else "en", readers=page.readers if page else EVERYBODY,
        )  # fmt: skip
    return sum(row.clause_id not in live for row in rows)
