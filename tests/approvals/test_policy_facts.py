"""What the policies are told about a write, what they forbid with it, and that doubt is always a no."""

import re
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import cedarpy
import pytest

from approvals import policy, verdicts
from approvals.actions import named
from approvals.actions.base import BadArguments, Preview
from approvals.models import Handoff, Proposal
from approvals.policy import Facts
from audit import log
from portal import hours, models, workspace
from portal.systems.books import BooksReader
from tests.approvals import steps
from tests.cast import Cast, gather
from tests.conftest import signed_in


@pytest.fixture
def cast(live: None) -> Cast:
    return gather()


def ask(facts: Facts, action: str = "ticket.reply", *, proposer: str = "agent:refunds", folder: Path = policy.FOLDER):
    return policy.ask(
        proposer=proposer, action=action, target="ticket:T-1", facts=facts, policies=policy.load(folder)
    )  # fmt: skip


def with_policy(tmp_path: Path, text: str) -> Path:
    """The policies of the house and one more."""
    for name in ("policies.cedar", "schema.cedarschema"):
        (tmp_path / name).write_text((policy.FOLDER / name).read_text())
    with (tmp_path / "policies.cedar").open("a") as file:
        file.write(text)
    return tmp_path


NIGHT = """
@id("agents-rest-at-night")
@reason("Agents move no money while the desk is closed.")
forbid (principal is Agent, action, resource)
when { context.data.contains("money") && !context.in_hours };
"""


def test_the_schema_and_the_facts_name_the_same_attributes() -> None:
    schema = (policy.FOLDER / "schema.cedarschema").read_text()
    asked = re.findall(r'"(\w+)":', schema.partition("entity")[0])
    assert sorted(asked) == sorted(field.name for field in fields(Facts))
    assert set(Facts().as_context()) == set(asked)


@pytest.mark.parametrize(
    "text",
    [
        'forbid (principal, action, resource) when { context.colour == "red" };',
        "forbid (principal, action, resource) when { context.amount_minor.contains(3) };",
        'forbid (principal, action, resource) when { context.data == "money" };',
        'forbid (principal, action == Action::"ticket.delete", resource);',
    ],
)
def test_a_policy_that_asks_what_is_never_said_is_refused_when_it_is_loaded(tmp_path: Path, text: str) -> None:
    with pytest.raises(policy.PolicyError):
        policy.load(with_policy(tmp_path, text))


def test_the_same_policy_with_what_is_said_is_loaded(tmp_path: Path) -> None:
    night = policy.load(with_policy(tmp_path, NIGHT))
    assert night.version != policy.load().version


def test_the_time_window_is_one_fact_among_others(tmp_path: Path) -> None:
    folder = with_policy(tmp_path, NIGHT)
    money = Facts(data=("money",), amount_minor=1)
    closed = ask(replace(money, in_hours=False), "refund.create", folder=folder)
    assert (closed.denied, closed.rules) == (True, ("agents-rest-at-night",))
    assert not ask(money, "refund.create", folder=folder).denied
    assert not ask(replace(money, in_hours=False), "refund.create", proposer="person:1", folder=folder).denied
    assert not ask(Facts(data=("message",), in_hours=False), folder=folder).denied


@pytest.mark.parametrize(
    "facts",
    [Facts(amount_minor=2**63), Facts(flags=("\ud800",)), Facts(destination=3)],  # type: ignore[arg-type]
)
def test_facts_that_do_not_fit_the_schema_are_a_no(facts: Facts) -> None:
    answer = ask(facts)
    assert answer.denied
    assert "did not answer cleanly" in answer.reasons[0]


def test_an_engine_that_does_not_answer_is_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not ask(Facts()).denied

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(cedarpy, "is_authorized", broken)
    assert ask(Facts()).denied


def test_an_action_the_schema_does_not_know_is_a_no() -> None:
    assert ask(Facts(), "ticket.delete").denied


def test_a_reply_to_another_address_is_denied_to_agents_alone() -> None:
    other = Facts(data=("message",), destination="other")
    assert ask(other).rules == ("replies-go-to-the-customer",)
    assert not ask(replace(other, destination="customer")).denied
    assert not ask(other, proposer="person:1").denied


# --- filled in from the records --------------------------------------------------------------------------------


def preview(cast: Cast, action: str, target: str, args: dict[str, Any], customer: str = "cu-1") -> Preview:
    with workspace.within(cast.ws):
        made = named(action)
        return made.preview(target, made.parse(args), customer, BooksReader(cast.ws))


def write_from(cast: Cast, target: str, address: str) -> None:
    """The ticket came from this address."""
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        models.Ticket.objects.filter(workspace=cast.ws, ticket_id=target.partition(":")[2]).update(sender_email=address)


@pytest.mark.parametrize(
    ("address", "destination"),
    [("", "customer"), ("cu-1@example.com", "customer"), ("CU-1@Example.com", "customer"), ("x@evil.test", "other")],
)
def test_a_reply_goes_to_the_customer_or_to_another(cast: Cast, address: str, destination: str) -> None:
    steps.order(cast)
    target = steps.ticket(cast, customer="cu-1")
    write_from(cast, target, address)
    facts = preview(cast, "ticket.reply", target, {"body": "Hello."}).facts
    assert (facts.destination, facts.data) == (destination, ("message",))


def test_a_reply_to_a_sender_whom_nobody_knows_stays_in_the_conversation(cast: Cast) -> None:
    target = steps.ticket(cast)
    write_from(cast, target, "somebody@example.com")
    assert preview(cast, "ticket.reply", target, {"body": "Hello."}, "").facts.destination == "customer"


@pytest.mark.parametrize(
    ("kind", "paid", "destination"),
    [("credit_card", True, "original"), ("gift_card", False, "gift_card"), ("paypal", False, "other")],
)
def test_money_goes_back_or_to_a_gift_card_or_elsewhere(cast: Cast, kind: str, paid: bool, destination: str) -> None:
    order = steps.order(cast)
    with signed_in("owner"), workspace.within(cast.ws):
        log.attribute("test")
        owner = models.Customer.objects.get(workspace=cast.ws, customer_id="cu-1")
        models.PaymentMethod.objects.create(
            workspace=cast.workspace, payment_method_id="second", customer=owner, kind=kind
        )
    args = steps.refund_args(order) | ({} if paid else {"refund_to": "second"})
    facts = preview(cast, "refund.create", f"order:{order}", args).facts
    assert (facts.destination, facts.data) == (destination, ("money",))
    assert facts.destination_matches == (destination != "other")


@pytest.mark.parametrize(
    ("field", "data"),
    [
        ("phone", "personal"),
        ("full_name", "personal"),
        ("favourite_tea", "personal"),
        ("city", "personal"),
        ("passport_number", "identity"),
        ("Date of birth", "identity"),
        ("tax_id", "identity"),
        ("IBAN", "identity"),
        ("national_id", "identity"),
        ("taxi_company", "personal"),
        ("birthplace_note", "personal"),
    ],
)
def test_fields_of_a_contact_have_their_class(cast: Cast, field: str, data: str) -> None:
    target = steps.contact(cast, {field: "a"})
    assert preview(cast, "contact.update", target, {"changes": {field: "b"}}, "").facts.data == (data,)


def test_an_agent_that_writes_identity_is_denied_and_a_person_gets_it(cast: Cast) -> None:
    target = steps.contact(cast, {"passport_number": "x", "phone": "1"})
    change = {"changes": {"passport_number": "C01X00T47", "phone": "2"}}
    row = steps.propose(cast, target, "contact.update", target, change, agent="contacts")
    assert row.state == "denied"
    with workspace.within(cast.ws):
        assert Handoff.objects.get().summary == "Only people change what proves who somebody is."
    fine = steps.propose(cast, target, "contact.update", target, {"changes": {"phone": "2"}}, agent="contacts")
    assert fine.state == "pending"


def test_the_hours_of_the_workspace_are_asked(cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, load = with_policy(tmp_path, NIGHT), policy.load
    monkeypatch.setattr(policy, "load", lambda: load(folder))
    order = steps.order(cast)
    what = preview(cast, "refund.create", f"order:{order}", steps.refund_args(order))
    with workspace.within(cast.ws) as now:
        monday_noon = now.replace(year=2026, month=3, day=2, hour=12, minute=0)

        def allowed(at: Any) -> bool:
            return verdicts.judge(
                verdicts.Rulebook(cast.ws), action=named("refund.create"), preview=what, proposer="agent:refunds",
                confidence_pct=90, now=at,
            ).allowed  # fmt: skip

        assert allowed(monday_noon.replace(hour=3))  # no hours are set: it never closes
        hours.set_hours(
            workspace=cast.workspace, time_zone="UTC", hours={"mon": ["09:00", "17:00"]}, closed_on=[],
            actor=f"person:{cast.id('ada')}", now=now,
        )  # fmt: skip
        assert allowed(monday_noon)
        assert not allowed(monday_noon.replace(hour=3))
        assert not allowed(monday_noon.replace(hour=17))


def test_the_facts_are_the_records_and_not_the_agents(cast: Cast) -> None:
    """What an agent says of itself stands in no fact but confidence and flags."""
    target = steps.ticket(cast)
    with pytest.raises(BadArguments):
        preview(cast, "ticket.reply", target, {"body": "Hello.", "destination": "customer"})
    with workspace.within(cast.ws):
        assert not Proposal.objects.exists()
