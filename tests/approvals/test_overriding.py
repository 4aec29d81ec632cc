"""An agent's own threshold that is milder than the general one it goes before: told wherever it is set or agreed to."""

from typing import Any

import pytest

from approvals import overriding, thresholds
from approvals.models import Threshold
from portal import workspace
from tests.api.calls import browser
from tests.approvals.test_relaxing import LOOSER, agree, at
from tests.approvals.test_relaxing import proposed as proposed_anew
from tests.cast import Cast, gather

OWN = {
    "action": "ticket.update", "proposer_kind": "", "agent": "triage", "currency": "", "above_minor": None,
    "up_to_minor": None, "tier": "low", "people": "one", "second_role": "", "confidence_floor_pct": 80,
    "hold_seconds": 0, "fresh_minutes": 1440, "retired": False,
}  # fmt: skip


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def told(cast: Cast, **change: Any) -> list[str]:
    with workspace.within(cast.ws):
        return overriding.warnings(cast.ws, OWN | change)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"people": "automatic"}, "people from one to automatic"),
        ({"confidence_floor_pct": 60}, "confidence floor from 80 to 60"),
        ({"action": "refund.create", "currency": "EUR", "above_minor": 20_000}, "refund-eur-medium"),
        ({"action": "refund.create", "currency": "EUR", "above_minor": 20_000}, "refund-eur-agent"),
    ],
)
def test_it_says_which_row_and_in_what(cast: Cast, change: dict[str, Any], says: str) -> None:
    assert says in " ".join(told(cast, **change))


@pytest.mark.parametrize(
    "change",
    [
        {}, {"people": "two"}, {"agent": "", "people": "automatic"}, {"people": "automatic", "retired": True},
        {"action": "refund.create", "currency": "EUR", "up_to_minor": 10_000, "people": "two", "hold_seconds": 900,
         "fresh_minutes": 240},
        {"action": "refund.create", "currency": "CHF", "people": "automatic"},
    ],
)  # fmt: skip
def test_what_is_as_strict_or_goes_before_nothing_is_not_warned_of(cast: Cast, change: dict[str, Any]) -> None:
    assert told(cast, **change) == []


def test_among_rows_as_special_the_stricter_wins_so_nothing_is_overridden(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        thresholds.set_threshold(
            workspace=cast.ws, series="money", actor="system:test", now=now, action="refund.create",
            proposer_kind="agent", currency="EUR", above_minor=60_000, tier="high", people="two",
        )  # fmt: skip
    said = told(cast, action="refund.create", people="automatic")
    assert "general row money" not in " ".join(said)


def test_who_proposes_it_who_agrees_and_who_opens_it_are_told(cast: Cast) -> None:
    form = LOOSER | {"action": "ticket.update", "agent": "triage", "why": "Triage is always right"}
    anton, says = browser(cast, "anton"), "stands before the general row ticket-update, and is milder: people from one"
    started = anton.post(at(cast, "threshold/add/"), form)
    done = anton.post(at(cast, "threshold/backtest/"), {"token": started.context["token"]})
    assert says in done.content.decode()
    kept = anton.post(at(cast, "loosening/propose/"), {"attached": done.context["attached"], "why": "So"})
    ada = browser(cast, "ada")
    assert says in ada.get(kept["Location"]).content.decode()
    with workspace.within(cast.ws):
        waiting = thresholds.in_force(cast.ws)
    assert not [row for row in waiting if row.agent == "triage"]
    row = proposed_anew(cast, name="anton", agent="contacts")
    agree(cast, row, "ada")
    with workspace.within(cast.ws):
        own = next(row for row in thresholds.in_force(cast.ws) if row.agent == "contacts")
        thresholds.set_threshold(
            workspace=cast.ws, series="general", actor="system:test", now=own.created_at, action="contact.update",
            tier="low", people="one",
        )  # fmt: skip
    page = ada.get(at(cast, f"threshold/{own.pk}/change/")).content.decode()
    assert "stands before the general row general, and is milder: people from one to automatic" in page


def test_a_stricter_version_that_is_still_milder_is_saved_with_the_warning(cast: Cast) -> None:
    with workspace.within(cast.ws) as now:
        own: Threshold = thresholds.set_threshold(
            workspace=cast.ws, series="", actor="system:test", now=now, **OWN | {"confidence_floor_pct": 50}
        )
    form = LOOSER | {"action": "ticket.update", "agent": "triage", "people": "one", "confidence_floor_pct": "60"}
    saved = browser(cast, "ada").post(at(cast, f"threshold/{own.pk}/change/"), form, follow=True).content.decode()
    assert "In force" in saved
    assert "is milder: confidence floor from 80 to 60" in saved
