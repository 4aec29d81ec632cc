"""The contacts agent against our own golden records."""

from pathlib import Path

import pytest

from tests.agents.contacts_score import score

GOLDEN = Path(__file__).parents[1] / "golden" / "contacts"


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    return score(GOLDEN)


def test_there_are_enough_golden_records(figures: dict[str, float]) -> None:
    assert figures["contacts"] >= 45


def test_golden_records_come_out_exactly(figures: dict[str, float]) -> None:
    assert figures["exact_record"] >= 0.93
    assert figures["flags_by_field"] >= 0.93


def test_nothing_that_must_stay_is_touched(figures: dict[str, float]) -> None:
    assert figures["harmed"] == 0
