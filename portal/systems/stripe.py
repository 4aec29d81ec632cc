"""Stripe, by its own library over our way out: refunds of a payment intent or a charge, found again by metadata.

The payment is read before it is refunded, so that an amount of another currency is refused. Needs a restricted key
that may read payment intents and charges and write refunds.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, TypeVar

import stripe
from django.utils.translation import gettext_noop as noop
from pydantic import Field

from portal import money
from portal.egress import Egress, Talk
from portal.models import Part
from portal.retold import kept
from portal.systems import looking
from portal.systems.outside import Answer, Capabilities, Lost, Refused, Sending, Settled
from portal.systems.reach import Address, Reach

VERSION = "2026-10-28.endive"
REFERENCE = "countersign_reference"
PAGES, PAGE = 20, 100
SETTLED: Mapping[str, Settled] = {
    "pending": "pending", "requires_action": "pending", "succeeded": "settled", "failed": "bounced",
    "canceled": "bounced",
}  # fmt: skip
# What is not two decimals at Stripe (https://docs.stripe.com/currencies). ISK and UGX have none and are sent as two.
DECIMALS = {
    **dict.fromkeys("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD JOD KWD OMR TND".split(), 3),
}
SENT_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version")
_CODE, _ID = re.compile(r"[a-z0-9_]{1,60}"), re.compile(r"[A-Za-z0-9_]{1,120}")
T = TypeVar("T")

# How a call can end, kept in English beside it.
OTHER_ANSWER = kept("the answer is about something else")
TOO_MANY = kept("more than %(most)s refunds of one payment")
NO_REFUND_ID = kept("that is no id of a refund")
REFUSED = kept("Stripe refused it: %(code)s (%(status)s)")
UNREADABLE = kept("Stripe's answer could not be read (%(code)s)")
SAME_KEY = kept("a call with this key may be known already (%(code)s)")
ODD_ANSWER = kept("the refund has a status or an id that nobody has heard of")


class StripeSettings(Reach):
    """Stripe needs no setting; its address is one for tests."""

    api_base: Annotated[Address, Field(title=noop("Address of the API"))] = "https://api.stripe.com"

    @property
    def address(self) -> str:
        """Its API."""
        return self.api_base


class _WayOut(stripe.HTTPClient):
    """The library's own client class over our egress; only the headers that are needed leave the house."""

    name = "countersign"

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self._talk = talk

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        body = post_data.encode() if isinstance(post_data, str) else bytes(post_data or b"")
        wanted = {name: value for name, value in (headers or {}).items() if name in SENT_HEADERS}
        reply = self._talk.call(method.upper(), url, headers=wanted, body=body)
        return reply.body.decode("utf-8", "replace"), reply.status, reply.headers


class StripeSystem:
    """One account at Stripe; the credential is its key."""

    name: ClassVar = "stripe"
    title: ClassVar = "Stripe"
    credential: ClassVar = noop("a restricted key (rk_...) that may read payments and write refunds")
    parts: ClassVar = frozenset({Part.PAYMENTS})
    settings: ClassVar = StripeSettings
    declared: ClassVar[Mapping[str, Capabilities]] = {
        # Stripe keeps keys for 24 hours at least; an hour is left for clocks. 100 calls a second are its limit.
        "refund": Capabilities(
            reversibility="cancellable", idempotency=timedelta(hours=23), look_up=True, settling=timedelta(minutes=2),
            read_seconds=20, calls_per_second=25,
        )
    }  # fmt: skip

    def __init__(self, settings: StripeSettings, credential: str, egress: Egress) -> None:
        self._base, self._key, self._egress = settings.api_base, credential, egress
        self.capabilities = self.promises(settings)

    @classmethod
    def promises(cls, _: StripeSettings) -> Mapping[str, Capabilities]:
        """The same for every account."""
        return cls.declared

    def send(self, sending: Sending) -> Answer:
        """Refund once per key: read the payment, then create the refund."""
        client, payment = self._client(), _payment_of(sending)
        with looking.before_the_effect():
            amount = self._amount(client, sending, payment)
        params: Any = {**payment, "amount": amount, "metadata": {REFERENCE: str(sending.key)}}
        refund = _asked(lambda: client.v1.refunds.create(params, {"idempotency_key": str(sending.key)}))
        if not _is_of(refund, sending) or getattr(refund, "amount", None) != amount:
            raise Lost(OTHER_ANSWER)
        return _answer(refund)

    def find(self, sending: Sending) -> Answer | None:
        """Among all refunds of the payment, by our reference in their metadata."""
        with looking.up():
            client, payment = self._client(), _payment_of(sending)
            asked: dict[str, Any] = {**payment, "limit": PAGE}
            for _ in range(PAGES):
                page = _page(client, asked)
                for refund in page.data:
                    if _is_of(refund, sending):
                        return _answer(refund)
                if not page.has_more or not page.data:
                    return None
                asked["starting_after"] = page.data[-1].id
            raise Lost(TOO_MANY % {"most": PAGES * PAGE})

    def status(self, sending: Sending, outside_id: str) -> Settled:
        """Of the refund itself. Stripe says succeeded early; a bank may send it back later."""
        with looking.up():
            if not _ID.fullmatch(outside_id):
                raise Lost(NO_REFUND_ID)
            client = self._client()
            return _answer(_asked(lambda: client.v1.refunds.retrieve(outside_id))).settled

    def _client(self) -> stripe.StripeClient:
        """For one operation: all its calls share the 25 seconds."""
        talk = self._egress.talk(self.capabilities["refund"].read_seconds)
        return stripe.StripeClient(
            self._key, stripe_version=VERSION, max_network_retries=0, http_client=_WayOut(talk),
            base_addresses={"api": self._base},
        )  # fmt: skip

    def _amount(self, client: stripe.StripeClient, sending: Sending, payment: Mapping[str, str]) -> int:
        """In Stripe's own minor units, once the payment is known to be in this currency."""
        minor, currency = sending.body.get("amount_minor"), str(sending.body.get("currency"))
        if not isinstance(minor, int) or isinstance(minor, bool) or minor <= 0:
            raise Refused("amount_minor: a whole number above zero is needed")
        ((kind, outside_id),) = payment.items()
        if kind == "charge":
            paid = _asked(lambda: client.v1.charges.retrieve(outside_id).currency)
        else:
            paid = _asked(lambda: client.v1.payment_intents.retrieve(outside_id).currency)
        if str(paid).upper() != currency:
            raise Refused(f"currency: the payment was made in {str(paid).upper()[:3]}, not in {currency}")
        return in_stripes_units(minor, currency)


def in_stripes_units(minor: int, currency: str) -> int:
    """Minor units of ISO 4217 as the ones Stripe counts in.

    Raises:
        Refused: Stripe has no way to write the amount, or the currency is none.
    """
    try:
        shift = DECIMALS.get(currency, 2) - money.decimals(currency)
    except money.MoneyError as error:
        raise Refused(f"currency: {error}") from error
    if shift >= 0:
        return minor * int(10**shift)
    amount, rest = divmod(minor, int(10**-shift))
    if rest:
        raise Refused(f"amount_minor: Stripe has fewer decimals for {currency}")
    return amount


def _page(client: stripe.StripeClient, asked: Any) -> Any:
    return _asked(lambda: client.v1.refunds.list(asked))


def _payment_of(sending: Sending) -> dict[str, str]:
    payment = str(sending.body.get("payment", ""))
    if sending.operation != "refund" or not re.fullmatch(r"(pi|ch|py)_[A-Za-z0-9_]{1,110}", payment):
        raise Refused("payment: Stripe knows it as pi_..., ch_... or py_...; the payment's outside id must be that")
    return {"payment_intent" if payment.startswith("pi_") else "charge": payment}


def _asked(call: Callable[[], T]) -> T:
    """One call of the library, its errors as ours. Their texts stay outside: they may quote a person's data."""
    try:
        return call()
    except (stripe.IdempotencyError, stripe.RateLimitError) as error:
        ending: Lost | Refused = Lost(SAME_KEY % {"code": _code(error)})
    except (
        stripe.InvalidRequestError, stripe.CardError, stripe.AuthenticationError, stripe.PermissionError
    ) as error:  # fmt: skip
        ending = Refused(REFUSED % {"code": _code(error), "status": error.http_status})
    except (stripe.StripeError, ValueError, AttributeError, TypeError) as error:
        ending = Lost(UNREADABLE % {"code": _code(error)})
    raise ending


def _code(error: Exception) -> str:
    code = getattr(error, "code", None)
    return code if isinstance(code, str) and _CODE.fullmatch(code) else type(error).__name__


def _is_of(refund: Any, sending: Sending) -> bool:
    metadata = getattr(refund, "metadata", None)
    return metadata is not None and metadata.to_dict().get(REFERENCE) == str(sending.key)


def _answer(refund: Any) -> Answer:
    outside_id, status = str(getattr(refund, "id", "")), str(getattr(refund, "status", ""))
    if status not in SETTLED or not _ID.fullmatch(outside_id):
        raise Lost(ODD_ANSWER)
    return Answer(outside_id, SETTLED[status], {"object": "refund", "status": status})
