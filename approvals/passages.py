"""The customer's words with the passages marked that a proposal's values follow from, for its pages. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals import anchors, wording
from approvals.taint import Taint
from portal.systems.records import Ticket

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message. One that values follow from has the `anchor` of the page and says where they went.

    `cited` are the anchors of citations that quote it, or a part of it.
    """

    text: str
    anchor: str = ""
    into: str = ""
    proposal: int = 0
    away: bool = False
    cited: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """What stands beside a value: the words, and the anchor of the passage it comes from."""

    words: str
    anchor: str
    quote: str
    away: bool


@dataclass(frozen=True, slots=True)
class Came:
    """Notes by field of the change, and the messages by number with their passages marked; 0 is the subject line."""

    notes: Mapping[str, tuple[Note, ...]]
    messages: Mapping[int, tuple[Part, ...]]


@dataclass(frozen=True, slots=True)
class _Mark:
    proposal: int
    taint: Taint


@dataclass(frozen=True, slots=True)
class _Place:
    """A stretch of a text: a value's passage, or what a citation quotes."""

    start: int
    end: int
    mark: _Mark | None = None
    cited: str = ""


def of(
    taints: Mapping[int, Sequence[Mapping[str, Any]]], ticket: Ticket | None, cited: Mapping[str, str] = NOTHING
) -> Came:
    """Notes and marked messages for the taints that revisions keep, by the number of their proposal. What is `cited`,
    by anchor, is marked where it stands first.

    A passage that is not there to the letter any more is left out: the page shows what stands in the books.
    """
    if ticket is None:
        return Came({}, {})
    texts = anchors.texts(ticket)
    marks = [
        _Mark(number, one)
        for number, ones in taints.items()
        for one in map(Taint.of_json, ones)
        if texts.get(one.seq, "")[one.start : one.end] == one.quote != ""
    ]
    quotes = _quotes(cited, texts)
    where: dict[int, str] = {}
    messages: dict[int, tuple[Part, ...]] = {}
    for seq in texts:
        places = [_Place(mark.taint.start, mark.taint.end, mark) for mark in marks if mark.taint.seq == seq]
        groups = list(_groups([*places, *quotes.get(seq, ())]))
        for at, group in enumerate(groups):
            where |= {id(place.mark): f"passage-{seq}-{at}" for place in group if place.mark}
        messages[seq] = tuple(_parts(texts[seq], groups, seq))
    notes: dict[str, tuple[Note, ...]] = {}
    for mark in marks:
        note = Note(_words(mark.taint), where[id(mark)], mark.taint.quote, mark.taint.leads_away)
        notes[mark.taint.field] = (*notes.get(mark.taint.field, ()), note)
    return Came(notes, messages)


def _quotes(cited: Mapping[str, str], texts: Mapping[int, str]) -> dict[int, list[_Place]]:
    """Quotes by the text they stand in; the same words twice are one place."""
    found: dict[int, list[_Place]] = {}
    for anchor, quote in cited.items():
        seq = next((seq for seq in texts if quote in texts[seq]), None) if quote.strip() else None
        if seq is not None:
            start = texts[seq].index(quote)
            found.setdefault(seq, []).append(_Place(start, start + len(quote), cited=anchor))
    return found


def _words(taint: Taint) -> str:
    subject, message = pgettext("out of", "the subject line"), pgettext("out of", "the customer's message")
    told = {"field": wording.field(taint.field), "where": subject if taint.seq == 0 else message}
    if taint.field != "body":
        return (_("%(field)s: named in %(where)s too") if taint.on_record else _("From %(where)s")) % told
    count = len(taint.value.split())
    words = _("%(count)s words") % {"count": count} if taint.kind == "text" else _("“%(name)s”") % {"name": taint.value}
    named = _("%(what)s from %(where)s, and on record") if taint.on_record else _("%(what)s from %(where)s")
    return named % {**told, "what": words}


def _groups(places: Sequence[_Place]) -> Iterator[list[_Place]]:
    """Passages that overlap are one."""
    group: list[_Place] = []
    end = -1
    for place in sorted(places, key=lambda place: (place.start, -place.end)):
        if group and place.start >= end:
            yield group
            group, end = [], -1
        group.append(place)
        end = max(end, place.end)
    if group:
        yield group


def _parts(text: str, groups: Sequence[Sequence[_Place]], seq: int) -> Iterator[Part]:
    end = 0
    for at, group in enumerate(groups):
        start, stop = min(place.start for place in group), max(place.end for place in group)
        if start > end:
            yield Part(text[end:start])
        marks = [place.mark for place in group if place.mark]
        fields = wording.fields(dict.fromkeys(mark.taint.field for mark in marks)) if marks else ""
        yield Part(
            text[start:stop], f"passage-{seq}-{at}", fields, marks[0].proposal if marks else 0,
            any(mark.taint.leads_away for mark in marks), tuple(place.cited for place in group if place.cited),
        )  # fmt: skip
        end = stop
    if end < len(text):
        yield Part(text[end:])
