"""What counts as stricter is stricter: no write gets by with less after a change that is called so."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from approvals import loosening, risk

PEOPLE, TIERS = ("automatic", "one", "two", "never"), ("low", "medium", "high")

values = st.fixed_dictionaries(
    {
        "action": st.just("refund.create"),
        "proposer_kind": st.sampled_from(["", "agent", "person"]),
        "agent": st.sampled_from(["", "refunds"]),
        "currency": st.sampled_from(["", "EUR"]),
        "above_minor": st.sampled_from([None, 0, 100]),
        "up_to_minor": st.sampled_from([None, 200, 500]),
        "tier": st.sampled_from(TIERS),
        "people": st.sampled_from(PEOPLE),
        "second_role": st.sampled_from(["", "manager"]),
        "confidence_floor_pct": st.sampled_from([0, 80, 100]),
        "hold_seconds": st.sampled_from([0, 60]),
        "fresh_minutes": st.sampled_from([60, 240]),
    }
)
writes = st.builds(
    risk.Write,
    action=st.just("refund.create"), proposer_kind=st.sampled_from(["agent", "person"]),
    agent=st.sampled_from(["refunds", "triage"]), amount_minor=st.sampled_from([None, 0, 50, 150, 300, 900]),
    currency=st.sampled_from(["EUR", "USD"]), confidence_pct=st.sampled_from([50, 90, 100]),
    reversible=st.booleans(), flags=st.just(()),
)  # fmt: skip


def rule(row: dict[str, Any]) -> risk.Rule:
    return risk.Rule(id="r v1", **{name: value for name, value in row.items() if name != "retired"})


def people(verdict: risk.Verdict) -> int:
    return verdict.people if verdict.allowed else 99


@settings(max_examples=300, deadline=None)
@given(before=values, other=values, kept=st.sets(st.sampled_from(["tier", "people", "second_role", "hold_seconds",
       "fresh_minutes", "confidence_floor_pct"])), beside=st.lists(values, max_size=2), write=writes)  # fmt: skip
def test_no_write_needs_fewer_people_after_what_is_not_called_a_loosening(
    before: dict[str, Any], other: dict[str, Any], kept: set[str], beside: list[dict[str, Any]], write: risk.Write
) -> None:
    after = before | {name: other[name] for name in kept}
    if loosening.of_threshold({**before, "retired": False}, {**after, "retired": False}):
        return
    around = [replace(rule(row), id=f"x{n} v1") for n, row in enumerate(beside)]
    was, now = (risk.judge([rule(row), *around], write) for row in (before, after))
    assert people(now) >= people(was)
    if not around and risk.matches(rule(before), write) and now.allowed:
        assert not risk.lower(now.tier, was.tier)
        assert now.hold_seconds >= was.hold_seconds
        assert now.fresh_minutes <= was.fresh_minutes


@given(new=values, beside=st.lists(values, max_size=2), write=writes)
def test_a_new_row_that_is_not_called_a_loosening_lets_nothing_more_through(
    new: dict[str, Any], beside: list[dict[str, Any]], write: risk.Write
) -> None:
    if loosening.of_threshold(None, {**new, "retired": False}):
        return
    around = [replace(rule(row), id=f"x{n} v1") for n, row in enumerate(beside)]
    assert people(risk.judge([rule(new), *around], write)) >= people(risk.judge(around, write))


def test_the_words_name_what_falls() -> None:
    row = {
        "action": "a", "proposer_kind": "", "agent": "", "currency": "", "above_minor": None, "up_to_minor": None,
        "tier": "high", "people": "two", "second_role": "manager", "confidence_floor_pct": 80, "hold_seconds": 60,
        "fresh_minutes": 60, "retired": False,
    }  # fmt: skip
    weaker = row | {"tier": "low", "people": "one", "second_role": "", "hold_seconds": 0, "fresh_minutes": 61}
    assert len(loosening.of_threshold(row, weaker)) == 5
    assert loosening.of_threshold(row, row | {"retired": True}) == ("the row ends",)
    assert loosening.touches_high(row, weaker)
    cap = {"scope": "agent", "currency": "", "writes": 5, "amount_minor": None, "retired": False}
    assert loosening.of_cap(cap, cap | {"writes": None}) == ("writes from 5 to no limit",)
    assert loosening.of_cap(cap, cap | {"writes": 4, "amount_minor": 9}) == ()
