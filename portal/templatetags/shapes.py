"""JSON schemas in words, for the page of the API: a form is a link, a list says of what."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def shape(schema: Mapping[str, Any]) -> SafeString:
    """'integer', 'list of Step' with a link to the form, 'string or null', the values where they are named."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return format_html('<a href="#form-{}">{}</a>', name, name)
    for kind in ("anyOf", "oneOf", "allOf"):
        if kind in schema:
            return format_html_join(" or ", "{}", ((shape(one),) for one in schema[kind]))
    if "enum" in schema:
        return format_html("one of {}", ", ".join(str(value) for value in schema["enum"]))
    if "const" in schema:
        return format_html("{}", str(schema["const"]))
    if schema.get("type") == "array":
        return format_html("list of {}", shape(schema.get("items", {})))
    if isinstance(of := schema.get("additionalProperties"), Mapping):
        return format_html("map of {}", shape(of))
    return format_html("{}", schema.get("format") or schema.get("type") or "anything")
