"""Words and marks are pure: same in, same out, nothing of a text lost."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import marks, searching, wording


def joined(pieces: tuple[marks.Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


@given(st.text(max_size=200), st.text(max_size=200))
def test_marks_lose_no_character_of_either_side(before: str, after: str) -> None:
    left, right = marks.compare(before, after)
    assert (joined(left), joined(right)) == (before, after)
    assert {piece.mark for piece in left} <= {"same", "gone"}
    assert {piece.mark for piece in right} <= {"same", "new"}


def test_only_the_words_that_changed_are_marked() -> None:
    left, right = marks.compare("12 Long Street", "14 Long Street")
    assert [p.text for p in left if p.mark == "gone"] == ["12"]
    assert [p.text for p in right if p.mark == "new"] == ["14"]


def test_a_long_text_of_few_words_is_compared_at_once() -> None:
    left, right = marks.compare("a " * 5_000, "a b " * 2_500)
    assert len(joined(left)) == len(joined(right)) == 10_000


@pytest.mark.parametrize("char", ["\u200b", "\u202e", "\ufeff", "\u2066", "\x07", "\u00ad"])
def test_an_unseen_character_is_spelled_out_and_warned_of(char: str) -> None:
    (before, hidden, after) = marks.spell(f"pay{char}pal")
    assert hidden.code.startswith(f"U+{ord(char):04X} ")
    assert (before.text, hidden.text, after.text) == ("pay", char, "pal")
    assert "unseen" in marks.warnings([f"pay{char}pal"])[0].label


def test_look_alike_letters_are_warned_of_and_plain_ones_are_not() -> None:
    assert [w.label for w in marks.warnings(["p\u0430ypal"])] == ["look-alike letters"]
    assert marks.warnings(["Größe, Ærø, Привет, Ελλάδα", "ordinary\ttext\n"]) == ()
    assert unicodedata.name("\u0430").startswith("CYRILLIC")


def test_every_flag_and_field_has_words() -> None:
    assert wording.flag("locked:phone")[0] == "locked field: phone"
    assert wording.flag("made_up")[0] == "made up"
    assert wording.field("full_name") == "Name"
    assert wording.amount(4_510, "EUR") == "45.10 EUR"
    assert wording.amount(4_510, "XXX") == "4510 minor units of XXX"
    assert wording.actor("agent:refunds", {}) == "Refunds agent"


def test_the_search_box_reads_operators_and_tells_what_it_cannot_read() -> None:
    search = searching.parse("agent:refunds tier:high order:#W12")
    assert search.columns == {"proposer": "agent:refunds", "tier": "high", "target": "order:#W12"}
    assert searching.parse("W12").targets[-1] == "order:#W12"
    assert "colour:red" in searching.parse("colour:red").fault
    assert "tier:huge" in searching.parse("tier:huge").fault


def test_an_address_round_trips_and_nonsense_falls_back() -> None:
    filters = searching.read({"state": "stale", "tier": "low", "mine": "1"})
    assert filters.query == "state=stale&tier=low&mine=1"
    assert searching.read({"state": "nonsense", "tier": "x"}) == searching.Filters()
    assert searching.read({"q": "order:#W1"}).state == "any"


def test_a_contact_is_read_like_a_card_whatever_the_order_it_is_kept_in() -> None:
    kept = {"city": "Bonn", "notes": "", "email": "c@example.org", "full_name": "Cleo"}
    assert [name for name, _ in wording.in_order(kept)] == ["full_name", "email", "city", "notes"]
