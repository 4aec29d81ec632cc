"""The parts of the desk's pages in German: what they say is told so, what is kept or written by somebody is not."""

import pytest
from django.template import Context, Template
from django.utils.translation import override

from approvals.searching import TIERS
from approvals.state import State
from approvals.templatetags import words
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
