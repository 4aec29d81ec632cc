"""`{% remember "part.html" name=user.name %}{% block nav_queue %}{% endblock %}|…{% endremember %}`: a part of a page,
kept by everything it says: the same values, language, number format and address give the same markup.

What stands between the tags is made anew each time and given to the part as `marks`, split at `|`; forms in it get the
token of the page. Most of a page's head is the same from one look to the next, and making it is not free.
"""

from functools import lru_cache
from typing import Any

from django import template
from django.template import Context
from django.template.base import FilterExpression, NodeList, Parser, Token, token_kwargs
from django.template.loader import render_to_string
from django.urls import get_script_prefix, get_urlconf
from django.utils.safestring import SafeString

from portal import figures

register = template.Library()
KEPT = 4_096
# Stands for the token of whoever looks; nobody can write it into a page, since what is written there is escaped.
TOKEN = "<the token of this page>"  # nosec B105  # a place, no secret


class Remembering(template.Node):
    """See the module."""

    def __init__(self, name: str, given: dict[str, FilterExpression], marks: NodeList) -> None:
        self.name, self.given, self.nodelist = name, given, marks

    def render(self, context: Context) -> SafeString:
        """The part, with this page's token."""
        given = tuple((name, value.resolve(context)) for name, value in self.given.items())
        # Markup of templates, cut; the token is Django's; in the part everything given is escaped as in any template.
        marks = tuple(SafeString(mark) for mark in self.nodelist.render(context).split("|"))  # nosec B703
        made = _made(self.name, given, marks, get_script_prefix(), get_urlconf(), figures.manner())
        return SafeString(made.replace(TOKEN, str(context.get("csrf_token") or "")))  # nosec B703


@register.tag
def remember(parser: Parser, token: Token) -> Remembering:
    """Read the tag.

    Raises:
        django.template.TemplateSyntaxError: no name of a template.
    """
    _tag, name, *rest = token.split_contents()
    if name[0] not in "\"'":
        raise template.TemplateSyntaxError("remember takes the name of a template in quotes")
    given = token_kwargs(rest, parser)
    marks = parser.parse(("endremember",))
    parser.delete_first_token()
    return Remembering(name[1:-1], given, marks)


@lru_cache(maxsize=KEPT)
def _made(
    name: str,
    given: tuple[tuple[str, Any], ...],
    marks: tuple[str, ...],
    _prefix: str,
    _urls: str | None,
    _manner: str,
) -> str:
    return render_to_string(name, {**dict(given), "marks": marks, "csrf_token": SafeString(TOKEN)})  # nosec B703
