"""The subset of Stripe's wire that refunds need: create, list, one; payment intents and charges, to read.

From the public API reference. Stricter than localstripe: keys have a lifetime, more than was paid is refused.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.provider.effects import Business, No, Said

STRIPE_KEY = "sk_test_provider"
STATUS = {"pending": "pending", "settled": "succeeded", "bounced": "failed"}
TYPES = {"key_reused": "idempotency_error", "in_progress": "invalid_request_error", "busy": "invalid_request_error"}
CODES = {
    "no_such_payment": "resource_missing", "no_such_page": "resource_missing",
    "over_refund": "charge_already_refunded", "in_progress": "idempotency_key_in_use", "busy": "rate_limit",
    "bad_amount": "parameter_invalid_integer",
}  # fmt: skip


def refund(business: Business, headers: Mapping[str, str], path: str, body: bytes) -> tuple[Said, Any]:
    """`POST /v1/refunds`."""
    _believe(headers)
    if path != "/v1/refunds":
        raise No(404, "no_such_page", f"Unrecognized request URL ({path}).")
    form = dict(parse_qsl(body.decode()))
    payment = form.get("payment_intent") or form.get("charge") or ""
    known = business.ledger.payments.get(payment)
    sent = {
        "payment": payment, "amount_minor": int(form["amount"]) if form.get("amount", "").isdigit() else None,
        "currency": known.currency if known else "", "metadata": _metadata(form), "raw": body.decode(),
    }  # fmt: skip
    reference = sent["metadata"].get("countersign_reference", "")
    said = business.effect(headers.get("Idempotency-Key", ""), reference, "refund", sent, "stripe")
    if "effect" not in said.answer:
        return said, error(No(500, "broken", "The provider broke."))
    with business.ledger.lock:
        effect = next(e for e in business.ledger.effects if e["id"] == said.answer["effect"])
    return Said(200, said.answer, said.replayed, said.fault), shown(effect)


def read(business: Business, headers: Mapping[str, str], path: str, query: Mapping[str, str]) -> Any:
    """Every `GET`."""
    _believe(headers)
    kind, _, wanted = path.removeprefix("/v1/").partition("/")
    with business.ledger.lock:
        if kind == "refunds" and not wanted:
            return _listed(business, query)
        if kind == "refunds":
            found = next((e for e in business.ledger.effects if e["id"] == wanted), None)
            if found is None:
                raise No(404, "no_such_payment", f"No such refund: {wanted!r}")
            return shown(found)
        if kind in ("payment_intents", "charges") and (payment := business.ledger.payments.get(wanted)):
            amount = "amount_received" if kind == "payment_intents" else "amount"
            return {
                "id": payment.id, "object": kind[:-1], "currency": payment.currency.lower(),
                amount: payment.amount_minor,
            }  # fmt: skip
    raise No(404, "no_such_payment", f"No such {kind}: {wanted!r}")


def _listed(business: Business, query: Mapping[str, str]) -> dict[str, Any]:
    payment = query.get("payment_intent") or query.get("charge")
    rows = [e for e in reversed(business.ledger.effects) if e["wire"] == "stripe" and e["payment"] == payment]
    if after := query.get("starting_after"):
        rows = rows[[e["id"] for e in rows].index(after) + 1 :]
    limit = int(query.get("limit", "10"))
    return {
        "object": "list", "url": "/v1/refunds", "has_more": len(rows) > limit, "data": [shown(e) for e in rows[:limit]],
    }  # fmt: skip


def shown(effect: Mapping[str, Any]) -> dict[str, Any]:
    """A refund as Stripe shows it."""
    field = "payment_intent" if effect["payment"].startswith("pi_") else "charge"
    return {
        "id": effect["id"], "object": "refund", "amount": effect["amount_minor"], "status": STATUS[effect["status"]],
        "currency": effect["currency"].lower(), field: effect["payment"], "metadata": effect["metadata"],
    }  # fmt: skip


def _metadata(form: Mapping[str, str]) -> dict[str, str]:
    found = ((re.fullmatch(r"metadata\[(\w+)\]", name), value) for name, value in form.items())
    return {match[1]: value for match, value in found if match}


def _believe(headers: Mapping[str, str]) -> None:
    if headers.get("Authorization") != f"Bearer {STRIPE_KEY}":
        raise No(401, "not_believed", "Invalid API Key provided.")
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}(\.\w+)?", headers.get("Stripe-Version", "")):
        raise No(400, "bad_version", "Invalid Stripe API version.")


def error(no: No) -> dict[str, Any]:
    """An error as Stripe shows it."""
    kind = TYPES.get(no.code, "api_error" if no.status >= 500 else "invalid_request_error")
    return {"error": {"type": kind, "code": CODES.get(no.code, no.code), "message": no.message}}


def status(no: No) -> int:
    """Stripe says 400 where the generic wire says 422."""
    return 400 if no.status == 422 else no.status
