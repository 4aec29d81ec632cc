"""Gaps of reusable texts: filled once, by what is known, and seen where they are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import gaps

KNOWN = {"first_name": "Cleo", "order": "#W1", "ticket": "T-7"}


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        ("Dear {first_name},", KNOWN, "Dear Cleo,"),
        ("{order} of {ticket}, {order}", KNOWN, "#W1 of T-7, #W1"),
        ("Your {order}", {}, "Your {order}"),
        ("Your {order}", {"order": "  "}, "Your {order}"),
        ("{card} {0} {} {first_name!r} {{order}}", KNOWN, "{card} {0} {} {first_name!r} {#W1}"),
        ("Dear {first_name}", {"first_name": "{order}\n<b>"}, "Dear {order} <b>"),
        ("%(order)s and {ORDER}", KNOWN, "%(order)s and {ORDER}"),
    ],
)
def test_known_gaps_are_filled_and_all_else_stays(text: str, values: dict[str, str], filled: str) -> None:
    assert gaps.fill(text, values) == filled


def test_what_is_unknown_and_what_is_left_is_named_once_in_order() -> None:
    text = "{order} {card} {first_name} {order} {secret_key} {card}"
    assert gaps.left(text) == ["{order}", "{first_name}"]
    assert gaps.unknown(text) == ["{card}", "{secret_key}"]


@pytest.mark.parametrize(("written", "whole"), [("", "Text"), (" \n", "Text"), ("Dear Cleo,\n", "Dear Cleo,\n\nText")])
def test_a_text_is_put_behind_what_was_written(written: str, whole: str) -> None:
    assert gaps.behind(written, "Text") == whole


@given(st.text(), st.dictionaries(st.sampled_from(gaps.NAMES), st.text()))
def test_any_text_is_filled_without_losing_what_is_no_gap(text: str, values: dict[str, str]) -> None:
    filled = gaps.fill(text, values)
    if not gaps.left(text):
        assert filled == text
    assert gaps.left(gaps.fill(text, dict.fromkeys(gaps.NAMES, "x"))) == []


@given(st.text(), st.text(min_size=1))
def test_nothing_that_was_written_is_lost(written: str, text: str) -> None:
    whole = gaps.behind(written, text)
    assert whole.startswith(written.rstrip())
    assert whole.endswith(text)
