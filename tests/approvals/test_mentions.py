"""Who is called in a note: by the part of an address before its @ where one is meant, by the whole address always."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import mentions

PEOPLE = [(1, "rosa@kestrel.example"), (2, "ravi@kestrel.example"), (3, "mara.voss@kestrel.example"),
          (4, "Ada@kestrel.example"), (5, "ada@northlight.example"), (6, "o_n-e+x@kestrel.example")]  # fmt: skip
KNOWN = mentions.handles(PEOPLE)


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("@ravi", [2]),
        ("Look, @ravi: please", [2]),
        ("(@ravi), @Rosa! @RAVI.", [2, 1]),
        ("Ask @mara.voss.", [3]),
        ("@mara.voss-", [3]),
        ("@mara", []),
        ("@nobody here, @ ravi", []),
        ("write to ravi@kestrel.example", []),
        ("me@ravi x.@ravi", []),
        ("@@ravi", []),
        ("@ravi@kestrel.example, now", [2]),
        ("@ravi@elsewhere.example", []),
        ("@ravi@", []),
        ("@ada", []),  # two are called so
        ("@ada@northlight.example and @ada@kestrel.example", [5, 4]),
        ("@o_n-e+x", [6]),
        ("/@ravi\n@rosa", [2, 1]),
        ("", []),
    ],
)
def test_whom_a_text_calls(text: str, people: list[int]) -> None:
    assert mentions.called(text, KNOWN) == people


def test_at_most_ten_are_called_and_only_they_are_marked() -> None:
    known = mentions.handles((number, f"p{number}@kestrel.example") for number in range(12))
    text = " ".join(f"@p{number}" for number in range(12)) + " @p0"
    assert mentions.called(text, known) == list(range(10))
    marked = [piece.text for piece in mentions.pieces(text, known) if piece.called]
    assert marked == [f"@p{number}" for number in range(10)] + ["@p0"]


def test_marked_is_the_name_and_nothing_beside_it() -> None:
    assert [(piece.text, piece.called) for piece in mentions.pieces("Hi @ravi, @who.", KNOWN)] == [
        ("Hi ", False), ("@ravi", True), (", @who.", False),
    ]  # fmt: skip


SPOKEN = st.lists(
    st.one_of(st.text(max_size=5), st.sampled_from(["@ravi", "@ROSA", "@ada", "@", " ", ".", "@mara.voss", "é"]))
).map("".join)


@given(SPOKEN)
def test_nothing_of_a_text_is_lost_and_what_is_marked_is_who_is_called(text: str) -> None:
    pieces = list(mentions.pieces(text, KNOWN))
    assert "".join(piece.text for piece in pieces) == text
    marked = {KNOWN[piece.text[1:].casefold()] for piece in pieces if piece.called}
    assert marked == set(mentions.called(text, KNOWN))
    assert all(piece.text for piece in pieces)


@given(SPOKEN)
def test_without_an_at_nobody_is_called(text: str) -> None:
    assert mentions.named(text.replace("@", "")) == []


@given(st.text())
def test_where_nobody_is_known_nothing_is_marked(text: str) -> None:
    assert [piece.called for piece in mentions.pieces(text, {})] in ([False], [])
