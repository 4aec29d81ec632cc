"""The provider's own business: one request for an effect, with keys, payments and faults; no wire format here."""

import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.provider.faults import SENT, Fault, Faults
from tests.provider.ledger import Ledger

OPERATIONS = ("refund", "reply", "update_ticket", "update_contact")
STORED_ERROR = {"error": {"code": "broken", "message": "The provider broke."}}


class No(Exception):
    """A refusal with its code; nothing was done."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class Cut(Exception):
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Said:
    """What goes back; `fault` says how it is to be garbled on its way."""

    status: int
    answer: Mapping[str, Any]
    replayed: bool = False
    fault: Fault | None = None


@dataclass
class Business:
    """Effects are made here, once per key inside its lifetime. `requests` counts what came in, by method."""

    ledger: Ledger
    faults: Faults

    def effect(self, key: str, reference: str, operation: str, body: Mapping[str, Any], wire: str) -> Said:
        """Make one effect, or replay what the key stored.

        Raises:
            No, Cut.
        """
        digest = hashlib.sha256(json.dumps([operation, body], sort_keys=True).encode()).hexdigest()
        with self._in_progress(key):
            if stored := self._stored(key, digest):
                return stored
            fault = self.faults.next(SENT)
            _before(fault)
            said = self._make(key, digest, reference, operation, body, wire, fault)
            _after(fault)
            return said

    @contextmanager
    def _in_progress(self, key: str) -> Iterator[None]:
        with self.ledger.lock:
            if key and key in self.ledger.in_progress:
                raise No(409, "in_progress", "A request with this key is in progress.")
            self.ledger.in_progress.add(key)
        try:
            yield
        finally:
            with self.ledger.lock:
                self.ledger.in_progress.discard(key)

    def _stored(self, key: str, digest: str) -> Said | None:
        with self.ledger.lock:
            stored = self.ledger.known(key) if key else None
            if stored is None:
                return None
            if stored.digest != digest:
                raise No(422, "key_reused", "This key was used with other bytes.")
            return Said(stored.status, stored.answer, replayed=True)

    def _make(
        self, key: str, digest: str, reference: str, operation: str, body: Mapping[str, Any], wire: str,
        fault: Fault | None,
    ) -> Said:  # fmt: skip
        mode = fault.mode if fault else ""
        with self.ledger.lock:
            effect = self._checked(reference, operation, body, wire)
            if mode == "error_before_effect":
                self.ledger.write("request", key=key, digest=digest, status=500, answer=STORED_ERROR, effect=None)
                return Said(500, STORED_ERROR)
            broken = mode == "error_after_effect"
            answer: dict[str, Any] = STORED_ERROR if broken else {"effect": effect["id"]}
            status = 500 if broken else 201
            self.ledger.write("request", key=key, digest=digest, status=status, answer=answer, effect=effect)
            return Said(status, answer, fault=fault)

    def _checked(self, reference: str, operation: str, body: Mapping[str, Any], wire: str) -> dict[str, Any]:
        if operation not in OPERATIONS:
            raise No(422, "unknown_operation", f"There is no operation {operation!r}.")
        if operation == "refund":
            self._refuse_more_than_paid(body)
        status = "pending" if operation == "refund" else "done"
        return {
            **body, "id": f"re_{secrets.token_hex(12)}", "reference": reference, "operation": operation,
            "status": status, "wire": wire,
        }  # fmt: skip

    def _refuse_more_than_paid(self, body: Mapping[str, Any]) -> None:
        amount, payment = body.get("amount_minor"), self.ledger.payments.get(str(body.get("payment")))
        if payment is None:
            raise No(404, "no_such_payment", f"There is no payment {body.get('payment')!r}.")
        if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0:
            raise No(422, "bad_amount", "amount_minor is a whole number above 0.")
        if str(body.get("currency")).upper() != payment.currency:
            raise No(422, "bad_currency", f"The payment was made in {payment.currency}.")
        if payment.back_minor + amount > payment.amount_minor:
            raise No(422, "over_refund", "More would go back than was paid.")


def _before(fault: Fault | None) -> None:
    match fault.mode if fault else "":
        case "slow":
            time.sleep(fault.options["seconds"])
        case "unavailable":
            raise No(503, "unavailable", "Down for maintenance.")
        case "drop_before_effect":
            raise Cut
        case "conflict":
            raise No(409, "in_progress", "A request with this key is in progress.")
        case "busy":
            refusal = No(429, "busy", "Too many requests.")
            refusal.retry_after = fault.options["retry_after"]  # type: ignore[attr-defined]
            raise refusal
        case "redirect":
            refusal = No(302, "moved", "It is over there.")
            refusal.location = fault.options["location"]  # type: ignore[attr-defined]
            raise refusal


def _after(fault: Fault | None) -> None:
    if fault and fault.mode == "drop_after_effect":
        raise Cut
    if fault and fault.mode == "timeout_after_effect":
        threading.Event().wait(fault.options["seconds"])
        raise Cut
