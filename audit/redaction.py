"""Takes personal data and secrets out of a text, and puts them back into what was answered to it. Pure.

Each value becomes a typed placeholder (`[EMAIL_1]`) that stays the same through a run. Refuses an answer that
names a placeholder nobody gave out: no value stands behind it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from re import Match

from audit.recognisers import PLACEHOLDER, Known, find

Namer = Callable[[str, str], str]


class RedactionError(ValueError):
    """Base of what redaction refuses."""


class InventedPlaceholder(RedactionError):
    """The answer names a placeholder that was not given out; the message says which."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text without what was recognised; `mapping` has the value of every placeholder of the run so far."""

    text: str
    mapping: Mapping[str, str] = field(default_factory=dict)


def redact(
    text: str, known: Sequence[Known] = (), so_far: Mapping[str, str] | None = None, keep: Collection[str] = ()
) -> Redacted:
    """The text with placeholders for what is recognised in it, and for the `known` values of the record at hand.

    `so_far` is the mapping of what was redacted before in this run: the same value has the same placeholder again.
    `keep` are kinds that stay as they are. What looks like a placeholder and is the writer's own becomes `[TEXT_1]`,
    so that nobody names a value by writing its placeholder.
    """
    mapping = dict(so_far or {})
    given = {(kind_of(placeholder), value): placeholder for placeholder, value in mapping.items()}

    def name(kind: str, value: str) -> str:
        if (kind, value) not in given:
            placeholder = f"[{kind}_{sum(other == kind for other, _ in given) + 1}]"
            given[kind, value] = placeholder
            mapping[placeholder] = value
        return given[kind, value]

    return Redacted(_replace(text, known, keep, name), mapping)


def restore(text: str, mapping: Mapping[str, str]) -> str:
    """The text with each placeholder's value in its place, to the letter; values are not read again.

    Raises:
        InventedPlaceholder.
    """

    def value_of(found: Match[str]) -> str:
        if found.group() not in mapping:
            raise InventedPlaceholder(f"the answer names {found.group()}, which stands for nothing")
        return mapping[found.group()]

    return PLACEHOLDER.sub(value_of, text)


def scrub(text: str, known: Sequence[Known] = ()) -> str:
    """The text with `[EMAIL]` and the like for good: for logs and transcripts. Placeholders stay as they are."""
    parts, end = [], 0
    for found in PLACEHOLDER.finditer(text):
        parts += [_replace(text[end : found.start()], known, (), _blank), found.group()]
        end = found.end()
    return "".join([*parts, _replace(text[end:], known, (), _blank)])


def kind_of(placeholder: str) -> str:
    """`EMAIL` of `[EMAIL_1]`."""
    return placeholder[1:-1].rpartition("_")[0]


def _replace(text: str, known: Sequence[Known], keep: Collection[str], name: Namer) -> str:
    """Again between what was found, until nothing is: one find may have stood in the way of another."""
    spans = [span for span in find(text, known) if span.kind not in keep]
    if not spans:
        return text
    parts, end = [], 0
    for span in spans:
        parts += [_replace(text[end : span.start], known, keep, name), name(span.kind, text[span.start : span.end])]
        end = span.end
    return "".join([*parts, _replace(text[end:], known, keep, name)])


def _blank(kind: str, _value: str) -> str:
    return f"[{kind}]"
