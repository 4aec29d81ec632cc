"""How a broken table is refused: one line with the place and the way out."""

import re
from typing import Any

from pydantic import ValidationError

# Pydantic's error types in our words; `{value}` is what stands there, the rest is the error's context.
_WORDS = {
    "missing": "is missing; add it",
    "extra_forbidden": "is not known; take it off",
    "string_too_long": "{length} characters where at most {max_length} fit; shorten it",
    "string_too_short": "is empty; fill it in",
    "string_type": "{value} is not text; put it in quotation marks",
    "string_unicode": "holds half a character (a lone surrogate); write the whole character",
    "json_invalid": "not JSON ({error}); write an object like {{\"name\": \"value\"}}",
    "dict_type": "{value} is not an object; write one like {{\"name\": \"value\"}}",
    "model_type": "{value} is not an object; write one object a line",
    "literal_error": "{value} is none of {expected}; write one of them",
}  # fmt: skip
_PLACE_IN_JSON = re.compile(r" at line 1 column (\d+)$")


class BooksRefused(Exception):
    """The only error of an import; its text is `file:line:column: what; way out`."""

    def __init__(self, file: str, what: str, *, line: int = 0, column: str = "") -> None:
        place = [file, *([str(line)] if line else []), *([column] if column else [])]
        super().__init__(f"{':'.join(place)}: {what}")


def of_row(file: str, line: int, error: ValidationError) -> BooksRefused:
    """The first thing wrong with a row; `column` is its field, or the character where broken JSON breaks."""
    first = error.errors(include_url=False)[0]
    context: dict[str, Any] = dict(first.get("ctx", {}))
    column = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "json_invalid" and (found := _PLACE_IN_JSON.search(str(context["error"]))):
        context["error"] = str(context["error"])[: found.start()] + ("" if not column else f" at {found[1]}")
        column = column or found[1]
    if first["type"] == "value_error":
        return BooksRefused(file, str(context["error"]), line=line, column=column)
    if isinstance(first["input"], str):
        context["length"] = len(first["input"])
    words = _WORDS.get(first["type"], "{message}")
    what = words.format(value=short(first["input"]), message=first["msg"], **context)
    return BooksRefused(file, what, line=line, column=column)


def short(value: object) -> str:
    """A value as one short line for people."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
