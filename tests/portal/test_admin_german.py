"""Django admin in German, for an admin who chose it: forms, the backtest, messages, names; what is kept is English."""

from html.parser import HTMLParser
from typing import Any

import polib
import pytest
from django.conf import settings

from approvals import thresholds
from approvals.models import Threshold
from audit.models import Entry
from portal import workspace
from portal.models import Person
from portal.models.people import Language
from tests.api.calls import browser
from tests.approvals.steps import contact, propose
from tests.cast import Cast, gather
from tests.messages.__main__ import LOCALE


@pytest.fixture
def cast(live: None) -> Cast:
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)
    cast = gather()
    Person.objects.filter(pk__in=[cast.id("ada"), cast.id("mara")]).update(language=Language.GERMAN)
    return cast


class Texts(HTMLParser):
    """What a page says, piece by piece."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()).removesuffix(":"))


def page(cast: Cast, path: str = "", **posted: Any) -> str:
    address, client = f"/w/{cast.workspace.slug}/admin/{path}", browser(cast, "ada")
    answer = client.post(address, posted, follow=True) if posted else client.get(address)
    return str(answer.content.decode())


def in_english(said: str) -> set[str]:
    """Texts of ours on a page that the catalogue tells otherwise in German."""
    kept = polib.pofile(str(LOCALE / "de" / "LC_MESSAGES" / "django.po"))
    ours = {entry.msgid.removesuffix(":"): entry.msgstr for entry in kept if entry.msgstr}
    capitals = {text[:1].upper() + text[1:]: told[:1].upper() + told[1:] for text, told in ours.items()}
    return {text for text in Texts(said).found if (capitals | ours).get(text, text) != text}


def of(cast: Cast, series: str) -> Threshold:
    with workspace.within(cast.ws):
        return next(row for row in thresholds.in_force(cast.ws) if row.series == series)


SAME = {
    "action": "ticket.reply", "proposer_kind": "", "agent": "", "currency": "", "above": "", "up_to": "",
    "tier": "medium", "people": "one", "second_role": "", "confidence_floor_pct": "80", "hold_seconds": "60",
    "fresh_minutes": "480",
}  # fmt: skip


def test_no_word_of_ours_is_english_on_the_front_page(cast: Cast) -> None:
    said = page(cast)
    assert in_english(said) == set()
    assert {"Freigaben", "Schwellen", "Tagesobergrenzen", "Löschsperren", "Protokolleinträge"} <= Texts(said).found


@pytest.mark.parametrize(
    "path",
    [
        "approvals/threshold/", "approvals/threshold/add/", "approvals/dailycap/add/", "approvals/threshold/policy/",
        "approvals/loosening/", "approvals/proposal/", "approvals/handoff/", "portal/membership/add/",
        "portal/slackhook/add/", "portal/connection/add/", "portal/workspace/", "agents/budget/add/",
        "agents/modelbackend/add/", "agents/sweepplan/add/", "agents/run/", "audit/hold/add/", "audit/retention/add/",
        "audit/entry/", "approvals/reusabletext/", "approvals/reusabletext/add/",
    ],
)  # fmt: skip
def test_pages_speak_german(cast: Cast, path: str) -> None:
    assert in_english(page(cast, path)) == set()


def test_the_form_of_a_threshold_its_refusals_and_its_backtest(cast: Cast) -> None:
    row = of(cast, "ticket-reply")
    change = f"approvals/threshold/{row.pk}/change/"
    said = page(cast, change)
    for words in ("Wartefrist (Sekunden)", "Mindestsicherheit (%)", "Was hätte sie bewirkt?", "Rückrechnung"):
        assert words in said, words
    crossed = page(cast, change, **SAME | {"currency": "EUR"})
    assert "bewegt kein Geld; lassen Sie Währung und Spanne leer" in crossed
    target = contact(cast, {"first_name": "cleo"})
    propose(cast, target, "contact.update", target, {"changes": {"first_name": "Cleo"}}, agent="contacts")
    going = page(cast, change, **SAME | {"hold_seconds": "30"})
    assert "0 von höchstens" in going
    whole = page(cast, "approvals/threshold/backtest/", token=going.split('name="token" value="')[1].split('"')[0])
    for words in ("1 Vorgang der letzten 90 Tage;", "Entschieden von", "Dies lockert etwas", "Eine Person"):
        assert words in whole, words


def test_what_is_saved_is_told_in_german_and_kept_in_english(cast: Cast) -> None:
    row = of(cast, "ticket-reply")
    said = page(cast, f"approvals/threshold/{row.pk}/change/", **SAME | {"people": "two"})
    assert "Gilt jetzt: ticket.reply v2." in said
    history = page(cast, "approvals/threshold/series/ticket-reply/")
    assert "Eine Person → Zwei Personen" in history
    with workspace.within(cast.ws):
        kept = Entry.objects.get(subject="threshold:ticket-reply", version=2).canonical
    assert '"people":"two"' in kept


def filled(form: Any) -> dict[str, Any]:
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def test_an_amount_is_shown_and_read_with_the_comma_of_the_language(cast: Cast) -> None:
    row = of(cast, "refund-eur-low")
    path = f"approvals/threshold/{row.pk}/change/"
    client = browser(cast, "ada")
    form = client.get(f"/w/{cast.workspace.slug}/admin/{path}").context["adminform"].form
    assert (form["up_to"].value(), form["above"].value()) == ("100,00", None)
    wanted = filled(form)
    assert page(cast, path, **wanted | {"people": "two"})
    row = of(cast, "refund-eur-low")
    path = f"approvals/threshold/{row.pk}/change/"
    assert (row.version, row.up_to_minor, row.people) == (2, 10_000, "two")
    for up_to in ("90,00", "90.00"):
        answer = client.post(
            f"/w/{cast.workspace.slug}/admin/approvals/threshold/backtest/", wanted | {"up_to": up_to, "row": row.pk}
        )
        assert answer.context["tally"] is not None, up_to
    wrong = page(cast, path, **wanted | {"up_to": "1.234"})
    assert "45,10" in wrong
    assert 'value="1.234"' in wrong, "what was typed stays"
    assert "Bis: " in page(cast, "approvals/threshold/backtest/", **wanted | {"up_to": "1.234"})
    asked = {"action": "refund.create", "agent": "refunds", "currency": "EUR", "confidence_pct": "95"}
    for amount, holds in (("45,10", True), ("45.10", True), ("1.234", False)):
        answer = client.get(f"/w/{cast.workspace.slug}/admin/approvals/threshold/policy/", asked | {"amount": amount})
        assert (answer.context["answer"] is not None) is holds, amount
        assert ("45,10" in answer.content.decode()) is (amount != "45.10")


def test_a_cap_is_read_the_same_way(cast: Cast) -> None:
    with workspace.within(cast.ws):
        cap = next(row for row in thresholds.caps_in_force(cast.ws) if row.amount_minor)
    path = f"approvals/dailycap/{cap.pk}/change/"
    form = browser(cast, "ada").get(f"/w/{cast.workspace.slug}/admin/{path}").context["adminform"].form
    assert "," in form["amount"].value()
    wanted = filled(form) | {"amount": "12,50"}
    page(cast, path, **wanted)
    with workspace.within(cast.ws):
        now = next(row for row in thresholds.caps_in_force(cast.ws) if row.series == cap.series)
    assert now.amount_minor == 1_250
