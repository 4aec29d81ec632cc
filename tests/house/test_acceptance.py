"""What `make accept` says is met: only where the figure is there, and of all that was to be measured."""

from collections import Counter
from typing import Any

import pytest

from tests.accept import evaluations, pages, real_input, spending

REFUNDS = {"rows": 725, "approve_only_exact": 1.0, "wrong_effects": 0, "seconds": 9.0}
KINDS = {"plain": {"rows": 600, "share": 1.0}, "task_mixed": {"rows": 125, "share": 0.9}}
PHONES = {"rows": 1_883, "accuracy": 1.0, "masked_flagged": 1.0}


@pytest.mark.parametrize(
    ("name", "change", "met"),
    [
        ("labelled", {}, True),
        ("labelled", {"rows": 724}, False),
        ("labelled", {"by_kind": {"plain": KINDS["plain"]}}, False),
        ("labelled", {"by_kind": {**KINDS, "task_mixed": {"rows": 125, "share": 0.7}}}, False),
        ("split", {"rows": 362}, True),
        ("split", {"by_kind": {"plain": KINDS["plain"]}}, False),
        ("our own", {"rows": 142, "by_kind": {"plain": KINDS["plain"]}}, True),
    ],
)
def test_refunds_are_measured_with_the_mixed_ones_and_all_of_them(name: str, change: dict[str, Any], met: bool) -> None:
    assert evaluations.refunds_line(name, {**REFUNDS, "by_kind": KINDS, **change})[0] is met


@pytest.mark.parametrize(
    ("suite", "got", "met"),
    [
        ("phones", PHONES, True),
        ("phones", {"rows": 1_883, "accuracy": 1.0}, False),
        ("phones", {**PHONES, "masked_flagged": None}, False),  # there was none to flag
        ("phones", {**PHONES, "masked_flagged": 0.99}, False),
        ("phones", {**PHONES, "rows": 1_882}, False),
        ("emails", {"rows": 208, "accuracy": 1.0}, True),
        ("emails", {"rows": 207, "accuracy": 1.0}, False),
    ],
)
def test_a_field_is_met_with_all_its_rows_and_phones_with_the_masked_ones(
    suite: str, got: dict[str, Any], met: bool
) -> None:
    assert evaluations.field_line(suite, 0.97, got)[0] is met


@pytest.mark.parametrize(
    ("requests", "ends", "met"),
    [
        (725, {"proposal": 300, "handoff": 400, "question": 25}, True),
        (725, {"proposal": 300, "handoff": 400, "question": 24}, False),
        (724, {"proposal": 300, "handoff": 400, "question": 24}, False),
        (725, {"handoff": 700, "question": 25}, False),
        (725, {"proposal": 300, "handoff": 400, "question": 24, "nothing": 1}, False),
    ],
)
def test_all_requests_end_somewhere_and_some_in_a_proposal(requests: int, ends: dict[str, int], met: bool) -> None:
    assert real_input.every_one_ends(requests, Counter(ends)) is met


@pytest.mark.parametrize(
    ("have", "due", "met"),
    [("ab", "ab", True), ("abc", "ab", True), ("a", "ab", False), ("abd", "ab", False), ("aab", "ab", False),
     ("", "", False)],
)  # fmt: skip
def test_money_moved_is_what_was_due_once_and_some_was_due(have: str, due: str, met: bool) -> None:
    money, wanted, may = (Counter((one, "card", 100) for one in text) for text in (have, due, "abc"))
    assert real_input.paid(money, wanted, may) is met


@pytest.mark.parametrize(
    ("spent", "met"),
    [
        ((990_000, 10_000, 1_000_000, 9), True),
        ((1_000_000, 0, 1_000_000, 9), False),  # nobody died in a call
        ((990_000, 10_000, 1_000_000, 0), False),  # the cap was in nobody's way
        ((990_000, 10_000, 1_000_001, 9), False),
        ((990_000, 10_004, 1_000_004, 9), False),
    ],
)
def test_a_budget_is_exact_with_what_a_dead_worker_holds(spent: tuple[int, int, int, int], met: bool) -> None:
    assert spending.met(*spent) is met


WALKS = [*((f"walk {n}", 10, 20, 5, 0) for n in range(6)), ("with script in every field", 10, 0, 0, 0)]


@pytest.mark.parametrize(
    ("walks", "met"),
    [
        (WALKS, True),
        (WALKS[1:], False),
        ([("walk 0", 10, 20, 5, 1), *WALKS[1:]], False),
        ([("walk 0", 0, 0, 5, 0), *WALKS[1:]], False),
        ([("walk 0", 10, 10, 5, 0), *WALKS[1:]], False),
        ([("walk 0", 10, 20, 0, 0), *WALKS[1:]], False),
        ([("walk 6", 10, 20, 5, 0), *WALKS[:-1]], False),
        ([*WALKS[:-1], ("with script in every field", 0, 0, 0, 0)], False),
    ],
)
def test_every_walk_looked_at_pages_and_found_nothing(walks: list[pages.Walk], met: bool) -> None:
    assert pages.met(walks) is met
