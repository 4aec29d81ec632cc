"""A person's own views: a search of the queue under a name, for themselves or for everybody in the workspace."""

from dataclasses import astuple, dataclass
from datetime import datetime

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext as _

from approvals import searching
from approvals.actions.base import clean_text
from approvals.models import SavedView
from portal import retold

LONGEST, MOST = 40, 12
# How long a view that somebody else shares or drops may take to reach a list; one's own is there at once.
KEPT_SECONDS = 10


class SavingError(Exception):
    """It cannot be kept; the message names the field."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A view as it is offered: `own` to who looks, else somebody's (`whose`) who shares it."""

    pk: int
    name: str
    query: str
    own: bool
    whose: str

    @property
    def filters(self) -> searching.Filters:
        """What it asks for."""
        return searching.read(QueryDict(self.query).dict())


def known(*, workspace: int, person: int) -> list[Saved]:
    """Their own, then what others share; at most `MOST` of each."""
    key = _key(workspace, person)
    kept: list[list[int | str | bool]] | None = cache.get(key)
    if kept is None:
        kept = [list(astuple(one)) for one in _known(workspace, person)]
        cache.set(key, kept, KEPT_SECONDS)
    return [Saved(*one) for one in kept]  # type: ignore[arg-type]  # as they were put in


def _known(workspace: int, person: int) -> list[Saved]:
    rows = SavedView.objects.filter(workspace_id=workspace).filter(Q(person=person) | Q(shared=True))
    found = [
        Saved(v.pk, v.name, v.query, v.person_id == person, "" if v.person_id == person else v.person.name)
        for v in rows.select_related("person").order_by("name", "pk")[: 4 * MOST]
    ]
    return [*[v for v in found if v.own][:MOST], *[v for v in found if not v.own][:MOST]]


def _key(workspace: int, person: int) -> str:
    return f"desk-saved:{workspace}:{person}"


def _forget_kept(workspace: int, person: int) -> None:
    transaction.on_commit(lambda: cache.delete(_key(workspace, person)))


def save(*, workspace: int, person: int, name: str, query: str, shared: bool, now: datetime) -> SavedView:
    """Keep a search; one of the same name is replaced.

    Raises:
        SavingError.
    """
    called = " ".join(name.split())
    if not called:
        raise SavingError(f"name: {_('give the view a name')}")
    if len(called) > LONGEST:
        words = _("%(count)s characters; at most %(most)s fit") % {"count": len(called), "most": LONGEST}
        raise SavingError(f"name: {words}")
    try:
        called = clean_text(called)
    except ValueError as error:
        raise SavingError(f"name: {retold.say(str(error))}") from error
    asked = searching.read(QueryDict(query).dict())
    if not asked.lasting or asked.search.fault:
        words = _("choose filters or search for something first; there is nothing to keep")
        raise SavingError(f"name: {words}")
    mine = SavedView.objects.filter(workspace_id=workspace, person_id=person)
    mine.filter(name=called).delete()
    if mine.count() >= MOST:
        words = _("you keep %(most)s views already; forget one of them first") % {"most": MOST}
        raise SavingError(f"name: {words}")
    _forget_kept(workspace, person)
    return SavedView.objects.create(
        workspace_id=workspace, person_id=person, name=called, query=asked.lasting, shared=shared, created_at=now
    )


def forget(*, workspace: int, person: int, view: int) -> bool:
    """Drop one of their own; False where it is none."""
    gone, _each = SavedView.objects.filter(workspace_id=workspace, person_id=person, pk=view).delete()
    _forget_kept(workspace, person)
    return bool(gone)
