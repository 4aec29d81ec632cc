"""The customer's words with the passages marked that a proposal's values follow from, for its pages. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from approvals import wording
from approvals.taint import Taint
from portal.systems.records import Ticket


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message. One that values follow from has the `anchor` of the page and says where they went."""

    text: str
    anchor: str = ""
    into: str = ""
    proposal: int = 0
    away: bool = False


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


def of(taints: Mapping[int, Sequence[Mapping[str, Any]]], ticket: Ticket | None) -> Came:
    """Notes and marked messages for the taints that revisions keep, by the number of their proposal.

    A passage that is not there to the letter any more is left out: the page shows what stands in the books.
    """
    if ticket is None:
        return Came({}, {})
    texts = {0: ticket.subject, **{message.seq: message.body for message in ticket.messages}}
    marks = [
        _Mark(number, one)
        for number, ones in taints.items()
        for one in map(Taint.of_json, ones)
        if texts.get(one.seq, "")[one.start : one.end] == one.quote != ""
    ]
    anchors: dict[int, str] = {}
    messages: dict[int, tuple[Part, ...]] = {}
    for seq in texts:
        groups = list(_groups([mark for mark in marks if mark.taint.seq == seq]))
        for at, group in enumerate(groups):
            anchors |= {id(mark): f"passage-{seq}-{at}" for mark in group}
        messages[seq] = tuple(_parts(texts[seq], groups, seq))
    notes: dict[str, tuple[Note, ...]] = {}
    for mark in marks:
        note = Note(_words(mark.taint), anchors[id(mark)], mark.taint.quote, mark.taint.leads_away)
        notes[mark.taint.field] = (*notes.get(mark.taint.field, ()), note)
    return Came(notes, messages)


def _words(taint: Taint) -> str:
    subject, message = pgettext("out of", "the subject line"), pgettext("out of", "the customer's message")
    told = {"field": wording.field(taint.field), "where": subject if taint.seq == 0 else message}
    if taint.field != "body":
        return (_("%(field)s: named in %(where)s too") if taint.on_record else _("From %(where)s")) % told
    count = len(taint.value.split())
    words = _("%(count)s words") % {"count": count} if taint.kind == "text" else _("“%(name)s”") % {"name": taint.value}
    named = _("%(what)s from %(where)s, and on record") if taint.on_record else _("%(what)s from %(where)s")
    return named % {**told, "what": words}


def _groups(marks: Sequence[_Mark]) -> Iterator[list[_Mark]]:
    """Passages that overlap are one."""
    group: list[_Mark] = []
    end = -1
    for mark in sorted(marks, key=lambda mark: (mark.taint.start, -mark.taint.end)):
        if group and mark.taint.start >= end:
            yield group
            group, end = [], -1
        group.append(mark)
        end = max(end, mark.taint.end)
    if group:
        yield group


def _parts(text: str, groups: Sequence[Sequence[_Mark]], seq: int) -> Iterator[Part]:
    end = 0
    for at, group in enumerate(groups):
        start, stop = min(m.taint.start for m in group), max(m.taint.end for m in group)
        if start > end:
            yield Part(text[end:start])
        fields = wording.fields(dict.fromkeys(mark.taint.field for mark in group))
        yield Part(
            text[start:stop], f"passage-{seq}-{at}", fields, group[0].proposal,
            any(mark.taint.leads_away for mark in group),
        )  # fmt: skip
        end = stop
    if end < len(text):
        yield Part(text[end:])
