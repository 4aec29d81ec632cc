"""Schemas in words, on the page of the API."""

import pytest

from portal.templatetags.shapes import shape

STEP = '<a href="#form-Step">Step</a>'


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer"}, "integer"),
        ({"type": "string", "format": "date-time"}, "date-time"),
        ({"$ref": "#/components/schemas/Step"}, STEP),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Step"}}, f"list of {STEP}"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"enum": ["low", "high"]}, "one of low, high"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "map of string"),
        ({"const": "<b>"}, "&lt;b&gt;"),
        ({}, "anything"),
    ],
)
def test_a_schema_is_read_as_words(schema: dict[str, object], words: str) -> None:
    assert shape(schema) == words
