"""A person's own views: a search of the queue under a name, for themselves or for everybody in the workspace."""

from datetime import datetime

from django.db.models import Q
from django.http import QueryDict

from approvals import searching
from approvals.actions.base import clean_text
from approvals.models import SavedView

LONGEST, MOST = 40, 12


class SavingError(Exception):
    """It cannot be kept; the message names the field."""


def known(*, workspace: int, person: int) -> list[SavedView]:
    """Their own, then what others share; at most `MOST` of each."""
    rows = SavedView.objects.filter(workspace_id=workspace).filter(Q(person=person) | Q(shared=True))
    found = list(rows.select_related("person").order_by("name", "pk")[: 4 * MOST])
    own, others = [v for v in found if v.person_id == person], [v for v in found if v.person_id != person]
    return [*own[:MOST], *others[:MOST]]


def filters(view: SavedView) -> searching.Filters:
    """What it asks for."""
    return searching.read(QueryDict(view.query).dict())


def save(*, workspace: int, person: int, name: str, query: str, shared: bool, now: datetime) -> SavedView:
    """Keep a search; one of the same name is replaced.

    Raises:
        SavingError.
    """
    called = " ".join(name.split())
    if not called:
        raise SavingError("name: give the view a name")
    if len(called) > LONGEST:
        raise SavingError(f"name: {len(called)} characters; at most {LONGEST} fit")
    try:
        called = clean_text(called)
    except ValueError as error:
        raise SavingError(f"name: {error}") from error
    asked = searching.read(QueryDict(query).dict())
    if not asked.lasting or asked.search.fault:
        raise SavingError("name: choose filters or search for something first; there is nothing to keep")
    mine = SavedView.objects.filter(workspace_id=workspace, person_id=person)
    mine.filter(name=called).delete()
    if mine.count() >= MOST:
        raise SavingError(f"name: you keep {MOST} views already; forget one of them first")
    return SavedView.objects.create(
        workspace_id=workspace, person_id=person, name=called, query=asked.lasting, shared=shared, created_at=now
    )


def forget(*, workspace: int, person: int, view: int) -> bool:
    """Drop one of their own; False where it is none."""
    gone, _ = SavedView.objects.filter(workspace_id=workspace, person_id=person, pk=view).delete()
    return bool(gone)
