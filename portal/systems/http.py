"""A system of any kind behind signed HTTP: `POST {base_url}/effects`, `GET {base_url}/effects/{reference}`.

`docs/adding.md` is the text to build the other side from. Ids travel in bodies only, never in an address.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop as noop
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portal.egress import Egress
from portal.exchange import Headers, Reply
from portal.models import Part
from portal.retold import kept
from portal.systems import looking
from portal.systems.outside import Answer, Capabilities, Lost, Refused, Sending, Settled
from portal.systems.reach import Address, Reach

SETTLED: Mapping[str, Settled] = {"pending": "pending", "settled": "settled", "bounced": "bounced", "done": ""}
_CODE = re.compile(r"[a-z0-9_.]{1,60}")

# How a call can end, kept in English beside it.
REFUSED, NO_REASON = kept("the system refused it: %(why)s (%(status)s)"), kept("without a reason")
NO_REASON_GIVEN = kept("no reason given (%(status)s)")
SAME_KEY = kept("a call with this key is under way, or was made with other bytes (%(code)s)")
NO_LOOK_UP = kept("this system cannot be asked what became of a call")
UNKNOWN_THERE = kept("nobody can say now: the system does not know the effect it made")
UNREADABLE = kept("the answer could not be read (%(status)s)")
OTHER_ANSWER = kept("the answer is about something else")


class HttpSettings(Reach):
    """What this provider promises, where it is less than the defaults."""

    base_url: Annotated[Address, Field(title=noop("Base address"), description=noop("What /effects is put behind."))]
    idempotency_hours: Annotated[
        int,
        Field(
            ge=0, le=24 * 365, title=noop("Hours a key is remembered"),
            description=noop("0 where keys mean nothing to it."),
        ),
    ] = 24  # fmt: skip
    lookup: Annotated[
        bool, Field(title=noop("Can be looked up"), description=noop("It answers GET /effects/{reference}."))
    ] = True
    settling_seconds: Annotated[
        int,
        Field(
            ge=1, le=24 * 3600, title=noop("Settling (seconds)"),
            description=noop("After that an absence is a proof."),
        ),
    ] = 60  # fmt: skip
    calls_per_second: Annotated[float, Field(gt=0, le=1000, title=noop("Calls a second"))] = 10

    @property
    def address(self) -> str:
        """Its base."""
        return self.base_url


class _Effect(BaseModel):
    """What the other side says of an effect."""

    model_config = ConfigDict(strict=True)

    id: Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,120}$")]
    reference: str
    status: str


def _promise(reversibility: Any) -> Capabilities:
    return Capabilities(
        reversibility=reversibility, idempotency=timedelta(hours=24), look_up=True, settling=timedelta(seconds=60),
        read_seconds=20, calls_per_second=10,
    )  # fmt: skip


class HttpSystem:
    """One account at a provider that speaks this protocol; the credential is the secret that signs."""

    name: ClassVar = "http"
    title: ClassVar = noop("Signed HTTP")
    credential: ClassVar = "the secret that both sides sign with"
    parts: ClassVar = frozenset(Part)
    settings: ClassVar = HttpSettings
    declared: ClassVar[Mapping[str, Capabilities]] = {
        "refund": _promise("cancellable"),
        "reply": _promise("cancellable"),
        "update_ticket": _promise("reversible"),
        "update_contact": _promise("reversible"),
    }

    def __init__(self, settings: HttpSettings, credential: str, egress: Egress) -> None:
        self._base, self._secret, self._egress = settings.base_url, credential.encode(), egress
        self.capabilities = self.promises(settings)

    @classmethod
    def promises(cls, settings: HttpSettings) -> Mapping[str, Capabilities]:
        """The declared ones, as far as this provider keeps them."""
        hours = settings.idempotency_hours
        return {
            operation: replace(
                promise, idempotency=timedelta(hours=hours) if hours else None, look_up=settings.lookup,
                settling=timedelta(seconds=settings.settling_seconds), calls_per_second=settings.calls_per_second,
            )
            for operation, promise in cls.declared.items()
        }  # fmt: skip

    def send(self, sending: Sending) -> Answer:
        """Make the effect; 409 means that the same key is under way, so nobody knows yet."""
        promise = self.capabilities[sending.operation]
        body = json.dumps(
            {**sending.body, "reference": str(sending.key), "operation": sending.operation}, sort_keys=True
        ).encode()  # fmt: skip
        url = f"{self._base}/effects"
        reply = self._egress.talk(promise.read_seconds).call(
            "POST", url, body=body, sign=self._signer("POST", url, body),
            headers={"Content-Type": "application/json", "Idempotency-Key": str(sending.key)},
        )  # fmt: skip
        code = _code_of(reply)
        if reply.status == 409 or code == "key_reused":
            raise Lost(SAME_KEY % {"code": code or reply.status})
        if reply.status >= 400:
            raise Refused(REFUSED % {"why": code or NO_REASON, "status": reply.status})
        return self._answer(reply, sending)

    def find(self, sending: Sending) -> Answer | None:
        """By reference. Only the documented 404 is an absence; that of a wrong address or a proxy is none."""
        if not self.capabilities[sending.operation].look_up:
            raise Lost(NO_LOOK_UP)
        url = f"{self._base}/effects/{sending.key}"
        with looking.up():
            reply = self._egress.talk(self.capabilities[sending.operation].read_seconds).call(
                "GET", url, headers={"Accept": "application/json"}, sign=self._signer("GET", url, b"")
            )
            if reply.status == 404 and _code_of(reply) == "no_such_effect":
                return None
            if reply.status >= 400:
                code, said = _code_of(reply), {"status": reply.status}
                raise Lost(f"{code} ({reply.status})" if code else NO_REASON_GIVEN % said)
            return self._answer(reply, sending)

    def status(self, sending: Sending, outside_id: str) -> Settled:
        """As `find` says; an effect that is not there any more is nothing to guess about."""
        if not self.capabilities[sending.operation].look_up:
            return ""
        found = self.find(sending)
        if found is None or found.outside_id != outside_id:
            raise Lost(UNKNOWN_THERE)
        return found.settled

    def _answer(self, reply: Reply, sending: Sending) -> Answer:
        try:
            effect = _Effect.model_validate_json(reply.body)
        except ValidationError:
            raise Lost(UNREADABLE % {"status": reply.status}) from None
        if effect.reference != str(sending.key) or effect.status not in SETTLED:
            raise Lost(OTHER_ANSWER)
        replayed = reply.headers.get("Idempotency-Replayed") == "true"
        return Answer(effect.id, SETTLED[effect.status], {"status": reply.status, "replayed": replayed})

    def _signer(self, method: str, url: str, body: bytes) -> Callable[[datetime], Headers]:
        def sign(now: datetime) -> Headers:
            stamp = str(int(now.timestamp()))
            text = "\n".join(("v1", method, urlsplit(url).path, stamp, hashlib.sha256(body).hexdigest()))
            signature = hmac.new(self._secret, text.encode(), hashlib.sha256).hexdigest()
            return {"Countersign-Timestamp": stamp, "Countersign-Signature": f"v1={signature}"}

        return sign


def _code_of(reply: Reply) -> str:
    """The code of an error, if it is one; its text stays outside, where it may quote a person's data."""
    if reply.status < 400:
        return ""
    try:
        error = json.loads(reply.body)["error"]
        code = error["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""
