"""The parts of the desk's pages in German: what they say is told so, what is kept or written by somebody is not."""

import uuid

import pytest
from django.template import Context, Template
from django.utils.translation import override

from approvals import admin_loosening, admin_tallies, calls, marks, showing
from approvals.backtest import Cell
from approvals.diff import Change
from approvals.models import Attempt, Loosening
from approvals.searching import TIERS
from approvals.state import State
from approvals.templatetags import words
from portal import workspace
from portal.models import Queue
from portal.models.connections import Part
from portal.templatetags import language as language_words
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather

GERMAN = {"Accept-Language": "de"}


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_an_item_offers_its_ways_in_german_and_posts_what_it_always_did(cast: Cast) -> None:
    target = steps.ticket(cast, text="Where is my kettle?")
    proposal = steps.propose(cast, target, "ticket.update", target, {"priority": "P1"})
    page = text(sit_down(cast, "rosa").get(f"/proposals/{proposal.pk}/", **GERMAN))
    for said in (">Freigeben</button>", ">Ablehnen</button>", "Was sich ändert", ">niedrig</b>", "Der Kunde schrieb"):
        assert said in page
    for untouched in ("Where is my kettle?", '<option value="low">niedrig</option>', "tier-low", "state-pending"):
        assert untouched in page


def test_every_tier_and_state_has_its_word_and_reads_as_it_is_kept_in_english() -> None:
    assert set(language_words.TIERS) == set(TIERS)
    assert {*State, "open", "resolved"} <= set(words.STATES)
    with override("en"):
        assert [words.state_within(name) for name in words.STATES] == list(words.STATES)
    with override("de"):
        assert [language_words.tier_word(name) for name in TIERS] == ["niedrig", "mittel", "hoch"]
        assert words.state_within("applied") == "ausgeführt"
        assert language_words.tier_word("") == ""


@pytest.mark.parametrize(
    ("language", "others", "said"),
    [
        ("en", ["Ada"], "Ada looks at this too"),
        ("en", ["Ada", "<b>"], "Ada, &lt;b&gt; look at this too"),
        ("de", ["Ada"], "Ada sieht dies auch an"),
        ("de", ["Ada", "<b>"], "Ada, &lt;b&gt; sehen dies auch an"),
    ],
)
def test_names_in_a_sentence_are_escaped_in_every_language(language: str, others: list[str], said: str) -> None:
    template = Template('{% include "approvals/_others.html" %}')
    with override(language):
        assert template.render(Context({"others": others})).strip() == said


def joined(pieces: tuple[marks.Piece, ...] | None) -> str:
    return showing.joined(pieces or ())


def test_what_a_ticket_is_has_its_word_wherever_a_change_of_it_is_shown() -> None:
    change, old = Change("status", "set", "open", "solved"), Change("status", "set", "open", "waiting")
    with override("de"):
        (row,) = showing.fields([change], showing.Books(), now={"status": "closed"}, earlier=[old])
        assert (joined(row.before), joined(row.after)) == ("offen", "gelöst")
        assert (joined(row.now), joined(row.earlier)) == ("geschlossen", "wartend")
        assert showing.unchanged([], {"status": "open"}, showing.Books()) == (("Status", "offen"),)
        known = Change("status", "set", "on ice", "open")
        assert joined(showing.fields([known], showing.Books())[0].before) == "on ice"


def test_what_would_be_loosened_is_told_by_field_and_value() -> None:
    row = {"action": "refund.create", "agent": "refunds", "currency": "EUR", "proposer_kind": "agent"}
    cap = {"scope": "customer", "writes": 9}
    with override("de"):
        told = {name: value for name, _now, value in admin_loosening.changes(Loosening(state="agreed", values=row))}
        assert told == {
            "Aktion": "Eine Bestellung erstatten", "Agent": "refunds", "Währung": "EUR", "Vorgeschlagen von": "Agent",
        }  # fmt: skip
        told = {name: value for name, _now, value in admin_loosening.changes(Loosening(state="agreed", values=cap))}
        assert told == {"Geltung": "je Kunde", "Vorgänge": "9"}


def test_a_backtest_calls_outcomes_people_and_queues_by_their_words() -> None:
    assert admin_tallies.outcome("person") == "given to a person"
    titles = {"returns": "Rückgaben"}
    with override("de"):
        assert admin_tallies.outcome("person") == "einer Person übergeben"
        assert admin_tallies.called("agent", "people", titles) == "Personen"
        assert admin_tallies.called("agent", "refunds", titles) == "refunds"
        assert admin_tallies.called("queue", "returns", titles) == "Rückgaben"
        assert admin_tallies.called("queue", "late_night", titles) == "late night"
        assert admin_tallies.called("queue", "", titles) == "in keiner Warteschlange"
        cell = Cell("one", "alone", "queue", "returns")
        assert "Rückgaben" in admin_tallies.told(cell, titles)


def test_the_queues_of_a_backtest_are_those_of_the_workspace(cast: Cast) -> None:
    with workspace.within(cast.ws):
        titles = admin_tallies.titles(cast.ws)
        kept = Queue.objects.filter(workspace=cast.ws).first()
    assert kept is not None
    assert titles[kept.name] == kept.title


def test_workers_and_outside_systems_have_words() -> None:
    attempt = Attempt(number=1, part="payments", system="stripe", state="sent", key=uuid.uuid4(), answer={})
    assert calls.line(attempt).system == "payments system (stripe)"
    assert [words.worker(name) for name in ("agents", "apply", "other")] == ["Agents", "Apply", "Other"]
    with override("de"):
        assert calls.line(attempt).system == "System für Zahlungen (stripe)"
        assert [words.worker(name) for name in ("agents", "apply", "other")] == ["Agenten", "Ausführung", "Other"]
        assert [words.part_within(part) for part in Part] == ["Zahlungen", "Helpdesk", "Kontakte"]
