"""A form comes from the schema of its action, and refuses what the schema does not have."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict

from approvals.actions import ACTIONS
from approvals.forms import ENVELOPE, NONE, ActionForm


def form_of(action: str, posted: str = "", **more: Any) -> ActionForm:
    given = {"choices": {}, "initial_args": {}, **more}
    return ActionForm(ACTIONS[action].schema, data=QueryDict(posted) if posted else None, **given)


@pytest.mark.parametrize("action", sorted(ACTIONS))
def test_every_action_has_a_form_with_a_field_per_property(action: str) -> None:
    found = ACTIONS[action].schema.model_json_schema()["properties"]
    properties = {name for name, one in found.items() if not one.get("kept")}
    form = form_of(action, present={"email": "a@example.com"})
    assert {name.partition(".")[0] for name in form.fields} == properties


def test_a_field_the_schema_does_not_have_is_refused() -> None:
    form = form_of("ticket.reply", "body=Hello&clauses=&discount=50")
    assert not form.is_valid()
    assert form.non_field_errors() == ["There is no field 'discount' in this form."]


def test_an_amount_is_read_as_minor_units_of_its_currency() -> None:
    args = {"currency": "JPY", "order_id": "#W1", "kind": "return", "refund_to": "card-1"}
    form = form_of(
        "refund.create",
        "kind=return&refund_to=card-1&amount_minor=4510&item_ids=i-1/1&item_ids=i-1/2&reason=",
        initial_args=args,
        fixed=frozenset({"currency", "order_id"}),
        choices={"item_ids": [("i-1/1", "Kettle"), ("i-1/2", "Kettle")], "refund_to": [("card-1", "Card")]},
    )
    assert form.is_valid(), form.errors
    assert form.args() == {
        "kind": "return",
        "order_id": "#W1",
        "item_ids": ["i-1", "i-1"],
        "refund_to": "card-1",
        "amount_minor": 4510,
        "currency": "JPY",
    }


def test_a_fixed_field_cannot_be_posted_to_another_value() -> None:
    form = form_of(
        "refund.create",
        "kind=return&order_id=%23W2&currency=USD&refund_to=c&item_ids=i-1&amount_minor=1",
        initial_args={"currency": "EUR", "order_id": "#W1"},
        fixed=frozenset({"currency", "order_id"}),
    )
    assert form.is_valid(), form.errors
    assert (form.args()["order_id"], form.args()["currency"]) == ("#W1", "EUR")


def test_a_select_tells_leaving_from_taking_out() -> None:
    choices = {"queue": [("fees", "Fees")]}
    assert form_of("ticket.update", "queue=&priority=&status=&tags=", choices=choices).fields["queue"]
    left = form_of("ticket.update", "queue=&priority=P1&status=&tags=", choices=choices)
    out = form_of("ticket.update", f"queue={NONE}&priority=&status=&tags=", choices=choices)
    assert left.is_valid()
    assert out.is_valid()
    assert left.args() == {"priority": "P1"}
    assert out.args() == {"queue": ""}


def test_only_fields_of_a_contact_that_differ_are_sent_and_an_emptied_one_goes() -> None:
    form = form_of(
        "contact.update",
        "changes.email=new%40example.com&changes.phone=&changes.city=Graz",
        present={"email": "old@example.com", "phone": "1", "city": "Graz"},
    )
    assert form.is_valid()
    assert form.args() == {"changes": {"email": "new@example.com", "phone": None}}


def test_a_refusal_stands_beside_its_field() -> None:
    form = form_of("ticket.reply", "body=Hello&clauses=RET-9")
    assert form.is_valid()
    form.refuse("clauses: there is no clause 'RET-9'")
    assert form.errors["clauses"] == ["There is no clause 'RET-9'"]


def test_what_every_form_says_of_the_screen_is_no_field_of_an_action() -> None:
    said = set(re.findall(r'name="(\w+)"', Path("templates/approvals/_seen.html").read_text()))
    assert said
    assert said <= ENVELOPE
