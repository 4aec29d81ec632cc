"""What the contacts agent hands in for one contact, and what holds for every contact."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from agents.contacts import countries, emails, fields, names, phones
from agents.contacts.cleaned import Cleaned
from agents.contacts.deciding import decide
from agents.types import Outcome
from portal.systems.records import Contact

FIELDS = ["full_name", "email", "phone", "country", "address", "city", "postcode", "notes", "legal_name"]


def outcome_of(*locked: str, **record: str) -> Outcome:
    return decide(Contact("c-1", record, locked))


def test_a_clean_contact_needs_nothing() -> None:
    assert outcome_of(full_name="Inga Holm", email="inga@example.org", country="SE", phone="") == Outcome(
        confidence=1.0
    )


def test_repairs_become_one_draft_with_evidence_for_each_field() -> None:
    outcome = outcome_of(full_name="INGA HOLM", country="Sverige", city="Uppsala")
    (draft,) = outcome.drafts
    assert (draft.action, draft.target) == ("contact.update", "contact:c-1")
    assert draft.args == {"changes": {"full_name": "Inga Holm", "country": "SE"}}
    assert [(each.field, each.quote, each.source) for each in draft.evidence] == [
        ("full_name", "INGA HOLM", "contact:c-1"),
        ("country", "Sverige", "contact:c-1"),
    ]
    assert 0.9 < draft.confidence < 1
    assert outcome.handoff is None


def test_doubts_go_to_a_person_beside_the_repairs() -> None:
    outcome = outcome_of(email="inga@@example.org", city="UPPSALA", phone="070-XXX 06 11", country="SE")
    assert outcome.drafts[0].args == {"changes": {"city": "Uppsala"}}
    assert outcome.drafts[0].flags == ("unclear:email", "unclear:phone")
    assert outcome.handoff is not None
    assert outcome.handoff.reason == "needs_a_person"
    assert set(outcome.handoff.found) == {"email", "phone"}


def test_a_doubt_alone_makes_no_draft() -> None:
    outcome = outcome_of(country="Scandinavia")
    assert outcome.drafts == ()
    assert outcome.handoff is not None


def test_a_locked_field_is_told_but_not_touched() -> None:
    outcome = outcome_of("phone", phone="070-174 06 11", country="se")
    assert outcome.drafts[0].args == {"changes": {"country": "SE"}}
    assert outcome.flags == ("locked:phone",)


def test_a_locked_country_still_says_where_the_number_is_from() -> None:
    outcome = outcome_of("country", phone="070-174 06 11", country="Sverige")
    assert outcome.drafts[0].args == {"changes": {"phone": "+46701740611"}}


def test_an_extension_stays_with_its_number() -> None:
    outcome = outcome_of(phone="+1 202 555 0147 ext 9", country="US")
    assert outcome.drafts[0].args == {"changes": {"phone": "+12025550147;ext=9"}}


def test_notes_and_legal_names_are_nobodys_business_here() -> None:
    assert outcome_of(notes="call   AGAIN", legal_name="HOLM  &  sons ltd", external_id=" x ").drafts == ()


texts = st.text(max_size=40) | st.text(alphabet="ABab xX*#+-.,;@()'\u200b\u00a00123456789İıßé", max_size=30)
records = st.dictionaries(st.sampled_from(FIELDS), texts)


@settings(max_examples=200, deadline=None)
@given(records, st.sets(st.sampled_from(FIELDS)))
def test_locked_and_foreign_fields_are_never_touched(record: dict[str, str], locked: set[str]) -> None:
    outcome = decide(Contact("c-1", record, tuple(locked)))
    for draft in outcome.drafts:
        changes = draft.args["changes"]
        assert isinstance(changes, dict)
        assert not set(changes) & (locked | {"notes", "legal_name"})
        assert all(record[name] != value for name, value in changes.items())


@settings(max_examples=200, deadline=None)
@given(records)
def test_deciding_twice_finds_nothing_left(record: dict[str, str]) -> None:
    first = decide(Contact("c-1", record))
    changes = {} if not first.drafts else first.drafts[0].args["changes"]
    assert isinstance(changes, dict)
    again = decide(Contact("c-1", {**record, **{name: str(value) for name, value in changes.items()}}))
    assert not again.drafts


@settings(max_examples=200, deadline=None)
@given(texts, st.sampled_from(["US", "SE", "NL", "JP", None]))
def test_cleaning_twice_is_cleaning_once(text: str, country: str | None) -> None:
    cleaners: list[Callable[[str], Cleaned]] = [
        emails.clean,
        countries.clean,
        lambda raw: phones.clean(raw, country),
        lambda raw: names.clean(raw, "a.b@example.org"),
        fields.clean_city,
        fields.clean_address,
        lambda raw: fields.clean_postcode(raw, country),
    ]
    for clean in cleaners:
        once = clean(text)
        assert once.action == "fix" or once.value == text
        assert clean(once.value).value == once.value


masks = st.sampled_from(["X", "x", "*", "#", "?", "•", "_", "●", "×"])


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["+12025550147", "+442079460123", "+493012345678", "+46701740611", "+81355500123"]),
    st.integers(min_value=1, max_value=11),
    st.integers(min_value=1, max_value=6),
    masks,
    st.sampled_from(["US", "GB", "DE", "SE", "JP", None]),
)
def test_a_masked_number_is_never_fixed(number: str, start: int, length: int, mask: str, region: str | None) -> None:
    covered = number[start : start + length]
    masked = number[:start] + mask * len(covered) + number[start + len(covered) :]
    assert phones.clean(masked, region).action == "flag"


written = st.sampled_from(
    [
        "+49 30 901820", "(212) 555-0147", "+1-212-555-0147", "0049 30 / 90 18 20", "+44 (0)20 7946 0958",
        "tel. 030 901820",
        "+34 612.34.56.78", "212-555-0147 ext. 12",
    ]
)  # fmt: skip
signs = st.characters(categories=["Lu", "Ll", "Lo", "Lm", "Nl", "So", "Sm", "Sc", "Sk", "Po", "Pc"]).filter(
    lambda char: char not in "/.,;:" and not unicodedata.normalize("NFKC", char).strip(".").isdigit()
)


@settings(max_examples=600, deadline=None)
@given(
    written, st.integers(0, 17), st.integers(1, 6), st.one_of(masks, signs), st.sampled_from(["US", "GB", "DE", None])
)
def test_whatever_covers_a_digit_nothing_is_made_of_the_rest(
    number: str, start: int, length: int, mask: str, region: str | None
) -> None:
    """However the number is spaced, and whatever the sign: a record's phone stays to the letter."""
    covered = "".join(mask if char.isdigit() else char for char in number[start : start + length])
    masked = number[:start] + covered + number[start + length :]
    assume(masked != number and "ext" not in number[start : start + length])
    assume(not number[:start].endswith("ext. ") and sum(char.isdigit() for char in masked) > 0)
    cleaned = phones.clean(masked, region)
    assert cleaned.action != "fix", cleaned
    outcome = decide(Contact("c-1", {"phone": masked, "country": region or ""}))
    assert not any("phone" in dict(draft.args["changes"]) for draft in outcome.drafts)


@pytest.mark.parametrize("dash", ["-", "–", "—", "−", "‑"])
def test_a_row_of_dashes_is_a_mask(dash: str) -> None:
    assert phones.clean(f"+49 30 90{dash * 3}20", "DE").action == "flag"
    assert phones.clean(f"+49 30 9018{dash * 2}", "DE").action == "flag"
    assert phones.clean(f"+49{dash}30{dash}901820", "DE").action == "fix"
