"""`/control/...`: what tests may ask of the provider beside its business. No signature."""

from collections.abc import Mapping
from typing import Any


def answer(server: Any, method: str, path: str, asked: Mapping[str, Any]) -> tuple[int, Any]:
    """Status and body."""
    ledger = server.business.ledger
    what = path.removeprefix("/control/")
    try:
        with ledger.lock:
            return 200, _obey(server, ledger, what, dict(asked))
    except (KeyError, ValueError, StopIteration) as error:
        return 400, {"error": repr(error)}


def _obey(server: Any, ledger: Any, what: str, asked: dict[str, Any]) -> Any:
    match what:
        case "health":
            return {"effects": len(ledger.effects)}
        case "seen":
            return server.seen
        case "fault":
            server.business.faults.order(asked.pop("mode"), **asked)
        case "clear":
            server.business.faults.clear()
        case "payments":
            for payment in asked["payments"]:
                ledger.write("payment", **payment)
        case "clock":
            ledger.write("clock", shift_seconds=asked["hours"] * 3600)
        case "lifetime":
            ledger.write("lifetime", hours=asked["hours"])
        case "status":
            if asked["status"] not in ("pending", "settled", "bounced"):
                raise ValueError(f"no such status: {asked['status']}")
            for effect in [e for e in ledger.effects if asked["of"] in (e["id"], e["reference"])]:
                ledger.write("status", id=effect["id"], status=asked["status"])
        case _:
            raise ValueError(f"no such order: {what}")
    return {}
