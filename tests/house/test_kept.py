"""Sentences that are kept in English are found again by their words and told in the reader's language."""

import ast
import importlib
import re
import subprocess
import sys

import pytest
from django.conf import settings
from django.utils.translation import gettext, override

from portal import retold
from tests.messages.collecting import APPS, ROOT

FEWEST_LETTERS = 3
GAP = re.compile(r"%\((\w+)\)s")


def known() -> list[str]:
    """All that is registered once the addresses are known."""
    for addresses in (settings.ROOT_URLCONF, settings.WORKSPACE_URLCONF):
        importlib.import_module(addresses)
    found = sorted(retold._SENTENCES)
    assert len(found) > 100
    return found


def filled(sentence: str) -> tuple[str, dict[str, str]]:
    """The sentence with a code in each gap."""
    values = {name: f"Q{place}7Z" for place, name in enumerate(dict.fromkeys(GAP.findall(sentence)))}
    return (sentence % values if values else sentence), values


def test_every_sentence_is_found_again_with_its_values_and_by_no_other() -> None:
    wrong = []
    with override("de"):
        for sentence in known():
            text, values = filled(sentence)
            told = retold.say(text)
            meant = gettext(sentence) % values if values else gettext(sentence)
            if told != meant or any(value not in told for value in values.values()):
                wrong.append((sentence, told))
    assert wrong == []


def test_english_readers_read_what_is_kept() -> None:
    with override("en"):
        assert [s for s in known() if retold.say(filled(s)[0]) != filled(s)[0]] == []


def test_a_sentence_has_words_enough_not_to_be_found_in_what_people_write() -> None:
    few = []
    with override("de"):
        for sentence in (s for s in known() if GAP.search(s)):
            letters = sum(c.isalpha() for c in GAP.sub("", sentence))
            if letters < FEWEST_LETTERS and (letters or gettext(sentence) != sentence):
                few.append(sentence)
    assert few == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Tidies name without changing what is meant.", "Bereinigt Name, ohne zu ändern, was gemeint ist."),
        (
            "Tidies name, city and phone number without changing what is meant.",
            "Bereinigt Name, Ort und Telefonnummer, ohne zu ändern, was gemeint ist.",
        ),
        (
            "Order #W7 is delivered, and only a pending order can be cancelled.",
            "Bestellung #W7 hat den Status „zugestellt“, und nur eine offene Bestellung lässt sich stornieren.",
        ),
        (
            "90.10 USD was paid for the order and 45.05 USD goes back",
            "Für die Bestellung wurden 90,10 USD bezahlt, und 45,05 USD gehen zurück",
        ),
        (
            "Do you want us to go ahead with order #W1 and #W2, and with what exactly?",
            "Sollen wir mit Bestellung #W1 und #W2 fortfahren, und womit genau?",
        ),
        (
            "tells the same as ticket T-4, alike by 91%",
            "sagt dasselbe wie Ticket T-4, zu 91 % gleich",
        ),
        (
            "No refund is asked for. The customer asks for an exchange.",
            "Um eine Erstattung wird nicht gebeten. Der Kunde bittet um einen Umtausch.",
        ),
        (
            "There is no queue A. There is no queue B.",
            "Eine Warteschlange A gibt es nicht. Eine Warteschlange B gibt es nicht.",
        ),
        (
            "The agent's draft does not agree with the records: the reply rests on no clause;"
            " clause:A-1 is cited and was never read.",
            "Der Entwurf des Agenten stimmt nicht mit den Datensätzen überein: die Antwort stützt sich auf keine"
            " Klausel; clause:A-1 ist angeführt und wurde nie gelesen.",
        ),
        (
            "A matter for billing, priority P2. Another model, m-2, doubts it: It may be. Look twice; please.",
            "Ein Anliegen für billing, Priorität P2. Ein anderes Modell, m-2, bezweifelt es: It may be. Look twice;"
            " please.",
        ),
        (
            "It is not clear enough what the message is about. It may be the same as ticket T-4, which is open.",
            "Es ist nicht klar genug, worum es in der Nachricht geht. Es ist vielleicht dasselbe wie Ticket T-4, das"
            " offen ist.",
        ),
    ],
)
def test_what_stands_in_a_gap_and_what_was_joined_is_told_too(text: str, told: str) -> None:
    known()
    with override("de"):
        assert retold.say(text) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "This is wrong, and the customer is angry.",
        "He asked for name and address; I gave neither.",
        "No refund is asked for. So I closed it.",
        "Dear Kim,\n\nNo refund is asked for.\n\nKind regards",
        "No refund is asked for. " * 400,
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    known()
    with override("de"):
        assert retold.say(text) == text


def test_a_web_process_knows_every_sentence() -> None:
    """A page tells what an agent kept: what registers sentences is loaded with the pages, not with a task alone."""
    code = (
        "import importlib, sys, django; django.setup(); from django.conf import settings;"
        "[importlib.import_module(one) for one in (settings.ROOT_URLCONF, settings.WORKSPACE_URLCONF)];"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    missing = {name for name in _registering() if name not in done.stdout.split()}
    assert missing == set()


def _registering() -> set[str]:
    """Modules that call `kept`."""
    found = set()
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            source = path.read_text()
            calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
            named = any(isinstance(call.func, ast.Name) and call.func.id == "kept" for call in calls)
            if named and "from portal.retold import" in source:
                found.add(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    return found
