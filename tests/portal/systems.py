"""How each registered system is set up against the provider: what the conformance suite needs to know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from portal.systems.outside import Sending
from portal.systems.registry import SYSTEMS, System
from tests.provider.process import STRIPE_KEY, Provider


@dataclass
class FreePace:
    """Turns at once; remembers what it was told to wait."""

    rests: list[float] = field(default_factory=list)

    def turn(self) -> datetime:
        return datetime.now(UTC)

    def rest(self, seconds: float) -> None:
        self.rests.append(seconds)


@dataclass(frozen=True)
class Account:
    """Settings and credential at the provider, and what the system calls a payment."""

    config: Callable[[Provider], Mapping[str, Any]]
    credential: Callable[[Provider], str]
    payment_prefix: str = "pay_"


ACCOUNTS = {
    "http": Account(lambda p: {"base_url": p.url, "allow_private": True}, lambda p: p.secret),
    "stripe": Account(lambda p: {"api_base": p.url, "allow_private": True}, lambda p: STRIPE_KEY, "pi_"),
}


def opened(
    name: str,
    provider: Provider,
    *,
    credential: str = "",
    read_seconds: float = 5,
    total_seconds: float = 25,
    **config: Any,
) -> Any:
    """A system at the provider, without a database; shorter times than the promised ones keep tests quick."""
    account, system = ACCOUNTS[name], SYSTEMS[name]
    settings = system.settings.model_validate({**account.config(provider), **config})
    egress = replace(settings.egress(FreePace()), total_seconds=total_seconds)
    made: Any = system(settings, credential or account.credential(provider), egress)
    made.capabilities = {o: replace(c, read_seconds=read_seconds) for o, c in made.capabilities.items()}
    return made


def sending(name: str, operation: str, provider: Provider, *, paid: int = 10_000, amount: int = 4_000) -> Sending:
    """An effect that the provider would make; a refund's payment is made known first."""
    body: dict[str, Any]
    match operation:
        case "refund":
            payment = f"{ACCOUNTS[name].payment_prefix}{uuid4().hex}"
            provider.pay(payment, paid)
            body = {"order": "o-1", "payment": payment, "to": "pm-1", "amount_minor": amount, "currency": "EUR"}
        case "reply":
            body = {"ticket": "t-1", "to": "rosa@example.com", "body": "Grüße\nund Dank"}
        case "update_ticket":
            body = {"ticket": "t-1", "fields": {"priority": "P1", "tags": ["a", "b"]}}
        case _:
            body = {"contact": "c-1", "fields": {"phone": "+49 30 1", "fax": None}}
    return Sending(uuid4(), operation, body)  # type: ignore[arg-type]


def operations() -> list[tuple[str, str]]:
    """Every system with every operation it declares."""
    return [(name, operation) for name, system in SYSTEMS.items() for operation in sorted(system.declared)]


def made(provider: Provider, sent: Sending) -> list[dict[str, Any]]:
    """The provider's effects of one sending."""
    return [effect for effect in provider.effects() if effect["reference"] == str(sent.key)]


__all__ = ["ACCOUNTS", "Account", "FreePace", "System", "made", "opened", "operations", "sending"]
