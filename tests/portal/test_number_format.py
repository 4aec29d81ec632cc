"""Numbers as each person writes them: on pages and in what they type, never in what is kept or taken along."""

import re

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from approvals import actions, wording
from approvals.models import Proposal
from portal import figures, money, retold
from portal.models import Person
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.cast import Cast, gather

REGISTERED_BY = actions
PLAIN, NBSP = figures.PLAIN, "\u202f"
WRITTEN = [
    # language, format, what is kept, what is read
    ("en-gb", "", "1234.50 EUR", "1,234.50 EUR"),
    ("en-gb", "comma", "1234.50 EUR", "1.234,50 EUR"),
    ("en-gb", "space", "1234567.50 EUR", f"1{NBSP}234{NBSP}567,50 EUR"),
    ("de", "", "1234.50 EUR", "1.234,50 EUR"),
    ("de", "point", "1234.50 EUR", "1,234.50 EUR"),
    ("de", "comma", "45.10 EUR", "45,10 EUR"),
    ("en-gb", "comma", "12345 JPY", "12.345 JPY"),
    ("en-gb", "comma", "1.500 KWD", "1,500 KWD"),
    ("de", "", "100.00 – 12500.00 EUR", "100,00 – 12.500,00 EUR"),
    ("en-gb", PLAIN, "1234.50 EUR", "1234.50 EUR"),
    ("de", PLAIN, "1234.50 EUR", "1234,50 EUR"),
    ("en-gb", "comma", "no figure", "no figure"),
    ("en-gb", "comma", "W1234567", "W1234567"),
]


@pytest.mark.parametrize(("language", "chosen", "kept", "read"), WRITTEN)
def test_a_figure_is_written_as_chosen_else_as_the_language_has_it(
    language: str, chosen: str, kept: str, read: str
) -> None:
    with override(language), figures.written(chosen):
        assert figures.figure(kept) == read
        assert figures.figure(read) == read, "what is written so already stays"


def test_outside_of_a_page_figures_are_plain() -> None:
    assert figures.figure("12345.60 EUR") == "12345.60 EUR"
    assert wording.amount(1234560, "EUR") == "12345.60 EUR"


def test_a_kept_sentence_is_told_with_the_readers_figures_and_what_people_wrote_is_not() -> None:
    kept = "Refund 12345.60 EUR to the gift card, order O-1"
    with override("en-gb"), figures.written("comma"):
        assert retold.say(kept) == "Refund 12.345,60 EUR to the gift card, order O-1"
        assert retold.say("She asked for 12345.60 EUR back") == "She asked for 12345.60 EUR back"
    with override("en-gb"), figures.written(""):
        assert retold.say(kept) == "Refund 12,345.60 EUR to the gift card, order O-1"


TYPED = [
    ("en-gb", "", "1,234.50", "1234.50"), ("en-gb", "", "1234.5", "1234.5"), ("en-gb", "", "1,234,567", "1234567"),
    ("en-gb", "comma", "1.234,50", "1234.50"), ("en-gb", "comma", "45,10", "45.10"),
    ("en-gb", "comma", "45.10", "45.10"), ("de", "", "1.234.567,5", "1234567.5"), ("de", "point", "45.10", "45.10"),
    ("de", "space", f"1{NBSP}234,50", "1234.50"), ("de", "space", "1 234,50", "1234.50"), ("de", "", "-5", "-5"),
    ("de", "space", "12 345", "12345"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "chosen", "typed", "read"), TYPED)
def test_an_amount_may_be_typed_as_it_is_written(language: str, chosen: str, typed: str, read: str) -> None:
    with override(language), figures.written(chosen):
        assert figures.typed(typed) == read


@pytest.mark.parametrize(
    ("chosen", "typed"), [("comma", "1.234"), ("space", "1.234"), ("point", "1,234"), ("point", "45,10"),
                          ("comma", "1.23,4"), ("comma", "12.34.567"), ("point", "1,2345.6"), ("comma", "1,234.50")],
)  # fmt: skip
def test_what_may_be_meant_either_way_is_refused(chosen: str, typed: str) -> None:
    with figures.written(chosen), pytest.raises(money.NotAnAmount):
        money.to_minor(figures.typed(typed), "EUR")


@given(st.integers(0, money.MOST_MINOR), st.sampled_from(["point", "comma", "space"]))
def test_what_is_shown_can_be_typed(minor: int, chosen: str) -> None:
    with figures.written(chosen):
        shown = figures.figure(money.to_text(minor, "EUR"))
        assert money.to_minor(figures.typed(shown), "EUR") == minor
        assert money.to_minor(figures.typed(figures.to_edit(money.to_text(minor, "EUR"))), "EUR") == minor
        assert re.sub(r"[^0-9]", "", shown) == money.to_text(minor, "EUR").replace(".", "")


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def wants(cast: Cast, name: str, numbers: str) -> Desk:
    desk = sit_down(cast, name)
    told = {"name": name, "time_zone": "UTC", "theme": "dark", "density": "roomy", "number_format": numbers}
    assert desk.post("/you/", told).status_code == 302
    return desk


def refund(cast: Cast) -> Proposal:
    """45.10 EUR of an order of 12345.60 EUR."""
    order = steps.order(cast, amount=45_10, besides=12_300_50)
    case = steps.ticket(cast, customer="cu-1", text="I want my money back for the kettle, please.")
    return steps.propose(cast, case, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds")


def test_a_person_chooses_how_numbers_are_written(cast: Cast) -> None:
    desk = wants(cast, "rosa", "comma")
    assert Person.objects.get(pk=cast.id("rosa")).number_format == "comma"
    assert '<option value="comma" selected>1.234,50</option>' in text(desk.get("/you/"))
    told = {"name": "Rosa", "time_zone": "UTC", "theme": "dark", "density": "roomy", "number_format": "roman"}
    assert desk.post("/you/", told).status_code == 422


def test_each_sees_the_queue_in_their_own_numbers_whoever_looked_before(cast: Cast) -> None:
    row = refund(cast)
    for name, chosen, amount, whole in (
        ("rosa", "comma", "45,10 EUR", "12.345,60 EUR"), ("ravi", "", "45.10 EUR", "12,345.60 EUR"),
        ("rosa", "space", "45,10 EUR", f"12{NBSP}345,60 EUR"), ("mara", "comma", "45,10 EUR", "12.345,60 EUR"),
    ):  # fmt: skip
        desk = wants(cast, name, chosen)
        assert f"Refund {amount}" in text(desk.get("/"))
        page = text(desk.get(f"/proposals/{row.pk}/"))
        assert f"Refund {amount}" in page
        assert whole in page
        assert "12345.60" not in page


def test_the_form_of_an_edit_shows_what_it_takes(cast: Cast) -> None:
    row = refund(cast)
    assert 'value="45,10"' in text(wants(cast, "rosa", "comma").get(f"/proposals/{row.pk}/edit/"))


def test_programs_and_files_get_the_plain_number(cast: Cast) -> None:
    row = refund(cast)
    desk = wants(cast, "mara", "comma")
    assert "45.10 EUR" in text(desk.get(f"/reports/{row.pk}.json"))
    taken = desk.post("/export/", {"format": "csv"})
    assert "45.10 EUR" in b"".join(taken.streaming_content).decode()  # type: ignore[attr-defined]
