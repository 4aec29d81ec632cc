"""`{% calls note %}`: a colleague's words, with who is called in them marked; and how to call somebody."""

from collections.abc import Mapping

from django import template
from django.template import Context
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from approvals import calling, mentions
from portal.templatetags.seen import spelled

register = template.Library()


@register.simple_tag(takes_context=True)
def calls(context: Context, text: object) -> SafeString:
    """Escaped and spelled out as every text; names of colleagues here in <strong>. Asks nobody where none is named."""
    words = "" if text is None else str(text)
    if not mentions.named(words):
        return spelled(words)
    parts = mentions.pieces(words, _known(context))
    return format_html_join("", "{}", ((_markup(part),) for part in parts))


def _markup(part: mentions.Piece) -> SafeString:
    return format_html("<strong>{}</strong>", spelled(part.text)) if part.called else spelled(part.text)


def _known(context: Context) -> Mapping[str, int]:
    """Read once for a page."""
    request = context["request"]
    if not hasattr(request, "colleagues"):
        request.colleagues = calling.known(request.workspace.pk)
    read: Mapping[str, int] = request.colleagues
    return read
