"""What a person reads: the texts of a report's JSON, and whether its page shows every one of them."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

from portal.templatetags.seen import spelled

# Names for programs; addresses and roots stand behind links and in the files.
FOR_PROGRAMS = ("schema", "href", "actor", "action", "name", "root", "kind", "source")


def missing(told: Any, page: str) -> list[str]:
    """Texts of a report that its page does not show; what nobody would see stands there spelled out."""
    shown = words(page)
    return [one for one in strings(told) if one and words(str(spelled(one))) not in shown]


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def strings(value: Any) -> Iterator[str]:
    """Every text in a report that a person reads."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in FOR_PROGRAMS:
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        yield value
