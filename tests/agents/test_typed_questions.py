"""Questions as typed facts: what kind of answer counts, among what, about which record; shown to staff as a list."""

import pytest
from pydantic_core import to_jsonable_python

from agents.refunds import deciding
from agents.refunds.facts import Facts
from agents.types import Asked, Question
from approvals import gate, payloads, proposals, wording
from approvals.models import Handoff
from portal import workspace
from portal.systems.records import Customer, Item, Order, Payment, PaymentMethod
from tests.approvals import steps
from tests.approvals.desk import sit_down, text
from tests.cast import Cast, gather
from tests.conftest import signed_in

ANA = Customer("c-1", "Ana", "Silva", "ana@example.com", "90210")
CARD = PaymentMethod("card_1", "c-1", "credit_card", "visa", "1234")
GIFT = PaymentMethod("gift_9", "c-1", "gift_card")
PAYPAL = PaymentMethod("paypal_2", "c-1", "paypal")


def order(status: str = "delivered") -> Order:
    items = (Item(1, "i-1", "Lamp", 2, 1_000, {"colour": "red"}), Item(2, "i-2", "Chair", 1, 3_000))
    paid = (Payment(1, "payment", 5_000, "USD", "card_1"),)
    return Order("#W1234567", "c-1", status, "USD", 5_000, items, paid)


def asked(message: str, status: str = "delivered") -> Question:
    facts = Facts(ANA, (order(status),), (CARD, GIFT, PAYPAL))
    outcome = deciding.decide(message, "c-1", "ana@example.com", facts)
    assert outcome.question is not None, outcome
    return outcome.question


@pytest.mark.parametrize(
    ("message", "status", "name", "kind"),
    [
        ("I want a refund.", "delivered", "order_id", "order_number"),
        ("Please refund order #W9999999 to my card.", "delivered", "order_id", "order_number"),
        ("I want to return 5 lamps of #W1234567.", "delivered", "items", "items"),
        ("I want to return the chair of #W1234567.", "delivered", "refund_to", "destination"),
        ("Please cancel order #W1234567.", "pending", "cancel_reason", "reason"),
        ("I want a refund of order #W1234567.", "pending", "intent", "reason"),
    ],
)
def test_a_question_says_what_kind_of_answer_counts(message: str, status: str, name: str, kind: str) -> None:
    question = asked(message, status)
    assert [(fact.name, fact.kind) for fact in question.facts] == [(name, kind)]
    assert question.asks == (name,)
    assert question.facts[0].question in question.text


def test_a_destination_is_chosen_among_the_ways_that_may_be_paid_to() -> None:
    (fact,) = asked("I want to return the chair of #W1234567.").facts
    assert fact.options == (("card_1", "the visa ending in 1234"), ("gift_9", "the gift card gift_9"))
    assert fact.about == "order:#W1234567"


def test_items_are_chosen_among_those_of_the_order() -> None:
    (fact,) = asked("I want to return 5 lamps of #W1234567.").facts
    assert fact.options == (("i-1", "2 x Lamp (red)"), ("i-2", "1 x Chair"))


def test_who_is_unknown_is_asked_who_they_are() -> None:
    outcome = deciding.decide("I want a refund.", "", "", Facts(None))
    assert outcome.question is not None
    assert [fact.kind for fact in outcome.question.facts] == ["identity"]


def test_every_kind_of_answer_has_words_and_what_is_malformed_is_left_out() -> None:
    assert {"order_number", "items", "destination", "reason", "yes_no", "identity"} == set(wording.ANSWERS)
    good = {"name": "x", "kind": "yes_no", "question": "Shall we?", "options": [["a", "b"]], "about": ""}
    assert [one.name for one in payloads.asked({"asked": [good, {"name": 1}, "x", {**good, "options": [["a"]]}]})] == [
        "x"
    ]
    assert payloads.asked({"asked": "no list"}) == payloads.asked({}) == []


@pytest.mark.parametrize("flag", ["currency", "quantity_mismatch", "item_not_in_order", "wrong_customer", "repeat"])
def test_a_flag_of_a_refund_has_words(flag: str) -> None:
    assert wording.flag(flag)[1] != "The agent raised this flag."


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def test_staff_see_the_facts_as_a_list_and_the_text_that_is_sent(cast: Cast) -> None:
    target = steps.ticket(cast)
    run = steps.begin_run(cast, target, "refunds")
    fact = Asked("refund_to", "destination", "Where <b>to</b>?", (("card_1", "the visa ending in 1234"),), "order:#W1")
    question = Question("Dear Ana, where to?", ("refund_to",), facts=(fact,))
    with signed_in("agents"), workspace.within(cast.ws):
        paper = proposals.submit(
            workspace=cast.ws, case=run.case_id, kind="question", proposer="agent:refunds", run=f"run:{run.pk}",
            key="q", payload=to_jsonable_python(question),
        )  # fmt: skip
    with signed_in("apply"):
        gate.pass_through(workspace=cast.ws, submission=paper.pk)
    with workspace.within(cast.ws):
        row = Handoff.objects.get(submission=paper)
    page = text(sit_down(cast, "rosa").get(f"/handoffs/{row.pk}/"))
    assert "What only the customer knows" in page
    assert "Where &lt;b&gt;to&lt;/b&gt;?" in page
    assert "One of these ways" in page
    assert "order #W1" in page
    assert "the visa ending in 1234" in page
    assert "Dear Ana, where to?" in page
