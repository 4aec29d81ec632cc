"""Marked text and words for the templates of the review desk."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from approvals import anchors, marks, passages, queries, showing, wording
from portal.systems.records import Message
from portal.templatetags import seen
from portal.unseen import Stretch

register = template.Library()

_TAGS = {"gone": "del", "new": "ins"}
register.filter("state_word", wording.state)
register.filter("status_word", wording.status)
register.filter("field_word", wording.field)
register.filter("event_word", wording.event)
register.filter("in_order", wording.in_order)
register.filter("money", wording.amount)
register.filter("answer_word", wording.answer)
register.filter("source_word", wording.source)
register.filter("called", wording.actor)
register.filter("lasted", wording.lasted)
register.filter("shown_value", wording.value)
register.filter("in_brackets", showing.options)
register.filter("method", showing.method)
register.filter("headline", queries.headline)
register.filter("spelled", seen.spelled)
register.filter("slug", anchors.slug)
register.filter("in_codes", seen.in_codes)


@register.filter
def marked(pieces: Iterable[marks.Piece]) -> SafeString:
    """Pieces as markup: what went in <del>, what came in <ins>, unseen characters as their code point."""
    return format_html_join("", "{}", ((_markup(piece),) for piece in pieces))


@register.filter
def folded(pieces: Iterable[marks.Piece]) -> SafeString:
    """The same, with what a change left as it was folded where it stands."""
    return format_html_join("", "{}", ((_folded(one),) for one in marks.fold(tuple(pieces))))


def _folded(one: marks.Piece | marks.Fold) -> SafeString:
    if isinstance(one, marks.Piece):
        return _markup(one)
    words = ngettext("%(count)s unchanged line", "%(count)s unchanged lines", one.lines) % {"count": one.lines}
    return format_html("<details><summary>{}</summary>{}</details>", words, one.text.removesuffix("\n"))


@register.filter
def notes_of(came: passages.Came | str, names: str | Iterable[str]) -> list[passages.Note]:
    """Where the values of these fields come from; nothing on a page that asks of no proposal."""
    wanted = [names] if isinstance(names, str) else names
    return [] if isinstance(came, str) else [note for name in wanted for note in came.notes.get(name, ())]


@register.filter
def parted(came: passages.Came | str, message: Message | str) -> Iterable[passages.Part]:
    """A message, or the subject line, with its marked passages."""
    seq, text = (0, message) if isinstance(message, str) else (message.seq, message.body)
    return (passages.Part(text),) if isinstance(came, str) else came.messages.get(seq, (passages.Part(text),))


def _markup(piece: marks.Piece) -> SafeString:
    inner = format_html("{}", piece.text)
    if piece.code:
        inner = seen.mark(Stretch(piece.text, piece.code, piece.label))
    elif piece.label:
        lines = "\n" * piece.text.count("\n")  # what follows stays on its line
        inner = format_html('<span class="space" title="{}">{}</span>{}', _("space that changed"), piece.label, lines)
    tag = _TAGS.get(piece.mark)
    return format_html("<{}>{}</{}>", tag, inner, tag) if tag else inner
