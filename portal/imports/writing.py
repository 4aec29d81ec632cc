"""Puts checked rows into the books of a workspace: adds what is new, passes over what is the same.

Refuses a row whose id is there with other content, and new lines of an order that is there: nothing is
overwritten, and an order's version would not tell. A policy clause with a new text becomes its next version.
"""

from collections.abc import Callable

from portal.imports.reading import Books, Table
from portal.imports.refusal import BooksRefused, short
from portal.imports.shelves import SHELVES, Key, Links, M, R, Shelf
from portal.models import Order

BATCH = 1000


def write(books: Books, workspace: int, progress: Callable[[str], None]) -> dict[str, int]:
    """New rows by table name. The transaction is inside the workspace and its writes are attributed.

    Raises:
        BooksRefused: an id is there with other content.
    """
    links = Links(workspace, frozenset(Order.objects.filter(workspace=workspace).values_list("pk", flat=True)))
    new: dict[str, int] = {}
    for name, table in books.tables().items():
        shelf = SHELVES[name]
        there = {shelf.key_of(row): row for row in shelf.model.objects.filter(workspace=workspace)}
        _revise(shelf, table, there, links)
        fresh = _new_rows(shelf, table, there, links)
        made = shelf.model.objects.bulk_create(fresh, batch_size=BATCH)
        links.pks[name] = {shelf.key_of(row): row.pk for row in (*there.values(), *made)}
        new[name] = len(made)
        progress(f"{table.file}: {len(made)} rows to add")
    return new


def _revise(shelf: Shelf[R, M], table: Table[R], there: dict[Key, M], links: Links) -> None:
    """Bring rows that carry versions of their own up to the file; what cites them can tell."""
    if not shelf.revisable:
        return
    changed = []
    for _, row in table.lines:
        made = shelf.make(row, links)
        old = there.get(shelf.key_of(made))
        if old is not None and any(getattr(made, n) != getattr(old, n) for n in shelf.columns):
            for name in shelf.columns:
                setattr(old, name, getattr(made, name))
            old.version += 1  # type: ignore[attr-defined]  # what makes a shelf revisable
            changed.append(old)
    shelf.model._default_manager.bulk_update(changed, [*shelf.columns, "version"], batch_size=BATCH)


def _new_rows(shelf: Shelf[R, M], table: Table[R], there: dict[Key, M], links: Links) -> list[M]:
    fresh = []
    for line, row in table.lines:
        made = shelf.make(row, links)
        old = there.get(shelf.key_of(made))
        if old is not None:
            _compare(shelf, table.file, line, made, old)
        elif getattr(made, "order_id", None) in links.closed:
            what = "its order is in the books without it; orders there are not changed: take the row out"
            raise BooksRefused(table.file, what, line=line, column=shelf.key[-1])
        else:
            fresh.append(made)
    return fresh


def _compare(shelf: Shelf[R, M], file: str, line: int, row: M, old: M) -> None:
    for name, column in shelf.columns.items():
        if name == "status" and getattr(old, "version", 1) > 1:
            continue  # an approved action changed it since; the books are right, not the old file
        if getattr(row, name) != getattr(old, name):
            what = (
                f"{short(shelf.key_of(row)[-1])} is in the books with another value here;"
                " nothing there is changed: take the row out or give it an id of its own"
            )
            raise BooksRefused(file, what, line=line, column=column)
