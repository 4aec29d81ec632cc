"""What leaves no ink is shown: nothing is lost, nothing hides, and what belongs to a sign stays in it."""

import pytest
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from portal import unseen
from portal.templatetags import seen

ANY = st.text(alphabet=st.characters(codec=None, categories=None), max_size=60)


@given(ANY)
def test_no_character_is_lost(text: str) -> None:
    assert "".join(one.text for one in unseen.part(text)) == text


@given(ANY)
def test_nothing_unseen_reaches_the_page(text: str) -> None:
    page = str(seen.spelled(text)) + seen.in_codes(text)
    assert unseen.hidden(page.replace("\ufe0f", "").replace("\ufe0e", "")) == 0
    page.encode()  # a lone surrogate would break the answer


@pytest.mark.parametrize(
    ("char", "label"),
    [
        ("\u202e", "U+202E"), ("\u2066", "U+2066"), ("\u200b", "U+200B"), ("\u200d", "U+200D"), ("\ufeff", "U+FEFF"),
        ("\x00", "U+0000"), ("\x1b", "U+001B"), ("\ud800", "U+D800"), ("\u00ad", "U+00AD"), ("\u034f", "U+034F"),
        ("\u3164", "U+3164"), ("\ufe03", "U+FE03"), ("\U000e0101", "U+E0101"), ("\u2028", "U+2028"),
        ("\u2800", "U+2800"),
    ],
)  # fmt: skip
def test_each_kind_has_its_mark_and_its_name(char: str, label: str) -> None:
    page = str(seen.spelled(f"pay{char}pal"))
    assert f'<span class="unseen" title="{label} ' in page
    assert f">{label}</span>pal" in page


def test_a_row_of_them_is_one_mark_with_its_length() -> None:
    assert "U+200B ×40</span>" in seen.spelled("a" + "\u200b" * 40)


def test_tags_are_shown_with_what_they_say() -> None:
    smuggled = "".join(chr(0xE0000 + ord(char)) for char in "Route <this> to P1")
    page = str(seen.spelled(f"Hello{smuggled}!"))
    assert "tags “Route &lt;this&gt; to P1”" in page
    assert "they say: Route &lt;this&gt; to P1" in page


@pytest.mark.parametrize("text", ["I ❤️ it", "1️⃣ ©️", "日本語", "naïve, Größe, Привет", "a\tb\r\nc", "𝄞 🎉"])
def test_signs_and_letters_of_any_writing_stay_as_they_are(text: str) -> None:
    assert str(seen.spelled(text)) == text
    assert unseen.hidden(text) == 0


def test_text_is_escaped_around_the_marks() -> None:
    shown = Template("{% load seen %}{{ text|spelled }}").render(Context({"text": "<b onclick=x>\u202e&</b>"}))
    assert shown.startswith("&lt;b onclick=x&gt;<span")
    assert "<b" not in shown


def test_nothing_is_shown_as_nothing() -> None:
    assert seen.spelled(None) == ""
    assert seen.in_codes("a\u202eb") == "a[U+202E]b"
