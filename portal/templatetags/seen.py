"""`spelled`: a text as it stands, with what nobody would see spelled out. For any text that comes from outside."""

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from portal import retold, unseen

register = template.Library()


@register.filter
def spelled(text: object) -> SafeString:
    """Markup: each run of unseen characters as a mark with its code point, and its name as a tooltip.

    A copy of the text holds neither the mark nor the character (`user-select`).
    """
    stretches = unseen.part("" if text is None else str(text))
    return format_html_join("", "{}", ((mark(one),) if one.code else (one.text,) for one in stretches))


@register.filter
def in_codes(text: object) -> str:
    """The same where no markup may stand, as in a page's title: `[U+202E]`."""
    return "".join(f"[{retold.say(one.label)}]" if one.code else one.text for one in unseen.part(str(text)))


def mark(one: unseen.Stretch) -> SafeString:
    """The mark itself."""
    return format_html('<span class="unseen" title="{}">{}</span>', retold.say(one.code), retold.say(one.label))
