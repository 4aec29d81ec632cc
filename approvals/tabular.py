"""Lines of a file that somebody takes along: CSV whose cells no spreadsheet takes for formulas, and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable

FORMS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
# What a spreadsheet takes for a formula at the beginning of a cell, in both widths (OWASP, CSV injection).
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def row(cells: Iterable[object]) -> bytes:
    """One line of CSV (RFC 4180), each cell quoted; what might be a formula is marked as text."""
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_safe(str(cell)) for cell in cells])
    return out.getvalue().encode()


def compact(value: object) -> str:
    """A value as JSON without spaces, its names in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
