"""Whoever chose German reads German; what their work leaves behind is what an English reader's would leave."""

import json
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from approvals import decisions, revising, sentences, switches, votes, wording
from approvals.models import Handoff, Instruction, Proposal
from audit.events import Event
from audit.models import Entry
from portal import figures, money, retold, tokens, workspace
from portal.models import Person
from tests.api.calls import Caller, make_token
from tests.approvals import steps
from tests.approvals.desk import Desk, sit_down, text
from tests.approvals.test_forms import form_of
from tests.cast import Cast, gather


class Back(Exception):
    """Takes a transaction back."""


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


@pytest.fixture
def row(cast: Cast) -> Proposal:
    target = steps.ticket(cast)
    return steps.propose(cast, target, "ticket.update", target, {"priority": "P1", "tags": ["kettle"]})


@pytest.fixture
def refund(cast: Cast) -> Proposal:
    order, target = steps.order(cast), steps.ticket(cast, customer="cu-1", text="I want my money back, please.")
    return steps.propose(
        cast, target, "refund.create", f"order:{order}", steps.refund_args(order), agent="refunds", confidence=0.7
    )  # fmt: skip


@pytest.fixture
def rosa(cast: Cast) -> Desk:
    """She chose German."""
    Person.objects.filter(pk=cast.id("rosa")).update(language="de")
    return sit_down(cast, "rosa")


def test_the_queue_and_an_item_are_german(rosa: Desk, refund: Proposal) -> None:
    page = text(rosa.get("/"))
    assert '<html lang="de"' in page
    assert "Nach Risikostufe" in page
    assert "Agent Refunds" in page
    page = text(rosa.get(f"/proposals/{refund.pk}/"))
    assert '<html lang="de"' in page
    assert "Die Schwelle" in page
    assert "verlangt: " in page
    assert "Die Sicherheit von 70% liegt unter der Untergrenze von 80%." in page
    why = re.search(r"<dt>Regel</dt><dd>(.*?)</dd>", page, re.S)
    assert why is not None
    assert "Threshold" not in why[1]


def test_a_hand_off_and_a_case_are_german(cast: Cast, rosa: Desk, row: Proposal) -> None:
    again = steps.submit_as_agent(
        cast, row.target, "ticket.update", row.target, {"priority": "P1", "tags": ["kettle"]}
    )  # fmt: skip
    steps.pass_gate(cast, again)
    with workspace.within(cast.ws):
        handed = Handoff.objects.get(submission=again)
    assert handed.summary == f"Already proposed: {row.summary}"
    page = text(rosa.get(f"/handoffs/{handed.pk}/"))
    assert '<html lang="de"' in page
    assert "Dasselbe ist schon offen" in page
    assert "Schon vorgeschlagen: " in text(rosa.get("/?state=handoffs"))
    page = text(rosa.get(f"/cases/{row.case_id}/"))
    assert '<html lang="de"' in page
    assert "Vorgeschlagen" in page
    assert "An eine Person übergeben" in page


def test_english_stays_what_others_read(cast: Cast, rosa: Desk, row: Proposal) -> None:
    page = text(sit_down(cast, "ravi").get(f"/proposals/{row.pk}/"))
    assert '<html lang="en-gb"' in page
    assert "Die Schwelle" not in page


def left(cast: Cast, row: Proposal, act: Callable[[datetime], Any], language: str, now: datetime) -> list[Any]:
    """What an act leaves in tables and on the log; it is taken back then."""
    found: list[Any] = []
    try:
        with workspace.within(cast.ws, cast.id("rosa")), translation.override(language):
            last = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            act(now)
            row = Proposal.objects.get(pk=row.pk)
            newest = votes.current(row)
            found += [row.state, row.summary, row.digest, row.flags, newest.content, newest.verdict, newest.digest]
            found += list(row.decisions.values_list("kind", "reason", "note", "role", "digest").order_by("pk"))
            found += list(Instruction.objects.filter(proposal=row).values_list("text", "answer").order_by("pk"))
            for entry in Entry.objects.filter(pk__gt=last, workspace_id=cast.ws).order_by("pk"):
                body = {k: v for k, v in json.loads(entry.canonical)["body"].items() if k != "decision"}
                found.append((entry.event, entry.state, body, [(one.name, one.value) for one in entry.payloads.all()]))
            raise Back
    except Back:
        return found


@pytest.mark.parametrize("act", ["edit", "reject"])
def test_what_is_left_behind_is_the_same_byte_for_byte(
    cast: Cast, row: Proposal, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workspace.within(cast.ws, cast.id("ravi")) as now:
        decisions.send_back(
            workspace=cast.ws, proposal=row.pk, seen=steps.seen(row), person=cast.id("ravi"), text="P2", now=now
        )  # fmt: skip
    monkeypatch.setattr(secrets, "token_bytes", lambda size: b"\x07" * size)
    rosa, seen = cast.id("rosa"), steps.seen(steps.fresh(cast, row))

    def work(now: datetime) -> None:
        if act == "edit":
            args = {"priority": "P2", "tags": ["kettle", "steam"]}
            revising.edit(workspace=cast.ws, proposal=row.pk, seen=seen, person=rosa, args=args, now=now)
        else:
            decisions.reject(
                workspace=cast.ws, proposal=row.pk, seen=seen, person=rosa, reason="wrong_value", note="Nein", now=now
            )  # fmt: skip

    english, german = (left(cast, row, work, language, now) for language in ("en-gb", "de"))
    assert json.dumps(german, default=str).encode() == json.dumps(english, default=str).encode()
    assert any("meanwhile." in str(one) for one in german)


def test_what_the_browser_of_a_german_reader_posts_is_kept_in_english(cast: Cast, rosa: Desk, row: Proposal) -> None:
    answer = rosa.decide(row, "reject", reason="wrong_value", note="Das stimmt nicht.")
    assert answer.status_code == 302
    assert "Abgelehnt." in text(rosa.client.get(answer["Location"]))
    with workspace.within(cast.ws):
        decision = row.decisions.get(kind="reject")
        entry = Entry.objects.get(subject=f"proposal:{row.pk}", event=Event.PROPOSAL_REJECTED)
    assert (decision.reason, decision.note) == ("wrong_value", "Das stimmt nicht.")
    assert json.loads(entry.canonical)["body"]["reason"] == "wrong_value"


def test_programs_read_english_whoever_carries_the_token(cast: Cast, rosa: Desk, refund: Proposal) -> None:
    program = Caller(cast.workspace.slug, make_token(cast, "rosa", tuple(tokens.SCOPES))[1])
    answer = program.get(f"proposals/{refund.pk}/")
    assert answer["Content-Language"] == "en-gb"
    assert "45.10 EUR" in text(answer)
    assert "Threshold " in text(answer)
    seen = {"revision": refund.revision, "digest": refund.digest, "reason": "nonsense"}
    answer = program.post(f"proposals/{refund.pk}/reject/", seen)
    assert answer.status_code == 422
    assert "choose why it is rejected" in text(answer)


def test_a_file_that_is_taken_along_is_english(cast: Cast, refund: Proposal) -> None:
    Person.objects.filter(pk=cast.id("mara")).update(language="de")
    answer = sit_down(cast, "mara").post("/export/", {"format": "csv"})
    lines = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert '"45.10 EUR"' in lines
    assert "Refunds agent" in lines


REFUND = {
    "initial_args": {"currency": "EUR", "order_id": "#W1", "kind": "return", "refund_to": "c", "amount_minor": 4_510},
    "fixed": frozenset({"currency", "order_id"}),
    "choices": {"item_ids": [("i-1/1", "Kettle")], "refund_to": [("c", "Card")]},
}  # fmt: skip


def posted(amount: str) -> int:
    form = form_of("refund.create", f"kind=return&refund_to=c&item_ids=i-1/1&reason=&amount_minor={amount}", **REFUND)
    assert form.is_valid(), form.errors
    found: int = form.args()["amount_minor"]
    return found


def test_an_amount_is_shown_and_typed_with_the_decimal_mark_of_the_reader() -> None:
    assert form_of("refund.create", **REFUND)["amount_minor"].value() == "45.10"
    assert posted("45.10") == 4_510
    with pytest.raises(money.NotAnAmount):
        posted("45,10")
    with translation.override("de"):
        assert form_of("refund.create", **REFUND)["amount_minor"].value() == "45,10"
        assert form_of("refund.create", **REFUND).fields["amount_minor"].label == "Betrag"
        assert (posted("45,10"), posted("45,1"), posted("45.10"), posted("45")) == (4_510, 4_510, 4_510, 4_500)


@pytest.mark.parametrize("amount", ["1.23,50", "1,234.50", "1.234", "45,", ",10", "4,5,1", "-45,10", "45 ,10"])
def test_what_may_mean_another_amount_is_refused_in_german_too(amount: str) -> None:
    with translation.override("de"), pytest.raises(money.NotAnAmount):
        posted(amount)


def test_thousands_are_no_decimals_where_a_currency_has_three() -> None:
    assert money.to_minor(figures.typed("1.234"), "KWD") == 1_234
    with translation.override("de"):
        assert money.to_minor(figures.typed("1,234"), "KWD") == 1_234
        with pytest.raises(money.NotAnAmount):
            money.to_minor(figures.typed("1.234"), "KWD")


def test_the_log_is_told_in_german() -> None:
    names = {"proposal:3": "Refund 45.10 EUR", "person:2": "Mara Voss"}
    body = {"proposal": 3, "kind": "approve", "seconds": 65}
    english = "approved “Refund 45.10 EUR” after 1 min 5 s on the screen"
    assert sentences.told("decision.recorded", "decision:1", body, names) == english
    with translation.override("de"):
        told = sentences.told("decision.recorded", "decision:1", body, names)
        assert told == "hat „Refund 45.10 EUR“ freigegeben nach 1 min 5 s auf dem Bildschirm"
        assert sentences.told("item.assigned", "claim:proposal:3", {"item": "proposal:3"}, {}) == (
            "hat Vorschlag 3 zugewiesen"
        )


@pytest.mark.parametrize("event", sorted(str(event) for event in Event))
def test_an_event_is_a_few_words_in_german_too(event: str) -> None:
    english = sentences.short(event)
    with translation.override("de"):
        german = sentences.short(event)
        assert sentences.phrase(event, {"kind": "approve"}) != sentences.PHRASES[event]
    assert german[:1].isupper()
    assert german != english
    assert "{" not in german


def test_labels_keep_their_capitals_within_a_german_sentence() -> None:
    assert wording.flag("locked:phone")[0] == "locked field: phone"
    assert wording.fields(("full_name", "email")) == "name and e-mail"
    with translation.override("de"):
        assert wording.flag("locked:phone")[0] == "gesperrtes Feld: Telefon"
        assert wording.fields(("full_name", "email")) == "Name und E-Mail"
        assert wording.kept_field("full_name") == "name"


@pytest.mark.parametrize("field", ["full_name", "item_ids", "consent_date", "contact:c-1", "refund_to"])
def test_a_field_that_is_kept_is_called_as_an_english_page_calls_it(field: str) -> None:
    with translation.override("en-gb"):
        assert wording.kept_field(field) == wording.field(field).lower()


def test_why_something_is_switched_off_is_kept_in_english_and_told_in_german() -> None:
    now = datetime(2026, 5, 31, 14, tzinfo=UTC)
    thrown = switches.Thrown("halt", "refunds", "the prices are off", "person:2", now, everywhere=True)
    kept = "Switched off: The refunds agent is halted everywhere, because: the prices are off"
    with translation.override("de"):
        assert switches.why([thrown], action="refund.create", proposer="agent:refunds") == kept
        told = "Abgeschaltet: Der Agent refunds ist überall angehalten, weil: the prices are off"
        assert retold.say(kept) == told
        assert retold.say(f"Refund 45.10 EUR. {kept}") == f"Refund 45.10 EUR. {told}"
        assert thrown.words == "Der Agent refunds ist angehalten (überall)"
