"""Puts the clauses of a folder onto policy pages: one page for a section, published anew where its words changed."""

from datetime import datetime

from django.utils.text import slugify

from portal import pages
from portal.imports.reading import Table
from portal.imports.rows import ClauseRow


def publish(table: Table[ClauseRow], *, workspace: int, actor: str, now: datetime) -> int:
    """How many clauses stood on no page in force before. What a page holds beside them stays on it."""
    rows = [
        pages.Sentence(row.clause_id, row.section, row.text, place) for place, (_, row) in enumerate(table.lines, 1)
    ]
    slugs = {row.section: slugify(row.section)[:60].strip("-") or "page" for row in rows}
    return pages.merge(workspace=workspace, rows=rows, slug_of=slugs, actor=actor, now=now)
