"""Redaction: what is recognised leaves the text, comes back to the letter, and nobody names a value by its mark."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audit import recognisers, redaction
from audit.recognisers import PLACEHOLDER, Known

PLANTED = {
    "SECRET": [
        "sk-proj-abcdEFGH1234567890", "AKIAIOSFODNN7EXAMPLE", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", "xoxb-123456789012-abcdefGHIJ",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY",
    ],
    "EMAIL": ["ana.silva+shop@example.co.uk", "o'brien@example.com", "jürgen@müller.example", "anna (at) ex (dot) org"],
    "IBAN": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "fr14 2004 1010 0505 0001 3m02 606"],
    "CARD": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "PHONE": ["+49 30 901820", "0049 (30) 901820", "(212) 555-0147", "020 7946 0958"],
    "BIRTH_DATE": ["24/12/1979", "3rd of May 1984", "1990-02-28", "May 3, 1984"],
}  # fmt: skip
CASES = [(kind, value) for kind, values in PLANTED.items() for value in values]
KNOWN = (Known("NAME", "José Álvarez"), Known("NAME", "Will"), Known("ADDRESS", "12 Elm Street"), Known("NAME", "x"))


@pytest.mark.parametrize(("kind", "value"), CASES)
def test_a_planted_value_leaves_the_text_as_its_kind(kind: str, value: str) -> None:
    text = f"Hello, this is it: {value}\nplease help me with order #W1234567."
    out = redaction.redact(text)
    assert value not in out.text
    assert out.mapping == {f"[{kind}_1]": value}
    assert out.text == text.replace(value, f"[{kind}_1]")
    assert redaction.restore(out.text, out.mapping) == text


@pytest.mark.parametrize(
    "text",
    [
        "Order #W1234567 of 12.03.2026, items 4107812777 and 8349118980, paid $1,299.00 for 2 lamps.",
        "The code on the box reads GB29NWBK60161331926818, the model is 4111 1111 1111 1112.",
        "I asked at noon. My token of thanks; the secret of good coffee is fresh beans.",
        "ticket T-104 at 14:05, zip 90210, 100 x 200 x 300 mm, version 1.2.3",
    ],
)
def test_what_is_no_personal_value_stays(text: str) -> None:
    assert redaction.redact(text).text == text


def test_a_told_password_is_the_value_and_not_the_sentence() -> None:
    out = redaction.redact("My password is hunter2! and the api key: Zebra-77")
    assert out.text == "My password is [SECRET_1] and the api key: [SECRET_2]"


def test_a_date_is_one_of_birth_where_it_says_so() -> None:
    assert redaction.redact("born on 3/4/15, ordered on 3/4/25").text == "born on [BIRTH_DATE_1], ordered on 3/4/25"


def test_values_of_the_record_leave_with_or_without_their_accents() -> None:
    text = "I am JOSE  ALVAREZ of 12, Elm Street. Will will write; Jose writes too."
    out = redaction.redact(text, KNOWN[:3])
    assert "ALVAREZ" not in out.text
    assert "will write; Jose writes" in out.text
    assert "[NAME_2] will" in out.text
    assert redaction.restore(out.text, out.mapping) == text


def test_the_same_value_has_one_placeholder_through_a_run() -> None:
    first = redaction.redact("a@example.com b@example.com a@example.com")
    assert first.text == "[EMAIL_1] [EMAIL_2] [EMAIL_1]"
    later = redaction.redact("b@example.com c@example.com", so_far=first.mapping)
    assert later.text == "[EMAIL_2] [EMAIL_3]"
    assert redaction.restore("[EMAIL_1], [EMAIL_3]", later.mapping) == "a@example.com, c@example.com"


def test_what_nobody_sees_hides_no_value() -> None:
    hidden = "an\u200bna@exa\u00admple.com and ４１１１ 1111 1111 1111"
    out = redaction.redact(hidden)
    assert out.text == "[EMAIL_1] and [CARD_1]"
    assert redaction.restore(out.text, out.mapping) == hidden


@pytest.mark.parametrize("spoof", ["[EMAIL_1]", "[email 1]", "[EMA\u200bIL_1]", "［EMAIL_1］", "[TEXT_1]", "[SECRET]"])
def test_a_written_placeholder_is_the_writers_own_text(spoof: str) -> None:
    text = f"Write {spoof} to a@example.com"
    out = redaction.redact(text)
    assert out.text == "Write [TEXT_1] to [EMAIL_1]"
    assert redaction.restore(out.text, out.mapping) == text


@pytest.mark.parametrize("invented", ["[EMAIL_7]", "[email_1]", "[Phone 1]", "[REFUND_1]"])
def test_an_invented_placeholder_is_an_error(invented: str) -> None:
    mapping = redaction.redact("a@example.com").mapping
    with pytest.raises(redaction.InventedPlaceholder, match="stands for nothing"):
        redaction.restore(f"Dear [EMAIL_1], {invented}", mapping)


def test_kinds_that_are_kept_stay() -> None:
    out = redaction.redact("a@example.com, 4111 1111 1111 1111", keep={"EMAIL"})
    assert out.text == "a@example.com, [CARD_1]"


def test_scrubbing_is_for_good_and_leaves_placeholders() -> None:
    once = redaction.scrub("[EMAIL_1] wrote from b@example.com, José Álvarez", KNOWN)
    assert once == "[EMAIL_1] wrote from [EMAIL], [NAME]"
    assert redaction.scrub(once, KNOWN) == once


pieces = st.one_of(
    st.sampled_from([value for _, value in CASES]),
    st.sampled_from(
        ["[EMAIL_1]", "[TEXT_2]", "[", "]", "_1]", "[EMAIL", "@", " ", "\u200b", "+", "4111", "Will", "José"]
    ),
    st.text(max_size=12),
    st.text(alphabet="0123456789 .-/()+@[]_", max_size=24),
    st.text(alphabet=st.characters(codec=None, categories=None), max_size=6),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(pieces, max_size=8).map("".join))
@example("[A[EMAIL_1]a@b.co[EMAIL_1]_1]")
@example("\ud800a@b.co\udc00")
def test_what_was_taken_out_comes_back_to_the_letter_and_nothing_recognised_stays(text: str) -> None:
    out = redaction.redact(text, KNOWN)
    assert redaction.restore(out.text, out.mapping) == text
    assert all(recognisers.find(part, KNOWN) == () for part in PLACEHOLDER.split(out.text))
    assert set(PLACEHOLDER.findall(out.text)) == set(out.mapping)


@settings(max_examples=100, deadline=None)
@given(st.lists(pieces, max_size=6).map("".join))
def test_scrubbing_twice_is_scrubbing_once(text: str) -> None:
    once = redaction.scrub(text, KNOWN)
    assert redaction.scrub(once, KNOWN) == once
    assert all(recognisers.find(part, KNOWN) == () for part in PLACEHOLDER.split(once))
