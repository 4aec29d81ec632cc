"""Reads a JSONL file of lines for intake, whole or not at all. Every fault is named by line and field."""

import json
from collections.abc import Iterator
from pathlib import Path

from agents.lines import Line, LineError, check

# A line may hold the longest text with every character escaped (12 bytes for one beyond the basic plane).
LONGEST_LINE = 2 * 1024 * 1024


class FileRefused(ValueError):
    """The file, or a line of it, is not of the form; nothing of it was taken in."""


def read(path: Path, form: type[Line]) -> list[dict[str, object]]:
    """The lines of the file, each checked against `form`; empty ones are passed over.

    Raises:
        FileRefused: naming the file, and the line where there is one.
    """
    try:
        with path.open("rb") as file:
            return [_parse(raw, form, f"{path.name} line {at}") for at, raw in _lines(file, path.name)]
    except OSError as error:
        raise FileRefused(f"{path}: {error.strerror or error}") from error


def _lines(file: Iterator[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    for at, raw in enumerate(file, 1):
        if len(raw) > LONGEST_LINE:
            raise FileRefused(f"{name} line {at}: longer than {LONGEST_LINE} bytes")
        if raw.strip():
            yield at, raw


def _parse(raw: bytes, form: type[Line], where: str) -> dict[str, object]:
    try:
        line = json.loads(raw.decode("utf-8"))
        return check(form, line).model_dump()
    except UnicodeDecodeError as error:
        raise FileRefused(f"{where}: not UTF-8") from error
    except LineError as error:
        raise FileRefused(f"{where}: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FileRefused(f"{where}: not a JSON object: {str(error)[:100]}") from error
