"""Stripe's wire format against localstripe, a process that others wrote; it knows no keys and no limit of a refund."""

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener
from uuid import uuid4

import pytest

from portal.systems.outside import Refused, Sending
from portal.systems.stripe import StripeSettings, StripeSystem, in_stripes_units
from tests.portal.systems import FreePace

KEY = "sk_test_wire"
_open = build_opener(ProxyHandler({})).open


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(Path(sys.executable).parent / "localstripe"), "--from-scratch", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + 20
        while True:
            try:
                _open(f"http://127.0.0.1:{port}/", timeout=1)
            except HTTPError:
                break
            except (URLError, ConnectionError):
                assert process.poll() is None
                assert time.monotonic() < until, "localstripe does not answer"
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def ask(address: str, path: str, **form: Any) -> Any:
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    request = Request(f"{address}{path}", urlencode(form).encode() or None, {"Authorization": f"Basic {basic}"})
    with _open(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture(scope="module")
def intent(address: str) -> Any:
    """A payment intent of 50.00 EUR that was paid."""
    card = {
        "card[number]": "4242424242424242", "card[exp_month]": "12", "card[exp_year]": "2031", "card[cvc]": "123",
    }  # fmt: skip
    method = ask(address, "/v1/payment_methods", type="card", **card)
    customer = ask(address, "/v1/customers", description="Somebody")
    ask(address, f"/v1/payment_methods/{method['id']}/attach", customer=customer["id"])
    return ask(
        address, "/v1/payment_intents", amount=5000, currency="eur", customer=customer["id"],
        payment_method=method["id"], confirm="true", off_session="true",
    )  # fmt: skip


@pytest.fixture
def stripe(address: str) -> StripeSystem:
    settings = StripeSettings(api_base=address, allow_private=True)
    return StripeSystem(settings, KEY, settings.egress(FreePace()))


def refund_of(payment: str, amount: int, currency: str = "EUR") -> Sending:
    return Sending(uuid4(), "refund", {"payment": payment, "amount_minor": amount, "currency": currency})


def test_a_refund_is_made_found_and_told_of(stripe: StripeSystem, address: str, intent: Any) -> None:
    for payment in (intent["id"], charge_of(address, intent)):
        sent = refund_of(payment, 1200)
        assert stripe.find(sent) is None
        answer = stripe.send(sent)
        refund = ask(address, f"/v1/refunds/{answer.outside_id}")
        assert (refund["amount"], refund["currency"]) == (1200, "eur")
        assert refund["metadata"] == {"countersign_reference": str(sent.key)}
        assert stripe.find(sent).outside_id == answer.outside_id
        assert answer.settled == stripe.status(sent, answer.outside_id) == "settled"
        assert stripe.find(replace(sent, key=uuid4())) is None


def charge_of(address: str, intent: Any) -> str:
    charge = ask(address, f"/v1/payment_intents/{intent['id']}")["latest_charge"]
    return str(charge["id"] if isinstance(charge, dict) else charge)


@pytest.mark.parametrize(
    ("payment", "currency"), [("pi_nowhere", "EUR"), ("ch_nowhere", "EUR"), ("", "USD"), ("", "JPY")]
)
def test_what_cannot_be_refunded_is_refused(stripe: StripeSystem, intent: Any, payment: str, currency: str) -> None:
    with pytest.raises(Refused):
        stripe.send(refund_of(payment or intent["id"], 100, currency))


def test_a_wrong_key_is_refused_and_not_told(address: str, intent: Any) -> None:
    settings = StripeSettings(api_base=address, allow_private=True)
    stripe = StripeSystem(settings, "not-a-key-at-all", settings.egress(FreePace()))
    with pytest.raises(Refused) as refused:
        stripe.send(refund_of(intent["id"], 100))
    assert "not-a-key" not in str(refused.value)


@pytest.mark.parametrize(
    ("minor", "currency", "theirs"),
    [
        (4510, "EUR", 4510), (45, "JPY", 45), (1500, "KWD", 1500), (12, "ISK", 1200), (7, "UGX", 700),
        (500, "MGA", 5), (501, "MGA", None), (1, "XXX", None), (1, "eur", None),
    ],
)  # fmt: skip
def test_amounts_are_written_as_stripe_counts(minor: int, currency: str, theirs: int | None) -> None:
    if theirs is None:
        with pytest.raises(Refused):
            in_stripes_units(minor, currency)
    else:
        assert in_stripes_units(minor, currency) == theirs
