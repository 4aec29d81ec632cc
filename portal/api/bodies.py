"""Reads a JSON body strictly: bounded in bytes and depth, no floats, no doubled keys, storable text."""

import json
import re
from typing import Any, NoReturn

from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser

from portal.api.problems import UNPROCESSABLE, Refused, unfit

LARGEST_BYTES = 2 * 1024 * 1024
DEEPEST = 20
# The largest whole number every JSON reader keeps exactly (RFC 8259, 6).
LARGEST_NUMBER = 2**53 - 1
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class StrictJSON(BaseParser):
    """The only body the API takes."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The JSON value of the body.

        Raises:
            Refused: 413 when it is too large, 422 naming what is off.
        """
        request = (parser_context or {}).get("request")
        announced = request.META.get("CONTENT_LENGTH") if request is not None else None
        if announced and announced.isdigit() and len(announced) < 12 and int(announced) <= LARGEST_BYTES:
            return read(stream.read(LARGEST_BYTES + 1))
        if announced:
            raise _too_large()
        return read(stream.read(LARGEST_BYTES + 1))


def read(data: bytes) -> Any:
    """The value of JSON bytes; raises as `StrictJSON.parse` does."""
    if len(data) > LARGEST_BYTES:
        raise _too_large()
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=_object, parse_float=_refuse_float, parse_int=_whole,
            parse_constant=_refuse_float,
        )  # fmt: skip
    except UnicodeDecodeError as error:
        raise unfit("body: is not UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise unfit(f"body: is not JSON ({error})") from error
    check(value)
    return value


def check(value: Any, path: str = "", depth: int = 1) -> None:
    """Refuse what PostgreSQL or the log cannot hold, wherever it stands in the value."""
    if depth > DEEPEST:
        raise _too_deep()
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise Refused(UNPROCESSABLE, "holds a NUL or half a character", path or "body")
    elif isinstance(value, dict):
        for name, inner in value.items():
            check(name, "body", depth)
            check(inner, f"{path}.{name}"[:200].lstrip("."), depth + 1)
    elif isinstance(value, list):
        for inner in value:
            check(inner, path, depth + 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise unfit("body: names a key twice")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > LARGEST_NUMBER:
        raise unfit("body: holds a number beyond 2**53 - 1")
    return int(digits)


def _refuse_float(text: str) -> NoReturn:
    raise unfit(f"body: holds {text[:20]}, which is not whole; amounts are whole minor units")


def _too_large() -> exceptions.APIException:
    return Refused(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, f"A body holds at most {LARGEST_BYTES} bytes.", "body")


def _too_deep() -> exceptions.APIException:
    return unfit(f"body: is nested deeper than {DEEPEST}")
