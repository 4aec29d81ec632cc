"""Sentences that are kept in English and told in the reader's language."""

import pytest
from django.utils.translation import override

from approvals import actions, reversal
from portal import retold

REGISTERED_BY = (actions, reversal)
TOLD = {
    "Refund 45.10 EUR to the gift card, order O-1": "45,10 EUR auf die Geschenkkarte erstatten, Bestellung O-1",
    "Move to billing, priority P2, tag a (T-1)": "Nach billing verschieben, Priorität P2, Schlagwort a setzen (T-1)",
    "Undo of proposal 3 in part: a stays as it is, set back meanwhile; b stays as it is, set back meanwhile":
        "Teilweise Rücknahme von Vorschlag 3: a bleibt, wie es ist: inzwischen zurückgesetzt;"
        " b bleibt, wie es ist: inzwischen zurückgesetzt",
    "What somebody wrote, and nobody registered": "What somebody wrote, and nobody registered",
}  # fmt: skip


@pytest.mark.parametrize("text", TOLD)
def test_a_kept_sentence_is_told_in_german_and_stays_in_english(text: str) -> None:
    with override("de"):
        assert retold.say(text) == TOLD[text]
    with override("en-gb"):
        assert retold.say(text) == text


def test_the_field_of_a_refusal_stays_as_it_is() -> None:
    with override("de"):
        assert retold.fault("target: there is no ticket:9") == "target: ticket:9 gibt es nicht"
        assert retold.fault("note: from a person") == "note: from a person"
