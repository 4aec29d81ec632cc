"""Puts checked rows into the books of a workspace: adds what is new, passes over what is the same.

Refuses a row whose id is there with other content, and new lines of an order that is there: nothing is
overwritten, and an order's version would not tell. Policy pages are published by `policy`.
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
    for name, shelf in SHELVES.items():
        table = books.tables()[name]
        there = {shelf.key_of(row): row for row in shelf.model.objects.filter(workspace=workspace)}
        fresh = _new_rows(shelf, table, there, links)
        made = shelf.model.objects.bulk_create(fresh, batch_size=BATCH)
        links.pks[name] = {shelf.key_of(row): row.pk for row in (*there.values(), *made)}
        new[name] = len(made)
        progress(f"{table.file}: {len(made)} rows to add")
    return new


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
