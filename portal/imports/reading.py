"""Reads a folder's six tables into checked rows; each table may point at those read before it."""

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from portal.imports.refusal import BooksRefused, of_row, short
from portal.imports.rows import ClauseRow, CustomerRow, ItemRow, Known, MethodRow, OrderRow, PaymentRow, Row

MOST_BYTES = 256 * 1024 * 1024

R = TypeVar("R", bound=Row)
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Table(Generic[R]):
    """A file's rows, each with the line it begins on (from 1), and the SHA-256 (hex) of its bytes."""

    file: str
    sha256: str
    lines: tuple[tuple[int, R], ...]


@dataclass(frozen=True, slots=True)
class Books:
    """The six tables of a folder; field names are the files' without their endings."""

    customers: Table[CustomerRow]
    payment_methods: Table[MethodRow]
    orders: Table[OrderRow]
    order_items: Table[ItemRow]
    payment_history: Table[PaymentRow]
    policy_clauses: Table[ClauseRow]

    def tables(self) -> dict[str, Table[Any]]:
        """All of them by name."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def read(folder: Path, currency: str, progress: Progress) -> Books:
    """Every table, checked. `currency` is what balances of gift cards are in.

    Raises:
        BooksRefused: at the first thing wrong.
    """
    if not folder.is_dir():
        raise BooksRefused(str(folder), "not a folder; name the one that holds the tables")
    known = Known(currency)
    customers = _table(folder, CustomerRow, known, progress)
    known.customers = {row.customer_id for _, row in customers.lines}
    methods = _table(folder, MethodRow, known, progress)
    known.methods = {row.payment_method_id for _, row in methods.lines}
    orders = _table(folder, OrderRow, known, progress)
    known.orders = {row.order_id: row.currency for _, row in orders.lines}
    items = _table(folder, ItemRow, known, progress)
    _count_items(orders, items)
    payments = _table(folder, PaymentRow, known, progress)
    return Books(customers, methods, orders, items, payments, _table(folder, ClauseRow, known, progress))


def _count_items(orders: Table[OrderRow], items: Table[ItemRow]) -> None:
    lines, pieces = Counter[str](), Counter[str]()
    for _, item in items.lines:
        lines[item.order_id] += 1
        pieces[item.order_id] += item.quantity
    for line, row in orders.lines:
        if row.item_count not in (lines[row.order_id], pieces[row.order_id]):
            what = f"says {row.item_count}, {items.file} has {lines[row.order_id]}; correct one of them"
            raise BooksRefused(orders.file, what, line=line, column="item_count")


def _table(folder: Path, kind: type[R], known: Known, progress: Progress) -> Table[R]:
    data = _bytes(folder, kind.FILE)
    text = _text(kind.FILE, data)
    rows = (_csv if kind.FILE.endswith(".csv") else _jsonl)(kind, text, known)
    first: dict[tuple[Any, ...], int] = {}
    lines = []
    for line, row in rows:
        key = tuple(getattr(row, name) for name in kind.KEY)
        if key in first:
            what = f"{short(key[-1])} stands on line {first[key]} already; give it a number or id of its own"
            raise BooksRefused(kind.FILE, what, line=line, column=kind.KEY[-1])
        first[key] = line
        lines.append((line, row))
    progress(f"{kind.FILE}: {len(lines)} rows read")
    return Table(kind.FILE, hashlib.sha256(data).hexdigest(), tuple(lines))


def _bytes(folder: Path, file: str) -> bytes:
    path = folder / file
    try:
        if not path.is_file():
            raise BooksRefused(file, f"no such file in {folder}; all six tables are needed")
        if path.stat().st_size > MOST_BYTES:
            raise BooksRefused(file, f"over {MOST_BYTES >> 20} MB; split the books by customer")
        data = path.read_bytes()
    except OSError as error:
        raise BooksRefused(file, f"cannot be read ({error.strerror}); see to its permissions") from error
    return data


def _text(file: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        column = error.start - before.rfind(b"\n")
        what = f"byte 0x{data[error.start]:02X} is not UTF-8; save the file as UTF-8"
        raise BooksRefused(file, what, line=before.count(b"\n") + 1, column=str(column)) from error
    if not text.strip():
        raise BooksRefused(file, "empty; a table has at least its header or one row")
    return text


def _csv(kind: type[R], text: str, known: Known) -> Iterator[tuple[int, R]]:
    records = _records(kind.FILE, text)
    line, header = next(records)
    _check_header(kind, line, header)
    for line, cells in records:
        if len(cells) != len(header):
            what = f"{len(cells)} cells where the header has {len(header)}; quote cells that hold a comma"
            raise BooksRefused(kind.FILE, what, line=line)
        try:
            yield line, kind.model_validate(dict(zip(header, cells, strict=True)), context=known)
        except ValidationError as error:
            raise of_row(kind.FILE, line, error) from error


def _records(file: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Records with the line each begins on; a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            what = f'not CSV ({error}); put cells with quotation marks into "..." and double the marks inside'
            raise BooksRefused(file, what, line=line) from error
        if cells is None:
            return
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _check_header(kind: type[Row], line: int, header: list[str]) -> None:
    known = {field.alias or name: field.is_required() for name, field in kind.model_fields.items()}
    for name, required in known.items():
        if required and name not in header:
            raise BooksRefused(kind.FILE, "column missing; add it to the header", line=line, column=name)
    for name in header:
        if name not in known:
            what = f"no such column; take it off (there are: {', '.join(known)})"
            raise BooksRefused(kind.FILE, what, line=line, column=short(name)[1:-1])
        if header.count(name) > 1:
            raise BooksRefused(kind.FILE, "column stands twice; take one off", line=line, column=name)


def _jsonl(kind: type[R], text: str, known: Known) -> Iterator[tuple[int, R]]:
    for line, written in enumerate(text.split("\n"), start=1):
        if not written.strip():
            continue
        try:
            yield line, kind.model_validate_json(written, context=known)
        except ValidationError as error:
            raise of_row(kind.FILE, line, error) from error
